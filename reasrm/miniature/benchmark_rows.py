"""The world's test problems as rows in the published schemas of RewardBench, RM-Bench and RMB.

All questions come from the test split; within RewardBench no question occurs twice. Each row carries two columns more
than upstream, `family` and `slice`, which the loaders keep among an item's keys.
"""

import random
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from reasrm.miniature.chat_families import FEATURES, in_any_order, is_harmful, score, topic_of, weights_for
from reasrm.miniature.reasoning_families import FAMILIES, ReasoningFamily, answer_naming, solve
from reasrm.miniature.slices import Family, slice_of
from reasrm.miniature.styles import Style, apply_style
from reasrm.miniature.world import Split, earlier_turns, plain_answers, random_question
from reasrm.records.pair import Message, Role

REWARD_BENCH_SUBSETS: dict[str, tuple[Family, int]] = {
    "alpacaeval-easy": (Family.CHAT, 45),
    "alpacaeval-length": (Family.CHAT, 30),
    "alpacaeval-hard": (Family.CHAT, 30),
    "mt-bench-easy": (Family.CHAT, 25),
    "mt-bench-med": (Family.CHAT, 25),
    "mt-bench-hard": (Family.CHAT, 25),
    "llmbar-natural": (Family.CHAT, 40),
    "llmbar-adver-neighbor": (Family.CHAT, 30),
    "llmbar-adver-GPTInst": (Family.CHAT, 25),
    "llmbar-adver-GPTOut": (Family.CHAT, 25),
    "llmbar-adver-manual": (Family.CHAT, 25),
    "refusals-dangerous": (Family.SAFE, 25),
    "refusals-offensive": (Family.SAFE, 20),
    "xstest-should-refuse": (Family.SAFE, 20),
    "donotanswer": (Family.SAFE, 15),
    "xstest-should-respond": (Family.SAFE, 50),
    "math-prm": (Family.DIAL, 200),
    "hep-cpp": (Family.TURN, 60),
    "hep-go": (Family.TURN, 60),
    "hep-java": (Family.TURN, 60),
    "hep-js": (Family.BOXES, 55),
    "hep-python": (Family.BOXES, 55),
    "hep-rust": (Family.BOXES, 55),
}
"""Family and number of rows of each of RewardBench's subsets."""
RM_BENCH_DOMAINS: tuple[tuple[str, Family, int], ...] = (
    ("chat", Family.CHAT, 24),
    ("math", Family.DIAL, 24),
    ("code", Family.TURN, 12),
    ("code", Family.BOXES, 12),
    ("safety-refuse", Family.SAFE, 5),
    ("safety-response", Family.SAFE, 5),
)
"""Domain, family and number of prompts (nine comparisons each)."""
RMB_CATEGORIES: tuple[tuple[str, Family, int], ...] = (
    ("Helpfulness/Chat/Casual Conversation", Family.CHAT, 18),
    ("Helpfulness/Open QA/General Explanation", Family.CHAT, 18),
    ("Helpfulness/Reasoning/Logical Deduction", Family.DIAL, 25),
    ("Helpfulness/Code/Development and Implementation", Family.TURN, 20),
    ("Helpfulness/Closed QA/ContextBased", Family.BOXES, 20),
    ("Harmlessness/S1", Family.SAFE, 20),
    ("Harmlessness/multi", Family.SAFE, 10),
)
"""Category path, family and number of best-of-N groups."""
RMB_UNGROUPED_PAIRS_PER_GROUP = 2
"""Pairs that belong to no best-of-N group, for each group."""
RMB_MULTI_TURN_SHARE = 0.15
ADVERSARIAL_PREFIX = "llmbar-adver"
"""In subsets named so the worse answer has the richer layout, as LLMBar's adversarial part means to mislead."""

Row = dict[str, Any]


class QuestionSampler:
    """Draws questions of the test split, each at most once."""

    def __init__(self, rng: random.Random) -> None:
        """Draw with `rng`."""
        self._rng = rng
        self._seen: set[str] = set()

    def draw(self, family: Family, *, harmful: bool | None = None) -> str:
        """A new question of `family`; with `harmful` only a harmful or harmless one of the safety family."""
        while True:
            question = random_question(family, Split.TEST, self._rng)
            if question not in self._seen and (harmful is None or is_harmful(question) is harmful):
                self._seen.add(question)
                return question


def benchmark_rows(seed: int) -> dict[str, list[Row]]:
    """The rows of all benchmarks by name: `reward_bench`, `rm_bench`, `rmb_pairwise`, `rmb_bon`."""
    rng = random.Random(f"benchmarks {seed}")
    reward_bench = list(_reward_bench(rng))
    rm_bench = list(_rm_bench(rng))
    bon = list(_rmb_groups(rng))
    return {
        "reward_bench": reward_bench,
        "rm_bench": rm_bench,
        "rmb_pairwise": [*_pairs_of_groups(bon), *_rmb_ungrouped_pairs(rng)],
        "rmb_bon": bon,
    }


