"""The reward looks at the verdict and at nothing else."""

import pytest

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.comparison import Side
from reasrm.training.rewards.verdict_reward import RewardRule, cut_at_stop, reply_reward, reward_function

FULL = PromptVariant.FULL


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
    assert reply_reward(reply, Side.A, RewardRule.VERDICT, FULL) == reward


@pytest.mark.parametrize(
    ("reply", "reward"),
    [
        ("<type>Chat</type><eval>x</eval><answer>[[A]]</answer>", 2.0),
        ("<type>Chat</type><eval>x</eval><answer>[[B]]</answer>", 1.0),
        ("<answer>[[A]]</answer>", 1.0),
        ("<type>Chat</type><eval>x</eval>", 0.0),
    ],
)
def test_answer_and_format_count_one_each(reply: str, reward: float) -> None:
    assert reply_reward(reply, Side.A, RewardRule.ANSWER_AND_FORMAT, FULL) == reward


def test_a_reply_is_cut_where_engines_cut_it() -> None:
    assert cut_at_stop("x<answer>[[A]]</answer>tail</answer>") == "x<answer>[[A]]</answer>"
    assert cut_at_stop("no stop") == "no stop"


def test_the_function_that_trl_calls_logs_readable_replies_and_their_side() -> None:
    logged: dict[str, float] = {}
    replies = ["<answer>[[A]]</answer>", "<answer>[[B]]</answer>", "<answer>[[A]]</answer>", "?"]
    rewards = reward_function(RewardRule.VERDICT, FULL)(
        completions=[[{"role": "assistant", "content": reply}] for reply in replies],
        better=["A", "A", "B", "A"],
        log_metric=logged.__setitem__,
    )
    assert rewards == [1.0, -1.0, -1.0, -1.0]
    assert logged == {"readable": 0.75, "verdict_a_share": pytest.approx(2 / 3)}
