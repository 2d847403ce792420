"""A template that does not end, or needs too much, is stopped in a process of its own; others pass."""

import os
import threading
from collections.abc import Callable

import pytest

from reasrm.judging.chat_templates.template_trial import MOST_STOPS, TemplateTrial, TrialLimits, template_trial
from tests.fixtures.chat_families import FAMILIES, every_turn, family_tokenizer

SHORT = TrialLimits(cpu_seconds=0.2, memory_bytes=1 << 28, own_characters=100_000)
PAIRS_OF_CHARACTERS = "{% for a in m.content %}{% for b in m.content %}{% endfor %}{% endfor %}"
WHERE_ASKED = "{% for m in messages %}{% if 'boom' in m.content %}HERE{% endif %}{{ m.content }}{% endfor %}"


def user(content: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": content}]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_templates_of_the_families_pass(family: str) -> None:
    tokenizer = family_tokenizer(FAMILIES[family])
    trial = template_trial(tokenizer.chat_template, dict(tokenizer.special_tokens_map))
    assert trial.of_template == trial.why_stopped(user("words"), answered=False) == ""


@pytest.mark.parametrize(
    "grows",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
        "{{ 'a' * 10 ** 10 }}",
        "{{ '%2000000000d' | format(1) }}",
        "{% set ns = namespace(s='a') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% generation %}{{ 'x' | center(10 ** 11) }}{% endgeneration %}",
        "{% for m in messages %}{{ m.content * 100 }}{% endfor %}",
    ],
)
def test_what_grows_without_bound_is_stopped(grows: str) -> None:
    assert "MiB" in template_trial(grows, {}, SHORT._replace(cpu_seconds=3.0)).of_template


@pytest.mark.parametrize(
    "loops",
    [
        every_turn(PAIRS_OF_CHARACTERS),
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{{ (7 ** 9999999) % 10 }}",
    ],
)
def test_what_does_not_end_is_stopped_also_inside_the_interpreter(loops: str) -> None:
    """Short texts would not show a loop over pairs of a text's characters."""
    stopped = template_trial(loops, {}, SHORT).of_template
    assert stopped == "it did not end within 0.2 seconds of processor time"


@pytest.mark.parametrize(
    ("bomb", "said"),
    [
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "processor time"),
        ("{{ m.content * 10 ** 10 }}", "MiB"),
    ],
)
def test_what_only_certain_contents_set_off_is_stopped_and_the_next_conversation_passes(bomb: str, said: str) -> None:
    trial = template_trial(WHERE_ASKED.replace("HERE", bomb), {}, SHORT)
    assert trial.of_template == ""
    assert said in trial.why_stopped(user("boom"), answered=False)
    assert trial.why_stopped(user("words"), answered=False) == ""


@pytest.mark.slow
def test_a_template_that_is_stopped_all_the_time_is_not_tried_for_ever() -> None:
    trial = template_trial(WHERE_ASKED.replace("HERE", "{{ m.content * 10 ** 9 }}"), {}, SHORT)
    said = [trial.why_stopped(user("boom"), answered=False) for _ in range(MOST_STOPS + 1)]
    assert all("MiB" in one for one in said[:-1])
    assert said[-1] == f"it was stopped {MOST_STOPS} times before, so it is not tried again"


@pytest.mark.parametrize("constant", ["{{ 'a' * 10 ** 10 }}", "{{ 'x' | center(10 ** 11) }}", "{{ 7 ** 99999999 }}"])
def test_a_huge_constant_is_found_though_it_stands_where_no_conversation_comes(constant: str) -> None:
    """Jinja computes constants while it compiles, which this process does too, and without any limit."""
    assert template_trial(WHERE_ASKED.replace("HERE", constant), {}, SHORT).of_template != ""


@pytest.mark.parametrize(
    "template", ["{% if", "{{ raise_exception('no') }}", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"]
)
def test_a_malformed_template_or_one_that_refuses_is_not_for_the_trial_to_judge(template: str) -> None:
    assert template_trial(template, {}).of_template == ""


def test_a_process_that_sleeps_is_stopped_by_the_clock() -> None:
    limits = SHORT._replace(cpu_seconds=60.0, wall_seconds=0.5)
    assert (
        template_trial(every_turn(PAIRS_OF_CHARACTERS), {}, limits).of_template == "it did not end within 0.5 seconds"
    )


def test_threads_and_forked_processes_do_not_take_each_others_answers() -> None:
    trial = template_trial(WHERE_ASKED.replace("HERE", "{{ m.content * 10 ** 10 }}"), {}, SHORT)
    wrong: list[str] = []

    def ask(content: str, right: Callable[[str], bool]) -> None:
        wrong.extend(said for _ in range(5) if not right(said := trial.why_stopped(user(content), answered=False)))

    threads = [threading.Thread(target=ask, args=("words " * at, lambda said: not said)) for at in range(3)]
    threads.append(threading.Thread(target=ask, args=("boom", lambda said: "MiB" in said)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    if (forked := os.fork()) == 0:
        os._exit(int(bool(trial.why_stopped(user("words"), answered=False))))
    assert os.waitpid(forked, 0)[1] == 0
    assert trial.why_stopped(user("words"), answered=False) == ""


def test_the_child_ends_with_its_trial() -> None:
    trial = TemplateTrial("words", {}, SHORT)
    child = trial._child
    assert child is not None
    assert child.poll() is None
    del trial
    assert child.poll() is not None
