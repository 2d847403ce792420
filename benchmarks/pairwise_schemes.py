"""What each pairwise scheme costs per group of answers, and how far cheap ones agree with the full tournament.

Groups are K different answers of the miniature's world to one chat request of its test split. Each offers two features,
as answers of its pairs offer equally many, so that the judge is asked what it was trained for; the weights that the
request names give the true order (two of the six sums are equal). The greedy answer of a policy is stood in for by one
more answer drawn at random from the world.

Of each scheme: comparisons a group, seconds a group (a ledger of its own, the model loaded before), and Kendall's tau-b
of its rewards with those of the debiased tournament and with the true sums, each the mean over groups with a bootstrap
over groups. A group in which a side has one value alone has no tau: it counts 0 and is counted beside. What the scheme
itself loses stands beside it: the tau with the truth that it has behind a judge that is never wrong.

Run:  OMP_NUM_THREADS=1 python -m benchmarks.pairwise_schemes [--groups 60] [--seed 0] [--model grpo-full]
"""

import argparse
import math
import os
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import kendalltau

from benchmarks.judge_reference import print_table
from reasrm.evaluation.judge import Judge
from reasrm.evaluation.judge_opening import open_judge, open_scalar_judge
from reasrm.judging.prompt import PLAIN_COMPARISON
from reasrm.miniature import chat_families as chat
from reasrm.miniature.slices import Family
from reasrm.miniature.world import Split, random_question
from reasrm.policy.pairwise_rewards.group_rewards import AnswerGroup, JudgedGroups, group_rewards
from reasrm.policy.pairwise_rewards.registry import SCHEMES, scheme_named
from reasrm.policy.pairwise_rewards.scheme import Outcome, Scheme, ShownOrder
from reasrm.policy.reward_spread import reward_spread
from reasrm.records.ledger import Ledger
from reasrm.scoring.bootstrap import bootstrap_means
from reasrm.scoring.intervals import percentiles

FULL = "debiased_tournament"
OFFERED = 2
"""Features of each answer; of four there are six such answers."""
RESAMPLES = 2000


class TruthfulGroup(NamedTuple):
    """A group with the true worth of its answers."""

    group: AnswerGroup
    worth: list[int]
    anchor_worth: int


class MeasuredScheme(NamedTuple):
    """A scheme on all groups."""

    name: str
    judged: JudgedGroups
    seconds: float
    cpu_seconds: float


def groups_of_the_world(count: int, seed: int) -> list[TruthfulGroup]:
    """`count` groups on different requests, answers in an order of chance."""
    rng = random.Random(f"pairwise schemes {seed}")
    found: dict[str, TruthfulGroup] = {}
    while len(found) < count:
        question = random_question(Family.CHAT, Split.TEST, rng)
        offers = [offer for offer in chat.OFFERS if len(offer) == OFFERED]
        rng.shuffle(offers)
        topic, weights = chat.topic_of(question), chat.weights_for(question)
        answers = [chat.in_any_order(topic, offer, rng) for offer in offers]
        offered = rng.choice(offers)
        group = AnswerGroup(question, answers, chat.in_any_order(topic, offered, rng))
        worth = [chat.score(offer, weights) for offer in offers]
        found.setdefault(question, TruthfulGroup(group, worth, chat.score(offered, weights)))
    return list(found.values())


def measure(judge: Judge, scheme: Scheme, groups: Sequence[TruthfulGroup], folder: Path) -> MeasuredScheme:
    """Judge all groups by one scheme, with a ledger that holds nothing yet."""
    with Ledger(folder / f"{scheme.name}.jsonl") as ledger:
        began, used = time.perf_counter(), time.process_time()
        judged = group_rewards(judge, [one.group for one in groups], scheme, ledger)
        return MeasuredScheme(scheme.name, judged, time.perf_counter() - began, time.process_time() - used)


