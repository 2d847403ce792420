"""Which pairs are good enough to learn from: each one kept for one purpose, or rejected with one reason."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from reasrm.data_quality.decontamination import BenchmarkPrompts
from reasrm.datasets.refused_rows import forget_refused, keep_refused
from reasrm.datasets.row_fields import normalised
from reasrm.records.content_hash import unit_interval
from reasrm.records.jsonl import write_records
from reasrm.records.pair import PreferencePair, Purpose, Role, pair_id
from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.stage_main import StageError

STAGE = "collect_pairs"
REJECTED = "rejected.jsonl"


class PairRejection(StrEnum):
    """Why a pair is not used."""

    UNUSABLE_ROW = "unusable_row"
    FILE_NOT_READ = "file_not_read"
    """A whole file; it is no row, and counted apart from them."""
    TIE = "tie"
    """The source prefers neither answer."""
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


class PairCandidate(NamedTuple):
    """A row that may become a pair to learn from."""

    file: str
    place: int
    source: str
    pair: PreferencePair | None
    fault: str = ""
    """Why there is no pair."""
    reason: PairRejection = PairRejection.UNUSABLE_ROW
    """What that is called, if there is no pair."""
    purpose: Purpose | None = None
    """Fixed by the source; else the hash of the question decides."""


@dataclass(frozen=True)
class PairRules:
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
class SelectedPairs:
    """The account: every candidate is in `pairs` or in `rejected`."""

    pairs: dict[Purpose, list[PreferencePair]] = field(default_factory=lambda: {purpose: [] for purpose in Purpose})
    rejected: list[dict[str, Any]] = field(default_factory=list)
    rows_by_source: Counter[str] = field(default_factory=Counter)

    def reject(self, candidate: PairCandidate, reason: PairRejection, detail: str = "") -> None:
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

    @property
    def files_not_read(self) -> list[str]:
        """The names of the files that nothing was read from."""
        return [entry["file"] for entry in self.rejected if entry["reason"] == PairRejection.FILE_NOT_READ]

    def funnel(self) -> dict[str, Any]:
        """Counts: rows in, kept and rejected by reason, each source's, and what each purpose got."""
        reasons: dict[str, Counter[str]] = defaultdict(Counter)
        rows = [entry for entry in self.rejected if entry["reason"] != PairRejection.FILE_NOT_READ]
        for entry in rows:
            reasons[entry["source"]][entry["reason"]] += 1
        kept = sum(len(pairs) for pairs in self.pairs.values())
        unread = len(self.files_not_read)
        return {
            "rows_in": self.rows_by_source.total(),
            "kept": kept,
            "rejected": len(rows),
            "by_reason": dict(sorted(Counter(entry["reason"] for entry in rows).items())),
            **({"files_not_read": unread} if unread else {}),
            "by_source": {
                source: {"rows_in": count, "kept": count - reasons[source].total(), "rejected": dict(reasons[source])}
                for source, count in sorted(self.rows_by_source.items())
            },
            "purposes": {purpose.value: _described(pairs) for purpose, pairs in self.pairs.items()},
        }

    def write(self, folder: Path, said: Mapping[str, object], unused: Set[Purpose] = frozenset()) -> None:
        """Write `folder` (`data/pairs`) at once; what is `said` of it besides stands in the funnel's file.

        Raises:
            StageError: a purpose that is not `unused` got no pair; the rejected ones are in the stage's work folder.
        """
        empty = [purpose.value for purpose, pairs in self.pairs.items() if not pairs and purpose not in unused]
        if empty:
            funnel, why = self.funnel(), keep_refused(STAGE, REJECTED, self.rejected)
            kept = f"{funnel['kept']} of {funnel['rows_in']} rows are pairs"
            raise StageError(f"no pair is left for {', '.join(empty)}: {kept} {funnel['by_reason'] or ''}; {why}")
        forget_refused(STAGE, REJECTED)
        with new_folder(folder) as new:
            for purpose, pairs in self.pairs.items():
                write_records(new / f"{purpose.value}.jsonl", pairs)
            write_records(new / REJECTED, self.rejected)
            write_json(new / "funnel.json", {**self.funnel(), **said})


