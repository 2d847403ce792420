"""Each reward term looks at what it says and at nothing else; together they are the paper's rewards."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.inference.engine import Prompt
from reasrm.inference.replies import DrawnTokens, reply_from_tokens
from reasrm.inference.stop_tokens import StopTokens
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.thought_marks import THOUGHT_MARKS, ThoughtMark
from reasrm.judging.trace_structure import is_grounded, read_structure
from reasrm.judging.verdict import STOP, Verdict, read_verdict
from reasrm.records.reply import Finish
from reasrm.training.grpo.rewards.registry import REWARD_TERMS
from reasrm.training.grpo.rewards.sampled_replies import as_judged, cut_at_stop


def asked(replies: list[str], better: str = "A", variant: str = "full") -> dict[str, Any]:
    """What TRL calls a reward term with; words stand for tokens."""
    return {
        "completions": [[{"role": "assistant", "content": reply}] for reply in replies],
        "completion_ids": [list(range(len(reply.split()))) for reply in replies],
        "better": [better] * len(replies),
        "prompt_variant": [variant] * len(replies),
        "response_a": ["one fine cat"] * len(replies),
        "response_b": ["two dogs"] * len(replies),
        "max_reply_tokens": [20] * len(replies),
        "group": [0] * len(replies),
        "log_metric": lambda name, value: None,
    }


def rewards(replies: list[str], weights: dict[str, float], *, better: str = "A", variant: str = "full") -> list[float]:
    """The weighted sum that TRL forms, for each reply."""
    columns = asked(replies, better, variant)
    terms = [[weight * reward for reward in REWARD_TERMS[name](**columns)] for name, weight in weights.items()]
    return [sum(earned) for earned in zip(*terms, strict=True)]


@pytest.mark.parametrize(
    ("reply", "reward"),
    [
        ("<type>Chat</type><eval>A is good</eval><answer>[[A]]</answer>", 1.0),
        ("<answer>[[A]]</answer> and then <answer>[[B]]</answer>", 1.0),
        ("<answer>[[B]]</answer>", -1.0),
        ("[[A]]", -1.0),
        ("<answer>[[A]]", -1.0),
        ("", -1.0),
        ("<eval><quote_B><answer>[[A]]</answer></quote_B></eval>", -1.0),
    ],
)
def test_plus_or_minus_one_by_the_verdict(reply: str, reward: float) -> None:
    assert rewards([reply], {"verdict": 1.0}) == [reward]


@pytest.mark.parametrize(
    ("reply", "reward"),
    [
        ("<type>Chat</type><eval>x</eval><answer>[[A]]</answer>", 2.0),
        ("<type>Chat</type><eval>x</eval><answer>[[B]]</answer>", 1.0),
        ("<answer>[[A]]</answer>", 1.0),
        ("<type>Chat</type><eval>x</eval>", 0.0),
        ("<answer>[[A]]</answer><type>Chat</type><eval>x</eval>", 1.0),
    ],
)
def test_answer_and_format_count_one_each(reply: str, reward: float) -> None:
    assert rewards([reply], {"answer": 1.0, "format": 1.0}) == [reward]


@pytest.mark.parametrize("variant", list(PromptVariant))
def test_the_demanded_form_is_that_of_the_prompt(variant: PromptVariant) -> None:
    replies = [
        "<answer>[[A]]</answer>",
        "<rubric>x</rubric><eval>x</eval><answer>[[A]]</answer>",
        "<type>Chat</type><rubric>x</rubric><eval>x</eval><answer>[[A]]</answer>",
    ]
    finer = replies[2].replace("Chat", "Logic")
    expected = {
        PromptVariant.FULL: [0.0, 0.0, 1.0, 0.0],
        PromptVariant.FULL_CATEGORIES: [0.0, 0.0, 0.0, 1.0],
        PromptVariant.RUBRICS: [0.0, 1.0, 1.0, 1.0],
    }
    found = rewards([*replies, finer], {"format": 1.0}, variant=variant.value)
    assert found == expected.get(variant, [1.0, 1.0, 1.0, 1.0])


@pytest.mark.parametrize(
    "hollow",
    [
        "<type><eval><answer>[[A]]</answer>",
        "<type>Chat</type><eval><answer>[[A]]</answer>",
        "<type>Chat</type><eval> </eval><answer>[[A]]</answer>",
        "<type></type><eval>x</eval><answer>[[A]]</answer>",
        "<type>anything</type><eval>x</eval><answer>[[A]]</answer>",
        "<quote_A><type>Chat</type></quote_A><eval>x</eval><answer>[[A]]</answer>",
        "<type>Chat</type><quote_A><eval>x</eval></quote_A><answer>[[A]]</answer>",
        "<think><type>Chat</type><eval>x</eval></think><answer>[[A]]</answer>",
    ],
)
def test_tags_that_hold_nothing_or_are_quoted_are_no_form(hollow: str) -> None:
    assert rewards([hollow], {"format": 1.0}) == [0.0]


def test_a_part_may_hold_nothing_but_quotations_however_they_are_closed() -> None:
    quoting = "<type>Chat</type><eval><quote_A>one</quote_A><quote_B>two</eval><answer>[[A]]</answer>"
    assert rewards([quoting], {"format": 1.0}) == [1.0]


def test_a_reply_is_cut_where_engines_cut_it() -> None:
    assert cut_at_stop("x<answer>[[A]]</answer>tail</answer>") == "x<answer>[[A]]</answer>"
    assert cut_at_stop("no stop") == "no stop"


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("verdict", [1.0, -1.0, -1.0, -1.0]),
        ("answer", [1.0, 0.0, 0.0, 0.0]),
        ("format", [1.0, 1.0, 1.0, 0.0]),
    ],
)
def test_a_term_that_reads_verdicts_logs_how_many_there_are_and_their_side(term: str, expected: list[float]) -> None:
    logged: dict[str, float] = {}
    replies = ["<answer>[[A]]</answer>", "<answer>[[B]]</answer>", "<answer>[[A]]</answer>", "?"]
    earned = REWARD_TERMS[term](
        completions=[[{"role": "assistant", "content": reply}] for reply in replies],
        better=["A", "A", "B", "A"],
        prompt_variant=["plain"] * 4,
        log_metric=logged.__setitem__,
    )
    assert earned == expected
    assert logged == {"readable": 0.75, "verdict_a_share": pytest.approx(2 / 3)}


@pytest.mark.parametrize("term", REWARD_TERMS)
def test_every_term_gives_each_reply_a_number(term: str) -> None:
    replies = ["<answer>[[A]]</answer>", "<answer>[[B]]</answer>", "", "words without a verdict"]
    earned = REWARD_TERMS[term](**asked(replies))
    assert len(earned) == len(replies)
    assert all(math.isfinite(reward) for reward in earned)


def sampled(tokenizer: Any, replies: list[str]) -> dict[str, Any]:
    """What TRL calls a reward term with: tokens that end the turn, and the text without special tokens."""
    ids = [[*tokenizer(reply, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id] for reply in replies]
    texts = tokenizer.batch_decode(ids, skip_special_tokens=True)
    return asked(texts) | {"completion_ids": ids}


@pytest.mark.parametrize("mark", THOUGHT_MARKS, ids=lambda mark: mark.start)
def test_a_verdict_that_an_opened_thought_rehearses_earns_nothing(tokenizer: Any, mark: ThoughtMark) -> None:
    replies = ["So <answer>[[A]]</answer>", f"So <answer>[[B]]</answer>{mark.closing}<answer>[[A]]</answer>"]
    term = as_judged(REWARD_TERMS["verdict"], tokenizer, mark.start)
    assert term(**sampled(tokenizer, replies)) == [-1.0, 1.0]
    assert term.__name__ == "verdict_reward"


def test_a_thought_between_special_tokens_earns_nothing(thinking_tokenizer: Any) -> None:
    """TRL's own text of these replies has no `<think>` in it."""
    replies = ["<think>so <answer>[[A]]</answer>", "<think>so <answer>[[B]]</answer></think><answer>[[A]]</answer>"]
    given = sampled(thinking_tokenizer, replies)
    assert not any("think" in completion[0]["content"] for completion in given["completions"])
    assert as_judged(REWARD_TERMS["verdict"], thinking_tokenizer, "")(**given) == [-1.0, 1.0]
    said = ["<think><type>Chat</type><eval>x</eval></think><answer>[[A]]</answer>"]
    given = sampled(thinking_tokenizer, said)
    assert as_judged(REWARD_TERMS["format"], thinking_tokenizer, "")(**given) == [0.0]


