"""Sampled groups that GRPO keeps while it trains, so that one can see what the policy writes and what that earns.

They are kept of the first generation, of the first one at or behind each `every` steps, and of the last. Of a
generation those are kept whose pairs come first in one hashed order of all pairs: no reply decides whether it is shown,
and a pair that comes again in a later epoch is shown again. Nothing of the training depends on it.

One file, `rollout_samples.jsonl` in the folder that the training resumes from, grows with the training; each time it
is written anew without what an earlier process wrote of this step and later ones. So a killed and resumed training ends
with the bytes of one that went through.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reasrm.judging.verdict import Verdict, read_verdict
from reasrm.records.comparison import Comparison, Side
from reasrm.records.content_hash import unit_interval
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.rollout import Rollout, RolloutGroup
from reasrm.training.grpo.rewards.sampled_replies import judged_reply
from reasrm.training.grpo.settings import GrpoSettings

FILE = "rollout_samples.jsonl"
DIGITS = 6
"""Of rewards and advantages, which the trainer holds as float32."""


class ScoredReply(NamedTuple):
    """One reply of a generation, with what it earned."""

    pair_id: str
    better: str
    token_ids: Sequence[int]
    terms: Sequence[float]
    """In the order of the setting `rewards`."""
    advantage: float


class RolloutSamples:
    """Keeps the groups that the settings ask for in one file."""

    def __init__(
        self, folder: Path, settings: GrpoSettings, comparisons: Iterable[Comparison], tokenizer: Any, opened: str
    ) -> None:
        """Prepare.

        Args:
            folder: where the file is written.
            settings: of the training, with `rollout_samples`.
            comparisons: all that may be shown, in one order each.
            tokenizer: of the policy.
            opened: the opened thought that the chat template writes before a reply.
        """
        assert settings.rollout_samples is not None
        self._file = folder / FILE
        self._every, self._groups = settings.rollout_samples.every, settings.rollout_samples.groups
        self._together = settings.steps_per_generation * settings.num_iterations
        self._last = (settings.steps - 1) // self._together * self._together
        self._size, self._weights = settings.replies_per_prompt, settings.rewards
        self._comparisons = {comparison.pair_id: comparison for comparison in comparisons}
        self._tokenizer, self._opened = tokenizer, opened

    def are_due(self, step: int) -> bool:
        """Whether groups are kept of the generation that is sampled after `step` optimiser steps."""
        return step % self._every < self._together or step == self._last

    def keep(self, step: int, replies: Sequence[ScoredReply], signals: Sequence[bool]) -> None:
        """Add groups of one generation to the file.

        Args:
            step: optimiser steps before this generation.
            replies: of all processes; consecutive ones are a group.
            signals: of each group, whether its replies earned different rewards.
        """
        starts = range(0, len(replies), self._size)
        chosen = sorted(starts, key=lambda start: (unit_interval("rollout sample", replies[start].pair_id), start))
        groups = [
            self._group(step, replies[start : start + self._size], signals[start // self._size])
            for start in chosen[: self._groups]
        ]
        kept = read_records(self._file, RolloutGroup) if self._file.exists() else ()
        write_records(self._file, [*(group for group in kept if group.step < step), *groups])

    def _group(self, step: int, replies: Sequence[ScoredReply], has_signal: bool) -> RolloutGroup:
        comparison = self._comparisons[replies[0].pair_id]
        if comparison.better is not Side(replies[0].better):
            comparison = comparison.swapped()
        rollouts = tuple(self._rollout(reply) for reply in replies)
        return RolloutGroup(step=step, comparison=comparison, has_signal=has_signal, rollouts=rollouts)

    def _rollout(self, scored: ScoredReply) -> Rollout:
        reply, finish, after_verdict = judged_reply(self._tokenizer, self._opened, scored.token_ids)
        verdict = read_verdict(reply.text, reply.finish)
        terms: Mapping[str, float] = dict(zip(self._weights, scored.terms, strict=True))
        return Rollout(
            better=Side(scored.better),
            reply=reply,
            finish=finish,
            after_verdict=after_verdict,
            verdict=verdict.side if isinstance(verdict, Verdict) else None,
            unreadable=None if isinstance(verdict, Verdict) else verdict,
            terms={name: round(term, DIGITS) for name, term in terms.items()},
            reward=round(sum(weight * terms[name] for name, weight in self._weights.items()), DIGITS),
            advantage=round(scored.advantage, DIGITS),
        )


def rollout_samples(
    folder: Path, settings: GrpoSettings, comparisons: Iterable[Comparison], tokenizer: Any, opened: str
) -> RolloutSamples | None:
    """What keeps the groups that `settings` ask for; None if they ask for none."""
    if settings.rollout_samples is None:
        return None
    return RolloutSamples(folder, settings, comparisons, tokenizer, opened)
