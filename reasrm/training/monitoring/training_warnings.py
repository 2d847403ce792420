"""What a training's log says of its health at the end: each warning with its numbers, its cause and what to do.

A pure function of the log, so a resumed training gets the same warnings as one that was not interrupted, once.
"""

import math
from collections.abc import Callable, Sequence
from statistics import fmean, median
from typing import Any, NamedTuple

from reasrm.records.wilson_interval import wilson

END_SHARE = 0.25
"""The first and last quarter of the logged steps are compared: single steps of GRPO are too noisy."""
LEAST_READABLE = 0.9
"""Of the replies: each unreadable one is wrong, so below this a tenth of the accuracy is lost to form alone."""
MOST_ONE_SIDE = 0.9
"""Of the verdicts: either answer is the better one half the time, so at .9 for one side at most .6 can be right."""
MOST_CUT = 0.1
"""Of the replies: a cut reply has no verdict, and its reward says nothing of the judgment."""
MOST_WITHOUT_GRADIENT = 0.5
"""Of the logged steps: with more the training did less than half of what it was asked to."""
MOST_KL = 1.0
"""Nats per token: sampled tokens are on average e times likelier than under the start; healthy runs stay below .2."""
KL_SPIKE = 10.0
"""Times the median: runs that collapse jump by orders of magnitude, healthy ones vary by about 3."""
LEAST_KL_OF_A_SPIKE = 0.1
"""Nats per token; ratios of smaller divergences say nothing."""
MOST_LENGTH_CHANGE = 2.0
"""Times longer or shorter: rewarded verdicts move lengths by a third at most where judging itself is learnt."""
CHANCE = 0.5

Log = Sequence[dict[str, Any]]


class TrainingWarning(NamedTuple):
    """One thing that went wrong."""

    kind: str
    text: str
    """One line: numbers, cause, what to do."""


def training_warnings(log: Log) -> list[TrainingWarning]:
    """All warnings of a trainer's log (one entry per logged step), the gravest first."""
    found = ((kind, check(log)) for kind, check in CHECKS.items())
    return [TrainingWarning(kind, text) for kind, text in found if text]


def dev_interval(log: Log, step: int | None = None) -> dict[str, Any] | None:
    """The dev accuracy at `step`, or the last one, with its pairs and 95 % interval (Wilson over pairs).

    None if nothing was judged.
    """
    judged = [entry for entry in log if "dev/accuracy" in entry and step in {None, int(entry["step"])}]
    last = judged[-1] if judged else None
    if last is None:
        return None
    accuracy, pairs = last["dev/accuracy"], int(last["dev/pairs"])
    return {
        "accuracy": accuracy,
        "pairs": pairs,
        "ci95": list(wilson(round(accuracy * pairs), pairs)),
        "step": int(last["step"]),
    }


def _not_finite(log: Log) -> str:
    for name in ("loss", "grad_norm", "kl"):
        bad = [step for step, value in _points(log, name) if not math.isfinite(value)]
        if bad:
            return (
                f"{name} was not finite at {len(bad)} of {len(_points(log, name))} logged steps, first at step "
                f"{bad[0]}, so the weights may be ruined: lower `learning_rate`, raise `warmup_steps`, or take "
                f"`precision: float32`"
            )
    return ""


def _no_gradient(log: Log) -> str:
    norms = _values(log, "grad_norm")
    none = norms.count(0.0)
    if not norms or none <= MOST_WITHOUT_GRADIENT * len(norms):
        return ""
    flat = _values(log, "frac_reward_zero_std")
    cause = (
        f"{fmean(flat):.0%} of the groups had replies of equal reward, which teach nothing: raise `temperature` or "
        f"`replies_per_prompt`, take harder pairs, or start from a checkpoint that judges better"
        if flat
        else "nothing was learnt: are any weights trained (`lora`), and is any text left to learn?"
    )
    return f"there was no gradient at {none} of {len(norms)} logged steps: {cause}"


def _unreadable(log: Log) -> str:
    cut = _values(log, "completions/clipped_ratio")
    limit = f"; {_end(cut):.0%} were cut by `max_reply_tokens`" if cut and _end(cut) > 0 else ""
    sampled, dev = _values(log, "readable"), _values(log, "dev/readable")
    said = [
        f"{_end(sampled):.0%} of the sampled replies in the last quarter held a verdict{limit}"
        if sampled and _end(sampled) < LEAST_READABLE
        else "",
        f"{dev[-1]:.0%} of the last dev replies held a verdict" if dev and dev[-1] < LEAST_READABLE else "",
    ]
    if not any(said):
        return ""
    hidden = _values(log, "dev/not_shown")
    if said[1] and hidden:
        said[1] += f" ({hidden[-1]:.0%} of the dev prompts leave no room for one, or are not rendered)"
    return (
        f"only {' and '.join(filter(None, said))}; the others count as wrong: raise the limit of a reply's tokens, or "
        f"train longer on traces first"
    )


