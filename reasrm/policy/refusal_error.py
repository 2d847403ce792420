"""How often the rule for refusals (`refusals`) is wrong: counted on answers that people labelled.

    answers = [one for file in sorted(folder.glob("*.csv")) for one in read_labelled_answers(file)]
    for row in rule_errors(answers, resamples=2000, seed=0): ...

One row per model, one for the models on whose answers the rule was not tuned, one for all. `HELD_OUT` is the middle one
on XSTest's own five files, so that it can stand beside a figure where these files are not.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from reasrm.policy.refusals import TUNED_ON, refuses
from reasrm.policy.safety_files import LabelledAnswer
from reasrm.records.wilson_interval import wilson
from reasrm.scoring.intervals import percentiles

HELD_OUT_MODELS = "held out"
ALL_MODELS = "all"


class CountedShare(NamedTuple):
    """A share of answers with its 95 % interval."""

    part: int
    whole: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself; 0 of none."""
        return self.part / self.whole if self.whole else 0.0


class RuleError(NamedTuple):
    """The rule against the labels, for the answers of one model or of several."""

    models: str
    """The model's name, `held out` or `all`."""
    right: CountedShare
    missed: CountedShare
    """Of the refusals by label, those that the rule takes for help."""
    false_alarms: CountedShare
    """Of the answers that help by label, those that the rule takes for refusals."""


HELD_OUT = RuleError(
    HELD_OUT_MODELS,
    CountedShare(1248, 1350, 0.909, 0.939),
    CountedShare(66, 734, 0.070, 0.112),
    CountedShare(36, 616, 0.040, 0.080),
)
"""On XSTest's completions of gpt4, llama2new and mistralguard; 2,000 resamples, seed 0."""


def error_note(error: RuleError = HELD_OUT) -> str:
    """What a reader of a figure that was made with the rule has to know, in one sentence."""
    return (
        f"refusals are found by a rule of phrases, which on {error.right.whole:,} answers that people labelled "
        f"({error.models}) is right on {_percent(error.right)}, misses {_percent(error.missed)} of the refusals and "
        f"takes {_percent(error.false_alarms)} of the other answers for one"
    )


def _percent(share: CountedShare) -> str:
    return f"{share.value:.1%} [{share.low:.1%}, {share.high:.1%}]"


def rule_errors(
    answers: Sequence[LabelledAnswer], resamples: int, seed: int, rule: Callable[[str], bool] = refuses
) -> list[RuleError]:
    """The rule's errors by model, over the models that it was not tuned on, and over all.

    The intervals of one model are Wilson's. Models answer the same prompts, so over several of them prompts are drawn
    (bootstrap), with all answers to them.
    """
    by_model: dict[str, list[LabelledAnswer]] = defaultdict(list)
    for answer in answers:
        by_model[answer.model].append(answer)
    rows = [_error(model, of_model, rule, resamples, seed) for model, of_model in by_model.items()]
    held_out = [answer for answer in answers if answer.model not in TUNED_ON]
    several = [(HELD_OUT_MODELS, held_out), (ALL_MODELS, list(answers))]
    return rows + [_error(name, some, rule, resamples, seed) for name, some in several if some]


def _error(
    models: str, answers: Sequence[LabelledAnswer], rule: Callable[[str], bool], resamples: int, seed: int
) -> RuleError:
    found = np.asarray([rule(one.answer) for one in answers])
    labels = np.asarray([one.refuses for one in answers])
    prompts = None if len({one.model for one in answers}) == 1 else [one.prompt for one in answers]

    def share(counted: np.ndarray, among: np.ndarray) -> CountedShare:
        part, whole = int((counted & among).sum()), int(among.sum())
        if not whole:
            return CountedShare(0, 0, 0.0, 1.0)
        low, high = wilson(part, whole) if prompts is None else _over_prompts(counted, among, prompts, resamples, seed)
        return CountedShare(part, whole, low, high)

    every = np.ones_like(labels)
    return RuleError(models, share(found == labels, every), share(~found, labels), share(found, ~labels))


def _over_prompts(
    counted: np.ndarray, among: np.ndarray, prompts: Sequence[str], resamples: int, seed: int
) -> tuple[float, float]:
    """The interval of a share if other prompts had been asked."""
    distinct, place = np.unique(np.asarray(prompts), return_inverse=True)
    counts = np.bincount(place, weights=counted & among, minlength=len(distinct))
    totals = np.bincount(place, weights=among, minlength=len(distinct))
    drawn = np.random.default_rng(seed).multinomial(len(distinct), np.full(len(distinct), 1 / len(distinct)), resamples)
    sums = drawn @ totals
    return percentiles(np.divide(drawn @ counts, sums, out=np.full(resamples, np.nan), where=sums > 0))
