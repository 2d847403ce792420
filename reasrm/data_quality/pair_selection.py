"""Which pairs are good enough to learn from: each one kept for one purpose, or rejected with one reason."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from reasrm.benchmarks.collection import normalised
from reasrm.data_quality.decontamination import BenchmarkPrompts
from reasrm.records.content_hash import unit_interval
from reasrm.records.pair import PreferencePair, Role, pair_id


class Purpose(StrEnum):
    """What a pair is used for; all pairs of a question have the same."""

    DISTILL = "distill"
    REINFORCE = "reinforce"
    DEV = "dev"


class Reason(StrEnum):
    """Why a pair is not used."""

    UNUSABLE_ROW = "unusable_row"
    EMPTY_ANSWER = "empty_answer"
    IDENTICAL_ANSWERS = "identical_answers"
    LABEL_LEAK = "label_leak"
    """An answer announces its own label."""
    TOO_LONG = "too_long"
    EXCLUDED_SOURCE = "excluded_source"
    DUPLICATE = "duplicate"
    CONTRADICTORY = "contradictory"
    """The same two answers also occur with the preference the other way round."""
    BENCHMARK_OVERLAP = "benchmark_overlap"
    OVER_LIMIT = "over_limit"


_LEAK = re.compile(
    r"\s*[\[(<*#]*\s*(?:chosen|rejected|preferred|dispreferred|(?:the\s+)?(?:better|worse|winning|losing)\s+(?:answer|response|reply))"
    r"\s*[\])>*]*\s*[:>\]]",
    re.IGNORECASE,
)


class Candidate(NamedTuple):
    """A row that may become a pair to learn from."""

    file: str
    place: int
    source: str
    pair: PreferencePair | None
    fault: str = ""
    """Why there is no pair."""
    purpose: Purpose | None = None
    """Fixed by the source; else the hash of the question decides."""


@dataclass(frozen=True)
class Rules:
    """What decides about a pair besides its own faults."""

    seed: int
    shares: dict[Purpose, float]
    limits: dict[Purpose, int]
    source_limits: dict[str, int]
    skip_parts: frozenset[str]
    max_chars: int | None
    """Of conversation and both answers together."""

    def purpose(self, pair: PreferencePair) -> Purpose:
        """By the hash of the conversation's first question, in proportion to the shares."""
        first = next(message.content for message in pair.prompt if message.role is Role.USER)
        at = unit_interval("purpose", self.seed, normalised(first)) * sum(self.shares.values())
        for purpose, share in self.shares.items():
            if at < share:
                return purpose
            at -= share
        return list(self.shares)[-1]


@dataclass
class Selected:
    """The account: every candidate is in `pairs` or in `rejected`."""

    pairs: dict[Purpose, list[PreferencePair]] = field(default_factory=lambda: {purpose: [] for purpose in Purpose})
    rejected: list[dict[str, Any]] = field(default_factory=list)
    rows_by_source: Counter[str] = field(default_factory=Counter)

    def reject(self, candidate: Candidate, reason: Reason, detail: str = "") -> None:
        """Account for a candidate that is not used."""
        self.rejected.append(
            {
                "file": candidate.file,
                "place": candidate.place,
                "source": candidate.source,
                "pair": candidate.pair.id if candidate.pair else None,
                "reason": reason.value,
                "detail": detail,
            }
        )

    def funnel(self) -> dict[str, Any]:
        """Counts: rows in, kept and rejected by reason, each source's, and what each purpose got."""
        reasons: dict[str, Counter[str]] = defaultdict(Counter)
        for entry in self.rejected:
            reasons[entry["source"]][entry["reason"]] += 1
        kept = sum(len(pairs) for pairs in self.pairs.values())
        return {
            "rows_in": self.rows_by_source.total(),
            "kept": kept,
            "rejected": len(self.rejected),
            "by_reason": dict(sorted(Counter(entry["reason"] for entry in self.rejected).items())),
            "by_source": {
                source: {"rows_in": rows, "kept": rows - reasons[source].total(), "rejected": dict(reasons[source])}
                for source, rows in sorted(self.rows_by_source.items())
            },
            "purposes": {purpose.value: _described(pairs) for purpose, pairs in self.pairs.items()},
        }