def faultless(scheme: Scheme, groups: Sequence[TruthfulGroup]) -> list[list[float]]:
    """The rewards behind a judge that knows the worth of each answer."""
    found = []
    for _, worth, anchor_worth in groups:
        values = [*worth, anchor_worth]
        outcomes: dict[ShownOrder, Outcome] = {}
        while wanted := scheme.next_round(len(worth), outcomes):
            outcomes |= {shown: _true_outcome(values[shown.first], values[shown.second]) for shown in wanted}
        found.append(scheme.rewards(len(worth), outcomes))
    return found


def _true_outcome(first: int, second: int) -> Outcome:
    return Outcome(0.5 if first == second else float(first > second), (first, second))


def agreement(rewards: Sequence[Sequence[float]], others: Sequence[Sequence[float]], seed: int) -> str:
    """Mean tau-b with its interval, and how many groups have none."""
    taus = [float(kendalltau(one, other).statistic) for one, other in zip(rewards, others, strict=True)]
    without = sum(math.isnan(tau) for tau in taus)
    values = np.asarray([0.0 if math.isnan(tau) else tau for tau in taus])
    low, high = percentiles(bootstrap_means(values, RESAMPLES, seed))
    return f"{values.mean():.2f} [{low:.2f}, {high:.2f}]" + (f", {without} without" if without else "")


def best_chosen(rewards: Sequence[Sequence[float]], groups: Sequence[TruthfulGroup], seed: int) -> str:
    """How often the highest reward is the truly best answer's; shared among answers with the same reward."""
    shares = []
    for values, (_, worth, _) in zip(rewards, groups, strict=True):
        top = [place for place, value in enumerate(values) if value == max(values)]
        shares.append(sum(worth[place] == max(worth) for place in top) / len(top))
    low, high = percentiles(bootstrap_means(np.asarray(shares), RESAMPLES, seed))
    return f"{np.mean(shares):.2f} [{low:.2f}, {high:.2f}]"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoints", type=Path, default=Path("data/checkpoints"))
    parser.add_argument("--model", default="grpo-full")
    parser.add_argument("--scalar", default="scalar_rm", help="the judge of own_scores")
    given = parser.parse_args()
    groups = groups_of_the_world(given.groups, given.seed)
    worth = [one.worth for one in groups]
    with (
        tempfile.TemporaryDirectory() as name,
        open_judge(given.checkpoints / given.model, max_new_tokens=96) as judge,
        open_scalar_judge(given.checkpoints / given.scalar) as scalar,
    ):
        for one in (judge, scalar):  # load both models
            list(one.judge([PLAIN_COMPARISON]))
        found = [
            measure(scalar if scheme.reads_scores else judge, scheme, groups, Path(name)) for scheme in SCHEMES.values()
        ]
    full = next(one for one in found if one.name == FULL).judged.rewards
    rows = [
        [
            one.name if not scheme_named(one.name).reads_scores else f"{one.name} ({given.scalar})",
            f"{one.judged.comparisons / len(groups):.1f}",
            f"{one.seconds / len(groups):.2f}",
            f"{one.cpu_seconds / len(groups):.2f}",
            str(one.judged.no_verdict),
            f"{reward_spread(one.judged.rewards).mean_sd:.2f}",
            str(reward_spread(one.judged.rewards).without_signal),
            "1" if one.name == FULL else agreement(one.judged.rewards, full, given.seed),
            agreement(one.judged.rewards, worth, given.seed),
            agreement(faultless(scheme_named(one.name), groups), worth, given.seed),
            best_chosen(one.judged.rewards, groups, given.seed),
        ]
        for one in found
    ]
    print(f"{len(groups)} groups of {len(worth[0])} answers, seed {given.seed}, load {os.getloadavg()[0]:.1f}\n")
    print_table(
        [
            "scheme", "comparisons a group", "seconds a group", "CPU seconds", "without verdict", "SD in a group",
            "groups without signal", "tau with the tournament", "tau with the truth", "of a faultless judge",
            "best answer on top",
        ],
        rows,
    )  # fmt: skip


if __name__ == "__main__":
    main()
