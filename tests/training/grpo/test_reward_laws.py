"""Laws of all reward terms together, on replies that were written to earn what they should not."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.training.grpo.group_trainer import in_both_orders
from reasrm.training.grpo.rewards.registry import REWARD_TERMS
from reasrm.training.grpo.rewards.sampled_replies import cut_at_stop

LEAST = {"verdict": -1.0, "answer": 0.0, "format": 0.0, "consistency": -1.0, "grounded": 0.0, "concise": 0.0}
MOST = dict.fromkeys(LEAST, 1.0)
GROUP, LIMIT = 6, 30
CHOSEN, REJECTED = "one fine cat . it sleeps", "two dogs . they bark"
PIECES = (
    *(
        "<type>",
        "Chat</type>",
        "<type>Chat</type>",
        "<eval>x</eval>",
        "<rubric>",
        "</rubric>",
        "<eval>",
        "</eval>",
        "<think>",
        "</think>",
        "both are fine ",
    ),
    *("<quote_A>", "</quote_A>", "<quote_B>", "</quote_B>", "<summary_A>", "</summary_A>", "", " ", ".", "one", "two"),
    *("fine cat", "dogs", "one fine cat . it sleeps", "they", "<answer>", "</answer>", "[[A]]", "[[B]]", "[[A]][[B]]"),
    *("<answer>[[A]]</answer>", "<answer>[[B]]</answer>", "<answer>[[B]]</answer>", "<answer>tie</answer>"),
    *("<quote_A>cat</quote_A>", "<quote_B>dogs</quote_B>", "<quote_A><answer>[[A]]</answer></quote_A>"),
)
REPLIES = st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), min_size=GROUP, max_size=GROUP)
TURNED = str.maketrans("AB", "BA")
"""What a reply says of the answers if each is called by the other's name."""


def earned(replies: list[str], *, better: str = "A") -> dict[str, list[float]]:
    """By term, what the replies of one group earn whose first half is shown the better answer as `better`."""
    texts = {better: CHOSEN, "B" if better == "A" else "A": REJECTED}
    first = {"better": better, "response_a": texts["A"], "response_b": texts["B"]}
    second = {"better": "AB"[better == "A"], "response_a": texts["B"], "response_b": texts["A"]}
    shown = in_both_orders([{**first, "swapped": second}] * GROUP, 0, GROUP)
    columns: dict[str, Any] = {key: [row[key] for row in shown] for key in (*first, "group")}
    columns |= {"prompt_variant": ["full"] * GROUP, "max_reply_tokens": [LIMIT] * GROUP}
    completions = [[{"role": "assistant", "content": reply}] for reply in replies]
    ids = [list(range(min(LIMIT, len(reply.split())))) for reply in replies]
    return {
        name: term(completions=completions, completion_ids=ids, log_metric=lambda *_: None, **columns)
        for name, term in REWARD_TERMS.items()
    }


def preferred(replies: list[str]) -> list[bool | None]:
    """Whether each reply prefers the better answer, as judging reads it; None without a verdict."""
    read = [read_verdict(cut_at_stop(reply)) for reply in replies]
    sides = ["A"] * (GROUP // 2) + ["B"] * (GROUP // 2)
    return [one.side == side if isinstance(one, Verdict) else None for one, side in zip(read, sides, strict=True)]


@given(replies=REPLIES)
def test_no_term_leaves_its_bounds_and_no_reply_without_a_verdict_earns_more_than_the_least(replies: list[str]) -> None:
    terms, sides = earned(replies), preferred(replies)
    assert terms.keys() == LEAST.keys()
    for name, rewards in terms.items():
        assert all(LEAST[name] <= reward <= MOST[name] for reward in rewards), name
        assert all(reward == LEAST[name] for reward, side in zip(rewards, sides, strict=True) if side is None), name


@given(replies=REPLIES)
def test_other_names_for_the_answers_change_no_reward(replies: list[str]) -> None:
    assert earned([reply.translate(TURNED) for reply in replies], better="B") == earned(replies)


WEIGHTS = st.fixed_dictionaries({name: st.integers(0, 8).map(lambda eighths: eighths / 8) for name in REWARD_TERMS})


@given(replies=REPLIES, weights=WEIGHTS)
def test_a_wrong_verdict_earns_no_more_than_a_right_one_while_the_other_weights_allow_it(
    replies: list[str], weights: dict[str, float]
) -> None:
    """2 verdict + answer >= format + 2 consistency + grounded + concise, as docs/training.md has it."""
    others = weights["format"] + 2 * weights["consistency"] + weights["grounded"] + weights["concise"]
    if 2 * weights["verdict"] + weights["answer"] < others:
        weights = weights | {"verdict": others / 2}
    terms, sides = earned(replies), preferred(replies)
    rewards = [sum(weights[name] * terms[name][at] for name in terms) for at in range(GROUP)]
    right = [reward for reward, side in zip(rewards, sides, strict=True) if side]
    wrong = [reward for reward, side in zip(rewards, sides, strict=True) if not side]
    assert not right or not wrong or min(right) >= max(wrong) - 1e-9


def test_beyond_that_bound_a_wrong_verdict_can_earn_more() -> None:
    """No smaller bound would do: a wrong verdict beside a right one can have all that each other term gives."""
    hollow = "<type>Chat</type><eval><quote_A>cat</quote_A><quote_B>dogs</quote_B></eval><answer>[[B]]</answer>"
    right = "well " * (LIMIT - 1) + "<answer>[[A]]</answer>"
    terms = earned([hollow, right, hollow, *["<answer>[[A]]</answer>"] * 3])
    gained = {name: rewards[0] - rewards[1] for name, rewards in terms.items()}
    assert gained == {
        "verdict": -2.0, "answer": -1.0, "format": 1.0, "consistency": 2.0, "grounded": 1.0, "concise": 1 - 1 / LIMIT
    }  # fmt: skip