def _constant_verdict(log: Log) -> str:
    sampled, dev = _values(log, "verdict_a_share"), _values(log, "dev/verdict_a_share")
    shares = [(f"{_end(sampled):.0%} of the sampled verdicts in the last quarter", _end(sampled))] if sampled else []
    shares += [(f"{dev[-1]:.0%} of the last dev verdicts", dev[-1])] if dev else []
    said = [text for text, share in shares if max(share, 1 - share) > MOST_ONE_SIDE]
    if not said:
        return ""
    return (
        f"{' and '.join(said)} named A, though either answer is the better one half the time: position decides, "
        f"not the answers; lower `learning_rate`, raise `kl_weight`, or start from a checkpoint that judges better"
    )


def _cut_replies(log: Log) -> str:
    cut = _values(log, "completions/clipped_ratio")
    if not cut or _end(cut) <= MOST_CUT:
        return ""
    return (
        f"{_end(cut):.0%} of the sampled replies in the last quarter were cut before they ended: raise "
        f"`max_reply_tokens`, or leave them out of the loss (`mask_truncated_completions: true`)"
    )


def _kl(log: Log) -> str:
    values = [value for value in _values(log, "kl") if math.isfinite(value)]
    if not values:
        return ""
    middle, tail = median(values), _tail(values)
    spike = max(tail) > KL_SPIKE * middle and max(tail) > LEAST_KL_OF_A_SPIKE
    if fmean(tail) <= MOST_KL and not spike:
        return ""
    return (
        f"the divergence from the starting checkpoint was {fmean(tail):.3g} nats per token in the last quarter "
        f"(highest {max(tail):.3g}, median of all {middle:.3g}): the model may have lost its language; lower "
        f"`learning_rate`, raise `kl_weight`, or keep the best on dev (`keep: best_on_dev`)"
    )


def _length(log: Log) -> str:
    lengths = _values(log, "completions/mean_length")
    if len(lengths) < 2 or not _end(lengths) or not fmean(_head(lengths)):
        return ""
    start, end = fmean(_head(lengths)), _end(lengths)
    if 1 / MOST_LENGTH_CHANGE <= end / start <= MOST_LENGTH_CHANGE:
        return ""
    words = (
        "the reasoning is given up: does the reward need it?"
        if end < start
        else "length may be what is rewarded, or replies no longer end"
    )
    return f"sampled replies went from {start:.0f} to {end:.0f} tokens (first and last quarter): {words}; read some"


def _dev_at_chance(log: Log) -> str:
    last = dev_interval(log)
    if last is None or last["ci95"][0] > CHANCE:
        return ""
    low, high = last["ci95"]
    return (
        f"dev accuracy at step {last['step']} is {last['accuracy']:.3f} [{low:.3f}, {high:.3f}] on {last['pairs']} "
        f"pairs, not above chance: train longer, check the pairs, or raise `dev.pairs` if they are too few to tell"
    )


CHECKS: dict[str, Callable[[Log], str]] = {
    "not_finite": _not_finite,
    "no_gradient": _no_gradient,
    "unreadable": _unreadable,
    "constant_verdict": _constant_verdict,
    "cut_replies": _cut_replies,
    "kl": _kl,
    "length": _length,
    "dev_at_chance": _dev_at_chance,
}
"""By the kind of warning: gives its text, or nothing."""


def _points(log: Log, name: str) -> list[tuple[int, float]]:
    return [(int(entry["step"]), float(entry[name])) for entry in log if isinstance(entry.get(name), int | float)]


def _values(log: Log, name: str) -> list[float]:
    return [value for _, value in _points(log, name)]


def _head(values: Sequence[float]) -> Sequence[float]:
    return values[: max(1, int(END_SHARE * len(values)))]


def _tail(values: Sequence[float]) -> Sequence[float]:
    return values[-max(1, int(END_SHARE * len(values))) :]


def _end(values: Sequence[float]) -> float:
    return fmean(_tail(values))