def select(candidates: Iterable[Candidate], rules: Rules, benchmarks: BenchmarkPrompts) -> Selected:
    """Give every candidate its purpose or its reason; the first of several equal ones is kept."""
    selected = Selected()
    sound: dict[str, Candidate] = {}
    for candidate in candidates:
        selected.rows_by_source[candidate.source] += 1
        reason, detail = _fault(candidate, rules)
        if reason is not None:
            selected.reject(candidate, reason, detail)
        elif candidate.pair is not None and candidate.pair.id in sound:
            selected.reject(candidate, Reason.DUPLICATE, f"as {sound[candidate.pair.id].file}")
        elif candidate.pair is not None:
            sound[candidate.pair.id] = candidate
    _distribute(sound, rules, benchmarks, selected)
    return selected


def _fault(candidate: Candidate, rules: Rules) -> tuple[Reason | None, str]:
    """What is wrong with the pair itself."""
    pair = candidate.pair
    if pair is None:
        return Reason.UNUSABLE_ROW, candidate.fault
    if pair.labels.get("part") in rules.skip_parts:
        return Reason.EXCLUDED_SOURCE, pair.labels["part"]
    if not pair.chosen.strip() or not pair.rejected.strip():
        return Reason.EMPTY_ANSWER, ""
    if pair.chosen.strip() == pair.rejected.strip():
        return Reason.IDENTICAL_ANSWERS, ""
    leak = _LEAK.match(pair.chosen) or _LEAK.match(pair.rejected)
    if leak:
        return Reason.LABEL_LEAK, leak.group()[:80]
    length = sum(len(message.content) for message in pair.prompt) + len(pair.chosen) + len(pair.rejected)
    if rules.max_chars is not None and length > rules.max_chars:
        return Reason.TOO_LONG, f"{length} characters"
    return None, ""


def _distribute(sound: dict[str, Candidate], rules: Rules, benchmarks: BenchmarkPrompts, selected: Selected) -> None:
    """Give sound pairs a purpose in hashed order, so that a limit takes the same ones whatever the order of rows."""
    taken: Counter[str] = Counter()
    for candidate in _ordered(sound, rules):
        pair = candidate.pair
        assert pair is not None
        overlap = benchmarks.overlap(pair.prompt)
        purpose = candidate.purpose or rules.purpose(pair)
        pairs = selected.pairs[purpose]
        if pair_id(pair.prompt, pair.rejected, pair.chosen) in sound:
            selected.reject(candidate, Reason.CONTRADICTORY)
        elif overlap:
            selected.reject(candidate, Reason.BENCHMARK_OVERLAP, overlap)
        elif taken[candidate.source] >= rules.source_limits.get(candidate.source, len(sound)):
            selected.reject(candidate, Reason.OVER_LIMIT, f"of source {candidate.source}")
        elif len(pairs) >= rules.limits.get(purpose, len(sound)):
            selected.reject(candidate, Reason.OVER_LIMIT, f"of {purpose.value}")
        else:
            taken[candidate.source] += 1
            pairs.append(pair)


def _ordered(sound: dict[str, Candidate], rules: Rules) -> list[Candidate]:
    if not rules.limits and not rules.source_limits:
        return list(sound.values())
    return [sound[key] for key in sorted(sound, key=lambda key: unit_interval("limit", rules.seed, key))]


def _described(pairs: list[PreferencePair]) -> dict[str, Any]:
    """What was given to one purpose; a judge that picks the longer answer scores `chosen_longer_share`."""
    differ = [pair for pair in pairs if len(pair.chosen) != len(pair.rejected)]
    longer = sum(len(pair.chosen) > len(pair.rejected) for pair in differ)
    return {
        "pairs": len(pairs),
        "questions": len({normalised(pair.question) for pair in pairs}),
        "sources": dict(sorted(Counter(pair.source for pair in pairs).items())),
        "multi_turn": sum(len(pair.prompt) > 1 for pair in pairs),
        "chosen_longer_share": longer / len(differ) if differ else None,
    }
