"""An example as the page shows it: texts cut to a readable length, replies in marked pieces, verdicts in words."""

from dataclasses import dataclass

from reasrm.records.comparison import Side, show
from reasrm.records.judgment import Judgment
from reasrm.records.pair import PreferencePair
from reasrm.reporting.examples import Contrast, Example, Orders
from reasrm.reporting.trace_view import Segment, segments
from reasrm.reporting.visible_text import shortened

HEADLINE_CHARACTERS = 90


@dataclass(frozen=True)
class Turn:
    """One turn of the conversation."""

    role: str
    text: str


@dataclass(frozen=True)
class Judged:
    """One reply in one order."""

    shown: str
    """Which answer stood where."""
    verdict: str
    """The verdict and whether it is right, in words."""
    state: str
    """`right`, `wrong` or `unreadable`; also the CSS class."""
    segments: tuple[Segment, ...]
    no_text: str
    """What is said instead where the judge wrote nothing."""


@dataclass(frozen=True)
class JudgedBy:
    """One model's replies in both orders."""

    model: str
    orders: tuple[Judged, ...]


@dataclass(frozen=True)
class ExampleView:
    """One item with the replies of two models."""

    headline: str
    kind: str
    state: str
    benchmark: str
    item_id: str
    turns: tuple[Turn, ...]
    better: str
    worse: str
    sides: tuple[JudgedBy, JudgedBy]


def contrast_label(contrast: Contrast, labels: tuple[str, str]) -> str:
    """The kind of outcome with the models' names."""
    return {
        Contrast.ONLY_SECOND: f"only {labels[1]} is right",
        Contrast.BOTH: "both are right",
        Contrast.ONLY_FIRST: f"only {labels[0]} is right",
        Contrast.NEITHER: "neither is right",
    }[contrast]


def example_view(example: Example, labels: tuple[str, str], limit: int) -> ExampleView:
    """Prepare an example; texts longer than `limit` characters are cut in the middle and say so."""
    pair = example.item.pair
    return ExampleView(
        headline=_headline(pair.question),
        kind=contrast_label(example.contrast, labels),
        state="right" if example.contrast in (Contrast.BOTH, Contrast.ONLY_SECOND) else "wrong",
        benchmark=example.item.benchmark,
        item_id=example.item.item_id,
        turns=tuple(Turn(turn.role.value, shortened(turn.content, limit)) for turn in pair.prompt),
        better=shortened(pair.chosen, limit),
        worse=shortened(pair.rejected, limit),
        sides=(_judged_by(labels[0], example.first, pair, limit), _judged_by(labels[1], example.second, pair, limit)),
    )


def _headline(question: str) -> str:
    line = " ".join(question.split())
    return line if len(line) <= HEADLINE_CHARACTERS else line[: HEADLINE_CHARACTERS - 1] + "…"


def _judged_by(label: str, orders: Orders, pair: PreferencePair, limit: int) -> JudgedBy:
    return JudgedBy(label, tuple(_judged(orders[side], pair, limit) for side in Side if side in orders))


def _judged(judgment: Judgment, pair: PreferencePair, limit: int) -> Judged:
    comparison = show(pair, judgment.better)
    pieces = () if judgment.reply is None else segments(judgment.reply, comparison.response_a, comparison.response_b)
    return Judged(
        shown=f"Better answer shown as {judgment.better}",
        verdict=_verdict(judgment),
        state={True: "right", False: "wrong", None: "unreadable"}[judgment.correct],
        segments=_cut(pieces, limit),
        no_text=_scores(judgment),
    )


def _verdict(judgment: Judgment) -> str:
    if judgment.verdict is None:
        return f"no verdict: {judgment.unreadable or 'unknown reason'}"
    return f"says {judgment.verdict}: {'right' if judgment.correct else 'wrong'}"


def _scores(judgment: Judgment) -> str:
    if judgment.scores is None:
        return "The judge wrote nothing."
    return f"The judge writes nothing; it scored A {judgment.scores[0]:.4g} and B {judgment.scores[1]:.4g}."


def _cut(pieces: tuple[Segment, ...], limit: int) -> tuple[Segment, ...]:
    """The pieces, long ones shortened; the verdict stays whole."""
    budget = max(200, limit // max(1, len(pieces)))
    total = sum(len(piece.text) for piece in pieces)
    if total <= limit:
        return pieces
    return tuple(Segment(piece.kind, shortened(piece.text, budget), piece.label) for piece in pieces)
