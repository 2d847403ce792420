"""A template that does not end, or needs too much, is stopped in a process of its own; others pass."""

import time

import pytest

from reasrm.judging.chat_template import render_chat
from reasrm.judging.checked_template import ChatTemplateError
from reasrm.judging.template_trial import CPU_SECONDS, why_stopped
from reasrm.records.pair import Role
from tests.fixtures.chat_families import FAMILIES, PLAIN, ChatFamily, every_turn, family_tokenizer, turns

LOOPS = "{% for a in m.content %}{% for b in m.content %}{% endfor %}{% endfor %}"


@pytest.mark.parametrize("family", FAMILIES)
def test_the_templates_of_the_families_pass(family: str) -> None:
    tokenizer = family_tokenizer(FAMILIES[family])
    assert why_stopped(tokenizer.chat_template, dict(tokenizer.special_tokens_map)) == ""


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
        "{{ 'a' * 10 ** 10 }}",
        "{{ '%2000000000d' | format(1) }}",
        "{% set ns = namespace(s='a') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% generation %}{{ 'x' | center(10 ** 11) }}{% endgeneration %}",
        "{% for m in messages %}{{ m.content * 100 }}{% endfor %}",
    ],
)
def test_what_grows_without_bound_is_stopped(template: str) -> None:
    assert "MiB" in why_stopped(template, {})


@pytest.mark.parametrize(
    "template", ["{% if", "{{ raise_exception('no') }}", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"]
)
def test_a_malformed_template_or_one_that_refuses_is_not_for_the_trial_to_judge(template: str) -> None:
    assert why_stopped(template, {}) == ""


def test_a_template_that_loops_is_refused_in_one_line_and_in_time() -> None:
    """Here over pairs of a text's characters, which short texts would not show."""
    started = time.monotonic()
    tokenizer = family_tokenizer(ChatFamily(every_turn(LOOPS), PLAIN.special))
    with pytest.raises(ChatTemplateError, match=f"was stopped: it did not end within {CPU_SECONDS} seconds") as why:
        render_chat(tokenizer, turns((Role.USER, "words")))
    assert "\n" not in str(why.value)
    assert time.monotonic() - started < 20 * CPU_SECONDS
