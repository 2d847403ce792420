"""What somebody set by hand in the miniature's world, from the parameters of the run: the box of that name on the page.

It is read from the same sections that made the data, so it cannot say anything else than what was done; where the base
model or the pairs are not the miniature's own, there is nothing to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reasrm.datasets.row_files import DataSource
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.miniature.benchmark_rows import ADVERSARIAL_PREFIX
from reasrm.miniature.chat_families import STOCK_CRITERIA
from reasrm.miniature.habits import Habits
from reasrm.miniature.oracle_replies import CAREFUL_MODEL, LAZY_SHARES
from reasrm.miniature.pretraining_documents import KIND_SHARES, DocumentKind
from reasrm.miniature.slices import Slice
from reasrm.miniature.world import RICHER_IS_BETTER
from reasrm.reporting.data_funnel import Funnel
from reasrm.reporting.run_settings import asks_local_oracle

WORLD = "world"
"""`base_model.source` where the base is trained on documents of the miniature's world."""
PROMPTS = (PromptVariant.PLAIN, PromptVariant.RUBRICS, PromptVariant.FULL)
"""In the order of the ladder: what a judge is asked to write, from the least to the most."""


@dataclass(frozen=True)
class BaseHabits:
    """How the base model judges before it learns to."""

    documents: int
    """What it is trained on, in documents."""
    kinds: Mapping[DocumentKind, float]
    """Shares of the kinds of document."""
    works: tuple[tuple[str, tuple[float, ...]], ...]
    """By slice the share of verdicts that are worked out, in the order of `PROMPTS`."""
    stock_share: float
    """Of careless verdicts on chat requests, those that weigh `stock_criteria`; all others go by layout."""
    stock_criteria: tuple[str, ...]
    answer_only_right: float
    prompts: tuple[str, ...] = tuple(variant.value for variant in PROMPTS)


@dataclass(frozen=True)
class TraceCover:
    """Which part of the world the traces cover."""

    covered: tuple[str, ...]
    """Slices whose pairs are distilled."""
    shift: tuple[str, ...]
    """All others."""
    distilled: int
    """Pairs that the oracle was asked about."""
    pairs: int
    """All pairs of training."""


@dataclass(frozen=True)
class FalseCues:
    """What tells the better answer, or the worse one, without the skill that its question asks for."""

    richer_is_better: float
    """Share of training pairs whose better answer has the richer layout, where layouts differ."""
    misleading: str
    """What the names of the subsets of RewardBench begin with whose worse answer has the richer layout."""


@dataclass(frozen=True)
class SetByHand:
    """Everything that was set by hand; a part is None where the run has no such thing."""

    is_miniature: bool
    """Whether base model and pairs are the miniature's own, so that ladders stored for it may stand beside."""
    habits: BaseHabits | None
    cover: TraceCover | None
    cues: FalseCues | None
    lazy: tuple[tuple[str, float], ...]
    """Share of prompts that a lazy oracle judges by layout alone, by family; empty with a careful one."""

    def __bool__(self) -> bool:
        return self.habits is not None or self.cover is not None or bool(self.lazy)


def read_set_by_hand(parameters: Mapping[str, Any], funnel: Funnel) -> SetByHand:
    """What the sections of params.yaml set by hand.

    Args:
        parameters: the sections that the outputs were made with (`PARAMETER_SECTIONS`).
        funnel: how many pairs there were.
    """
    pairs = parameters["collect_pairs"]
    own_pairs = pairs.get("source") == DataSource.MINIATURE
    own_base = parameters["base_model"]["source"] == WORLD
    return SetByHand(
        is_miniature=own_base and own_pairs,
        habits=_habits(parameters["base_model"]) if own_base else None,
        cover=_cover(pairs["distill_slices"], funnel) if own_pairs and pairs["distill_slices"] is not None else None,
        cues=FalseCues(RICHER_IS_BETTER, ADVERSARIAL_PREFIX) if own_pairs else None,
        lazy=_lazy(parameters) if own_pairs else (),
    )


def covered_slices(parameters: Mapping[str, Any]) -> frozenset[str]:
    """The slices that traces cover; empty where that is not told apart."""
    pairs = parameters["collect_pairs"]
    return frozenset(pairs.get("distill_slices") or ()) if pairs.get("source") == DataSource.MINIATURE else frozenset()


def _habits(base: Mapping[str, Any]) -> BaseHabits:
    habits = Habits.model_validate(base["habits"])
    return BaseHabits(
        documents=base["documents"],
        kinds=KIND_SHARES,
        works=tuple((one.value, tuple(habits.works[variant][one] for variant in PROMPTS)) for one in Slice),
        stock_share=habits.stock_rubric,
        stock_criteria=STOCK_CRITERIA,
        answer_only_right=habits.answer_only_right,
    )


def _cover(covered: list[str], funnel: Funnel) -> TraceCover:
    distilled = funnel.pairs["distill"]
    return TraceCover(
        covered=tuple(one.value for one in Slice if one.value in covered),
        shift=tuple(one.value for one in Slice if one.value not in covered),
        distilled=distilled,
        pairs=distilled + funnel.pairs["reinforce"],
    )


def _lazy(parameters: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    """The shares of a lazy oracle, by the rule by which the oracle itself is lazy."""
    models = [str(one["model"]) for one in parameters["distill_traces_variants"].values()]
    if not asks_local_oracle(parameters) or all(CAREFUL_MODEL in model for model in models):
        return ()
    return tuple((family.value, share) for family, share in LAZY_SHARES.items())