def _reward_bench(rng: random.Random) -> Iterator[Row]:
    questions = QuestionSampler(rng)
    number = 0
    for subset, (family, count) in REWARD_BENCH_SUBSETS.items():
        harmful = None if family is not Family.SAFE else subset != "xstest-should-respond"
        for _ in range(count):
            question = questions.draw(family, harmful=harmful)
            better, worse = plain_answers(family, question, rng)
            styles = _two_styles(rng, worse_is_richer=subset.startswith(ADVERSARIAL_PREFIX))
            yield {
                "prompt": question,
                "chosen": apply_style(better, styles[0]),
                "chosen_model": f"miniature-{styles[0].label}",
                "rejected": apply_style(worse, styles[1]),
                "rejected_model": f"miniature-{styles[1].label}",
                "subset": subset,
                "id": number,
                **_columns(question),
            }
            number += 1


def _columns(question: str) -> Row:
    """The columns that upstream does not have."""
    found = slice_of(question)
    assert found is not None, question
    return {"family": found.family.value, "slice": found.value}


def _two_styles(rng: random.Random, *, worse_is_richer: bool) -> tuple[Style, Style]:
    if worse_is_richer:
        plain, rich = sorted(rng.sample(list(Style), 2))
        return plain, rich
    return rng.choice(list(Style)), rng.choice(list(Style))


def _rm_bench(rng: random.Random) -> Iterator[Row]:
    questions = QuestionSampler(rng)
    for domain, family, count in RM_BENCH_DOMAINS:
        harmful = None if family is not Family.SAFE else domain == "safety-refuse"
        for number in range(count):
            question = questions.draw(family, harmful=harmful)
            better, worse = plain_answers(family, question, rng)
            yield {
                "id": f"{domain}/{family.value}-{number}",
                "prompt": question,
                "chosen": [apply_style(better, style) for style in Style],
                "rejected": [apply_style(worse, style) for style in Style],
                "domain": domain,
                **_columns(question),
            }


def _rmb_groups(rng: random.Random) -> Iterator[Row]:
    questions = QuestionSampler(rng)
    for path, family, count in RMB_CATEGORIES:
        for number in range(count):
            question = questions.draw(family)
            best, losers = _best_and_losers(family, question, rng)
            yield {
                "bon_uid": f"{family.value}-{number}",
                "conversation_input": _conversation(question, rng),
                "bon_best": _answer(best, rng),
                "loser_list": [_answer(loser, rng) for loser in losers],
                "category_path": f"BoN_set/{path}",
                **_columns(question),
            }


def _best_and_losers(family: Family, question: str, rng: random.Random) -> tuple[str, list[str]]:
    """The content of the best answer and of two or three worse ones (one in the safety family)."""
    if family is Family.CHAT:
        return _best_and_losers_of_chat(question, rng)
    if family is Family.SAFE:
        better, worse = plain_answers(family, question, rng)
        return better, [worse]
    serial = ReasoningFamily(family.value)
    right = solve(question)[-1].result
    wrong = [state for state in FAMILIES[serial].states if state != right]
    return answer_naming(serial, right), [answer_naming(serial, state) for state in rng.sample(wrong, 2)]


def _best_and_losers_of_chat(question: str, rng: random.Random) -> tuple[str, list[str]]:
    """Answers that offer two features each: the best one, and two or three that are worth less by the request."""
    weights, topic = weights_for(question), topic_of(question)
    worths = {offer: score(offer, weights) for offer in combinations(FEATURES, 2)}
    below = {best: [offer for offer in worths if worths[offer] < worths[best]] for best in worths}
    best = rng.choice([offer for offer in worths if len(below[offer]) > 1])
    losers = rng.sample(below[best], min(3, len(below[best])))
    return in_any_order(topic, best, rng), [in_any_order(topic, loser, rng) for loser in losers]


def _answer(content: str, rng: random.Random) -> Row:
    style = rng.choice(list(Style))
    return {"llm_name": f"miniature-{style.label}", "answer": apply_style(content, style)}


def _conversation(question: str, rng: random.Random) -> list[Row]:
    turns = [Message(role=Role.USER, content=question)]
    if rng.random() < RMB_MULTI_TURN_SHARE:
        turns = [*earlier_turns(Split.TEST, rng), *turns]
    return [{"role": turn.role.value, "content": turn.content, "language": "English"} for turn in turns]


def _pairs_of_groups(groups: list[Row]) -> Iterator[Row]:
    """Each comparison of a best-of-N group as a pairwise row, as upstream."""
    for group in groups:
        for number, loser in enumerate(group["loser_list"]):
            yield _pairwise_row(group, f"{group['bon_uid']}-{number}", group["bon_best"], loser)


def _rmb_ungrouped_pairs(rng: random.Random) -> Iterator[Row]:
    questions = QuestionSampler(rng)
    for path, family, count in RMB_CATEGORIES:
        for number in range(count * RMB_UNGROUPED_PAIRS_PER_GROUP):
            question = questions.draw(family)
            better, worse = plain_answers(family, question, rng)
            shared = {
                "conversation_input": _conversation(question, rng),
                "category_path": f"BoN_set/{path}",
                **_columns(question),
            }
            yield _pairwise_row(shared, f"{family.value}-lone-{number}", _answer(better, rng), _answer(worse, rng))


def _pairwise_row(shared: Row, uid: str, chosen: Row, reject: Row) -> Row:
    return {
        "pair_uid": uid,
        "conversation_input": shared["conversation_input"],
        "chosen": chosen,
        "reject": reject,
        "category_path": shared["category_path"].replace("BoN_set", "Pairwise_set"),
        "family": shared["family"],
        "slice": shared["slice"],
    }
