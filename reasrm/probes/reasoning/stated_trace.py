"""What a judge wrote before its verdict, and the verdict: the plain judgments that probes of reasoning start from."""

from dataclasses import dataclass, replace

from reasrm.judging.trace_steps import Piece, Section, joined_to, trace_pieces
from reasrm.judging.verdict import Verdict, ending_letter, read_verdict
from reasrm.probes.query import PlainJudgment, ProbeContext, ProbeItem
from reasrm.records.comparison import Side


@dataclass(frozen=True, slots=True)
class StatedTrace:
    """A reply up to the letter of its verdict."""

    plain: PlainJudgment
    begun: str
    """Its text up to the letter: it ends with `<answer>[[`, of some published judges with `[[`."""
    verdict: Side
    pieces: tuple[Piece, ...]
    """`begun`, cut into steps."""

    @property
    def sections(self) -> frozenset[Section]:
        """The sections of its steps; none where the reply is nothing but its verdict."""
        return frozenset(piece.section for piece in self.pieces if piece.section)

    def with_steps(self, most: int) -> "StatedTrace":
        """The same trace with steps joined until there are no more than `most`, if that can be done."""
        return replace(self, pieces=tuple(joined_to(list(self.pieces), most)))


def stated_trace(plain: PlainJudgment | None) -> StatedTrace | None:
    """The trace of a judgment whose reply names a side in `<answer>` or in the brackets that end it; else None.

    A side that is not the judgment's does not count: it was read by another rule.
    """
    reply = plain.judgment.reply if plain else None
    verdict = plain.judgment.verdict if plain else None
    if plain is None or reply is None or verdict is None:
        return None
    read = read_verdict(reply.text, reply.finish)
    letter = read.letter if isinstance(read, Verdict) else ending_letter(reply.text)
    if letter is None or reply.text[letter].upper() != verdict:
        return None
    begun = reply.text[:letter]
    return StatedTrace(plain, begun, verdict, tuple(trace_pieces(begun)))


def chosen_trace(context: ProbeContext, item: ProbeItem, place: int, *, right: bool) -> StatedTrace | None:
    """The item's trace in one order: A and B better in turn by `place`, the other order where that one has none.

    `right` demands that the verdict names the better answer.
    """
    first = list(Side)[place % 2]
    for side in (first, first.other):
        trace = stated_trace(context.plain_of(item, side))
        if trace and trace.sections and (trace.plain.correct or not right):
            return trace
    return None