def select(candidates: Iterable[PairCandidate], rules: PairRules, benchmarks: BenchmarkPrompts) -> SelectedPairs:
    """Give every candidate its purpose or its reason; the first of several equal ones is kept."""
    selected = SelectedPairs()
    usable: dict[str, PairCandidate] = {}
    for candidate in candidates:
        if candidate.pair is not None or candidate.reason is not PairRejection.FILE_NOT_READ:
            selected.rows_by_source[candidate.source] += 1
        reason, detail = _fault(candidate, rules)
        if reason is not None:
            selected.reject(candidate, reason, detail)
        elif candidate.pair is not None and candidate.pair.id in usable:
            selected.reject(candidate, PairRejection.DUPLICATE, f"as {usable[candidate.pair.id].file}")
        elif candidate.pair is not None:
            usable[candidate.pair.id] = candidate
    _distribute(usable, rules, benchmarks, selected)
    return selected


def _fault(candidate: PairCandidate, rules: PairRules) -> tuple[PairRejection | None, str]:
    """What is wrong with the pair itself."""
    pair = candidate.pair
    if pair is None:
        return candidate.reason, candidate.fault
    if skipped := rules.skip_parts & {pair.labels.get("part"), pair.source}:
        return PairRejection.EXCLUDED_SOURCE, ", ".join(sorted(skipped))
    if not pair.chosen.strip() or not pair.rejected.strip():
        return PairRejection.EMPTY_ANSWER, ""
    if pair.chosen.strip() == pair.rejected.strip():
        return PairRejection.IDENTICAL_ANSWERS, ""
    leak = _LEAK.match(pair.chosen) or _LEAK.match(pair.rejected)
    if leak:
        return PairRejection.LABEL_LEAK, leak.group()[:80]
    length = sum(len(message.content) for message in pair.prompt) + len(pair.chosen) + len(pair.rejected)
    if rules.max_chars is not None and length > rules.max_chars:
        return PairRejection.TOO_LONG, f"{length} characters"
    return None, ""


def _distribute(
    usable: dict[str, PairCandidate], rules: PairRules, benchmarks: BenchmarkPrompts, selected: SelectedPairs
) -> None:
    """Give usable pairs a purpose in hashed order, so that a limit takes the same ones whatever the order of rows."""
    taken: Counter[str] = Counter()
    for candidate in _ordered(usable, rules):
        pair = candidate.pair
        assert pair is not None
        overlap = benchmarks.overlap(pair.prompt)
        purpose = candidate.purpose or rules.purpose(pair)
        pairs = selected.pairs[purpose]
        if pair_id(pair.prompt, pair.rejected, pair.chosen) in usable:
            selected.reject(candidate, PairRejection.CONTRADICTORY)
        elif overlap:
            selected.reject(candidate, PairRejection.BENCHMARK_OVERLAP, overlap)
        elif taken[candidate.source] >= rules.source_limits.get(candidate.source, len(usable)):
            selected.reject(candidate, PairRejection.OVER_LIMIT, f"of source {candidate.source}")
        elif len(pairs) >= rules.limits.get(purpose, len(usable)):
            selected.reject(candidate, PairRejection.OVER_LIMIT, f"of {purpose.value}")
        else:
            taken[candidate.source] += 1
            pairs.append(pair)


def _ordered(usable: dict[str, PairCandidate], rules: PairRules) -> list[PairCandidate]:
    if not rules.limits and not rules.source_limits:
        return list(usable.values())
    return [usable[key] for key in sorted(usable, key=lambda key: unit_interval("limit", rules.seed, key))]


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
