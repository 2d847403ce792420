"""The terms beside the verdict: agreement of the two orders, true quotations, few tokens; by hand and by law."""

import random
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reasrm.training.grpo.group_trainer import in_both_orders
from reasrm.training.grpo.rewards.registry import REWARD_TERMS
from tests.training.grpo.group_trainers import settings, trainer

A, B, NONE = "<answer>[[A]]</answer>", "<answer>[[B]]</answer>", "no verdict"
CAT, DOGS = "<quote_A>fine cat</quote_A>", "<quote_B>two dogs</quote_B>"


def earned(term: str, replies: list[str], **columns: Any) -> list[float]:
    """What replies earn; a column that is not given holds nothing that any term reads."""
    given: dict[str, Any] = {"better": ["A"] * len(replies), "prompt_variant": ["full"] * len(replies)}
    return REWARD_TERMS[term](
        completions=[[{"role": "assistant", "content": reply}] for reply in replies],
        completion_ids=[list(range(len(reply.split()))) for reply in replies],
        log_metric=lambda name, value: None,
        **given | columns,
    )


def consistency(replies: list[str], size: int) -> list[float]:
    """Of groups with the better answer first in the first half and second in the other."""
    rows = [{"better": "A", "swapped": {"better": "B"}} for _ in replies]
    shown = in_both_orders(rows, 0, size)
    return earned("consistency", replies, **{key: [row[key] for row in shown] for key in ("better", "group")})


@pytest.mark.parametrize(
    ("first_order", "second_order", "expected"),
    [
        ([A, A], [B, B], [1, 1, 1, 1]),  # the better answer in both orders
        ([B, B], [A, A], [1, 1, 1, 1]),  # the worse one in both: agreement is all that counts
        ([A, A], [A, A], [-1, -1, -1, -1]),  # always the first
        ([A, B], [B, B], [1, -1, 0, 0]),  # to a tie nobody agrees or disagrees
        ([A, NONE], [B, NONE], [1, -1, 1, -1]),  # who says nothing is not counted and earns the worst
        ([A, B], [NONE, NONE], [0, 0, -1, -1]),
    ],
)
def test_a_reply_agrees_with_the_majority_of_the_other_order(
    first_order: list[str], second_order: list[str], expected: list[float]
) -> None:
    assert consistency(first_order + second_order, 4) == expected


VERDICTS = st.lists(st.sampled_from([A, B, NONE]), min_size=6, max_size=6)


@given(groups=st.lists(VERDICTS, min_size=1, max_size=4))
def test_groups_do_not_see_each_other_and_who_is_right_does_not_count(groups: list[list[str]]) -> None:
    alone = [consistency(group, 6) for group in groups]
    assert consistency([*chain(*groups)], 6) == [*chain(*alone)]
    turned = {A: B, B: A, NONE: NONE}
    assert consistency([turned[reply] for group in groups for reply in group], 6) == [*chain(*alone)]
    for group, rewards in zip(groups, alone, strict=True):
        other_first = consistency([turned[reply] for reply in (*group[3:], *group[:3])], 6)
        assert other_first == [*rewards[3:], *rewards[:3]]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (f"<eval>{CAT} and {DOGS}</eval>{A}", 1.0),
        (f"<eval>{CAT} and {DOGS}</eval>{B}", 1.0),  # right or wrong
        (f"<eval>{CAT} and {DOGS}</eval>", 0.0),  # no verdict
        (f"<eval>{CAT}</eval>{A}", 0.0),  # one side
        (f"<eval>{CAT} and <summary_B>dogs</summary_B></eval>{A}", 0.0),
        (f"<eval>{CAT} and {DOGS}<quote_B>three dogs</quote_B></eval>{A}", 0.0),  # one invention among true ones
        (f"<eval>{CAT} and <quote_B>fine cat</quote_B></eval>{A}", 0.0),  # the other answer's words
        (f"<think>{CAT}{DOGS}</think>{A}", 0.0),  # only thought
        (f"{A}{CAT}{DOGS}", 0.0),  # behind the verdict
        (f"<think><quote_A>nothing</quote_A></think>{CAT}{DOGS}{A}", 1.0),
    ],
)
def test_a_grounded_reply_quotes_both_answers_and_nothing_else(reply: str, expected: float) -> None:
    assert earned("grounded", [reply], response_a=["one fine cat"], response_b=["two dogs"]) == [expected]