PIECES = (
    *("<think>", "</think>", "[THINK]", "[/THINK]", "<|channel|>", "<|message|>", "<answer>[[A]]</answer>", "so "),
    *("<answer>[[B]]</answer>", "<answer>", "[[A]]", "</answer>", "<quote_A>", "</quote_A>", "</quote_B>", "\n"),
    *("<quote_A>cat</quote_A>", "<quote_B>dogs</quote_B>", "<quote_A>cat</quote_A><quote_B>dogs</quote_B>"),
)
SAMPLED = st.tuples(st.lists(st.sampled_from(PIECES), max_size=9).map("".join), st.booleans())


@pytest.mark.parametrize("vocabulary", ["tokenizer", "thinking_tokenizer"])
@given(sampled=st.lists(SAMPLED, min_size=1, max_size=5), opened=st.sampled_from(["", "<think>\n", "[THINK]"]))
def test_a_reply_earns_what_it_is_judged_to_say(
    vocabulary: str, sampled: list[tuple[str, bool]], opened: str, request: pytest.FixtureRequest
) -> None:
    """Whatever it thinks or quotes, whether or not the template opens the thought, ended or cut off."""
    tokenizer = request.getfixturevalue(vocabulary)
    ids = [
        [*tokenizer(text, add_special_tokens=False)["input_ids"], *([tokenizer.eos_token_id] if ended else [])]
        for text, ended in sampled
    ]
    judged, grounded, stops = [], [], StopTokens(tokenizer, STOP, len(tokenizer), [tokenizer.eos_token_id])
    for row, (_, ended) in zip(ids, sampled, strict=True):
        end = next((n for n in range(1, len(row) + 1) if stops.reached(row[:n], opened)), len(row))
        finish = Finish.STOP if ended or end < len(row) else Finish.LENGTH
        drawn = DrawnTokens(row[:end], None, finish, end)
        reply = reply_from_tokens(tokenizer, drawn, Prompt((), opened=opened), STOP)
        read = read_verdict(reply.text, reply.finish)
        judged.append(1.0 if isinstance(read, Verdict) and read.side == "A" else -1.0)
        structure = read_structure(reply.text)
        grounded.append(float(isinstance(read, Verdict) and is_grounded(structure, "one fine cat", "two dogs")))
    columns = asked([text for text, _ in sampled]) | {"completion_ids": ids}
    assert as_judged(REWARD_TERMS["verdict"], tokenizer, opened)(**columns) == judged
    assert as_judged(REWARD_TERMS["grounded"], tokenizer, opened)(**columns) == grounded


def test_what_may_go_on_inside_a_quotation_earns_nothing_where_the_limit_cut_it_off(tokenizer: Any) -> None:
    text = "<quote_A>never closed\n<answer>[[A]]</answer>"
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    columns = asked([text, text]) | {"completion_ids": [ids, [*ids, tokenizer.eos_token_id]]}
    assert as_judged(REWARD_TERMS["verdict"], tokenizer, "")(**columns) == [-1.0, 1.0]
