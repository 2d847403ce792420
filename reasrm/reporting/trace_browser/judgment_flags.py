"""What is remarkable about a judgment, so that a reader can ask for all of its kind."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from enum import IntFlag

from reasrm.records.comparison import Side
from reasrm.records.judgment import Judgment
from reasrm.reporting.replies.trace_view import Segment, SegmentKind
from reasrm.reporting.trace_browser.traced_items import JudgedBy, TracedItem


class Flag(IntFlag):
    """One remarkable thing; the page tests the same bits."""

    UNGROUNDED = 1
    """A quotation does not stand in the answer that it is ascribed to."""
    FLIPPED = 2
    """Readable in both orders, and naming another answer in the other order."""
    CONTRADICTED = 4
    """Its reason speaks against its verdict."""


def is_ungrounded(segments: Sequence[Segment]) -> bool:
    """Whether a reply quotes what the answer does not say."""
    return any(piece.kind in (SegmentKind.OTHER_ANSWER, SegmentKind.MISSING) for piece in segments)


def swapped_places(judged: Sequence[JudgedBy]) -> dict[int, int]:
    """The place of each judgment's counterpart: the same model's in the other order.

    Where a model judged an item several times in one order, the first one belongs to the first, and so on.
    """
    places: Mapping[tuple[str, Side], list[int]] = defaultdict(list)
    for place, one in enumerate(judged):
        places[one.model, one.judgment.better].append(place)
    return {
        place: other
        for (model, better), own in places.items()
        for place, other in zip(own, places.get((model, better.other), ()), strict=False)
    }


def flipped_places(judged: Sequence[JudgedBy]) -> set[int]:
    """The places of judgments whose verdict names another answer than their counterpart's; both are readable."""
    return {
        place
        for place, other in swapped_places(judged).items()
        if None not in (one := judged[place].judgment.correct, another := judged[other].judgment.correct)
        and one is not another
    }


def changing_probes(traced: TracedItem, judged: JudgedBy) -> tuple[str, ...]:
    """The probes, in alphabetical order, one of whose queries about the item in this order got the other verdict."""
    return tuple(sorted(set(_changing(traced, judged))))


def verdict_changed(plain: Judgment, verdict: Side | None) -> bool:
    """Whether `verdict` names the other answer than `plain` does; an unreadable one names none."""
    return None not in (plain.verdict, verdict) and verdict is not plain.verdict


def _changing(traced: TracedItem, judged: JudgedBy) -> Iterator[str]:
    for model, row in traced.probed:
        same = model == judged.model and row.better is judged.judgment.better
        if same and row.judgment is not None and verdict_changed(judged.judgment, row.judgment.verdict):
            yield row.probe