def group_of(made: Any, first: int) -> list[dict[str, Any]]:
    """Rows of the dataset as a generation takes them, four for each prompt."""
    return [dict(made.train_dataset[at]) for at in range(first, first + 2) for _ in range(4)]


@pytest.mark.slow
def test_the_trainer_hands_each_term_what_it_reads(tmp_path: Path) -> None:
    """Each order has its own answers, a group its number, a reply its tokens; by the trainer's own calculation."""
    weights = {"verdict": 1.0, "consistency": 0.2, "grounded": 0.2, "concise": 0.2}
    chosen = settings(rewards=weights, orders="both_in_group", max_reply_tokens=40)
    made = trainer(tmp_path, chosen, judged=True)
    rows = in_both_orders(group_of(made, 0), 0, 4)

    def judgment(row: dict[str, Any], side: str) -> str:
        quotes = (f"<quote_{at}>{row[f'response_{at.lower()}']}</quote_{at}>" for at in "AB")
        return f"<eval>{''.join(quotes)}</eval><answer>[[{side}]]</answer>"

    replies = [judgment(row, row["better"]) for row in rows[:4]] + [judgment(row, "A") for row in rows[4:]]
    tokenizer = made.processing_class
    ids = [[*tokenizer(reply)["input_ids"], tokenizer.eos_token_id] for reply in replies]
    completions = [[{"role": "assistant", "content": reply}] for reply in replies]
    terms = made._calculate_rewards(rows, [row["prompt"] for row in rows], completions, ids)
    verdict, consistency, grounded, concise = terms.T.tolist()
    assert verdict == [1.0 if row["better"] in reply[-14:] else -1.0 for row, reply in zip(rows, replies, strict=True)]
    assert consistency == [1.0] * 4 + [-1.0] * 4
    assert grounded == [1.0] * 8
    assert concise == pytest.approx([1 - len(row) / 40 for row in ids])


@pytest.mark.slow
def test_what_the_terms_read_changes_no_sampled_reply_and_no_other_reward(tmp_path: Path) -> None:
    chosen, batches = settings(batch_size=8), []
    for number, columns in enumerate(((), ("response_a", "response_b", "max_reply_tokens"))):
        made = trainer(tmp_path / str(number), chosen)
        rows = [{name: value for name, value in row.items() if name not in columns} for row in group_of(made, 0)]
        batches.append(made._generate_and_score_completions(rows))
    for name in ("prompt_ids", "completion_ids", "advantages"):
        assert torch.equal(batches[0][name], batches[1][name])


WORDS = st.text("abc ", min_size=1, max_size=12).filter(str.strip)


@given(answers=st.tuples(WORDS, WORDS), draw=st.randoms(use_true_random=False))
def test_any_passages_of_both_answers_are_grounded_whichever_is_called_a(
    answers: tuple[str, str], draw: random.Random
) -> None:
    words = [draw.choice(answer.split()) for answer in answers]
    reply = f"<quote_A>{words[0]}</quote_A><quote_B>{words[1]}</quote_B>{A}"
    turned = f"<quote_A>{words[1]}</quote_A><quote_B>{words[0]}</quote_B>{B}"
    columns = {"response_a": [answers[0], answers[1]], "response_b": [answers[1], answers[0]]}
    assert earned("grounded", [reply, turned], **columns) == [1.0, 1.0]
    invented = reply.replace(A, f"<quote_A>{words[0]} d</quote_A>{A}")
    assert earned("grounded", [invented], response_a=[answers[0]], response_b=[answers[1]]) == [0.0]


def test_a_concise_reply_loses_the_share_of_the_limit_that_it_takes() -> None:
    replies = [f"one two {A}", f"one {A}", A, "one two three", "", f"{' x' * 19} {A}"]
    assert earned("concise", replies, max_reply_tokens=[20] * 6) == pytest.approx([0.85, 0.9, 0.95, 0.0, 0.0, 0.0])


@given(lengths=st.lists(st.integers(1, 40), min_size=2, max_size=6), most=st.integers(40, 60))
def test_fewer_tokens_earn_more_and_any_verdict_more_than_none(lengths: list[int], most: int) -> None:
    replies = [f"{'x ' * (length - 1)}{B}" for length in lengths]
    rewards = earned("concise", [*replies, NONE], max_reply_tokens=[most] * (len(lengths) + 1))
    *readable, unreadable = rewards
    assert unreadable == 0.0
    assert all(unreadable <= reward < 1.0 for reward in readable)
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    assert [readable[at] for at in order] == sorted(readable, reverse=True)
