"""An example as the page shows it: texts cut to a readable length, replies in marked pieces, verdicts spelled out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from reasrm.judging.trace_structure import read_structure
from reasrm.records.comparison import Side, show
from reasrm.records.harmless_text import one_line
from reasrm.records.judgment import Judgment
from reasrm.records.pair import PreferencePair
from reasrm.records.rollout import Rollout
from reasrm.reporting.display_text import shortened
from reasrm.reporting.replies.before_after import RULE, RULE_WITHOUT_BASIS, ChosenPair
from reasrm.reporting.replies.examples import (
    ComparedItem,
    ComparedItems,
    Contrast,
    ItemKey,
    Orders,
    kind_of_question,
)
from reasrm.reporting.replies.trace_view import Segment, segments
from reasrm.reporting.replies.transitions import Transitions, VerdictChange

HEADLINE_CHARACTERS = 90


@dataclass(frozen=True)
class Turn:
    """One turn of the conversation."""

    role: str
    text: str


@dataclass(frozen=True)
class ShownReply:
    """One reply in one order."""

    shown: str
    """Which answer stood where."""
    verdict: str
    """The verdict and whether it is right."""
    state: str
    """`right`, `wrong` or `unreadable`; also the CSS class."""
    segments: tuple[Segment, ...]
    no_text: str
    """What stands instead where the judge wrote nothing."""


@dataclass(frozen=True)
class RepliesOfModel:
    """One model's replies in the orders that were asked."""

    model: str
    orders: tuple[ShownReply, ...]


@dataclass(frozen=True)
class ExampleView:
    """One item with the replies of two models."""

    anchor: str
    """Its place on the page."""
    headline: str
    kind: str
    state: str
    asks: str
    """Kind of question."""
    benchmark: str
    item_id: str
    turns: tuple[Turn, ...]
    better: str
    worse: str
    sides: tuple[RepliesOfModel, RepliesOfModel]


@dataclass(frozen=True)
class BeforeAfterView:
    """One pair in one order, judged before and after training."""

    turns: tuple[Turn, ...]
    answers: tuple[tuple[str, str, bool], ...]
    """Side, text, and whether it is the better answer."""
    replies: tuple[tuple[str, ShownReply], ...]
    """The model's name for readers and its reply, the earlier model first."""
    benchmark: str
    item_id: str
    kind: str
    """Kind of question."""
    chosen_by: str
    """The rule in words, and how many items there are."""
    how_to_read: str
    """What the parts of such replies are; empty where the replies have none of them."""


@dataclass(frozen=True)
class TransitionRow:
    """Verdicts of one kind of change that rest on the same before and on the same after."""

    change: str
    total: int
    """Of the kind of change; 0 in all rows but its first."""
    rows: int
    """Rows of the kind of change, in its first; else 0."""
    before: str
    after: str
    count: int
    anchor: str
    """Of an example; empty where none is shown."""


@dataclass(frozen=True)
class ExamplesView:
    """All that the page shows of single items."""

    models: tuple[str, str]
    """Names of the two models for readers, the earlier stage first."""
    shown: tuple[ExampleView, ...]
    counts: tuple[tuple[str, int], ...]
    """Items by kind of outcome, among all that both models judged."""
    transitions: tuple[TransitionRow, ...]
    by_kind: tuple[tuple[str, tuple[int, ...]], ...]
    """By kind of question the verdicts that stay right, become right, become wrong, stay wrong."""


def examples_view(
    chosen: ComparedItems, transitions: Transitions, labels: tuple[str, str], limit: int, names: Mapping[str, str]
) -> ExamplesView:
    """Prepare what was chosen.

    Args:
        chosen: items with both models' replies.
        transitions: of the same two models.
        labels: the models' names for readers.
        limit: longer texts are cut in the middle and say so; characters.
        names: the benchmarks' names for readers.
    """
    anchors = {(one.item.benchmark, one.item.item_id): f"example-{at}" for at, one in enumerate(chosen.shown, 1)}
    return ExamplesView(
        models=labels,
        shown=tuple(
            _example(example, anchor, labels, limit, names)
            for example, anchor in zip(chosen.shown, anchors.values(), strict=True)
        ),
        counts=tuple((contrast_label(contrast, labels), chosen.counts[contrast]) for contrast in Contrast),
        transitions=tuple(_transition_rows(transitions, anchors)),
        by_kind=tuple((kind, tuple(counts[c] for c in VerdictChange)) for kind, counts in transitions.by_kind.items()),
    )


def _transition_rows(transitions: Transitions, anchors: Mapping[ItemKey, str]) -> Iterator[TransitionRow]:
    for changed in transitions.changes:
        for at, reason in enumerate(changed.reasons):
            yield TransitionRow(
                change=changed.change.value,
                total=0 if at else changed.count,
                rows=0 if at else len(changed.reasons),
                before=reason.before,
                after=reason.after,
                count=reason.count,
                anchor=anchors.get(reason.example, ""),
            )


def contrast_label(contrast: Contrast, labels: tuple[str, str]) -> str:
    """The kind of outcome with the models' names."""
    return {
        Contrast.ONLY_SECOND: f"only {labels[1]} is right",
        Contrast.BOTH: "both are right",
        Contrast.ONLY_FIRST: f"only {labels[0]} is right",
        Contrast.NEITHER: "neither is right",
    }[contrast]


def _example(
    example: ComparedItem, anchor: str, labels: tuple[str, str], limit: int, names: Mapping[str, str]
) -> ExampleView:
    pair = example.item.pair
    return ExampleView(
        anchor=anchor,
        headline=one_line(pair.question, HEADLINE_CHARACTERS),
        kind=contrast_label(example.contrast, labels),
        state="right" if example.contrast in (Contrast.BOTH, Contrast.ONLY_SECOND) else "wrong",
        asks=kind_of_question(example.item),
        benchmark=names.get(example.item.benchmark, example.item.benchmark),
        item_id=example.item.item_id,
        turns=_turns(pair, limit),
        better=shortened(pair.chosen, limit),
        worse=shortened(pair.rejected, limit),
        sides=(_replies_of(labels[0], example.first, pair, limit), _replies_of(labels[1], example.second, pair, limit)),
    )


def before_after_view(
    chosen: ChosenPair, labels: tuple[str, str], limit: int, names: Mapping[str, str]
) -> BeforeAfterView:
    """Prepare the pair that the page opens with; arguments as of `examples_view`."""
    one = chosen.pair
    item, better = one.compared.item, one.better
    comparison = show(item.pair, better)
    answers = {Side.A: comparison.response_a, Side.B: comparison.response_b}
    replies = (one.compared.first[better], one.compared.second[better])
    return BeforeAfterView(
        turns=_turns(item.pair, limit),
        answers=tuple((side.value, shortened(text, limit), side is better) for side, text in answers.items()),
        replies=tuple(
            (label, _shown_reply(reply, item.pair, limit)) for label, reply in zip(labels, replies, strict=True)
        ),
        benchmark=names.get(item.benchmark, item.benchmark),
        item_id=item.item_id,
        kind=kind_of_question(item),
        chosen_by=(RULE if chosen.fitting else RULE_WITHOUT_BASIS).format(
            improved=chosen.improved, fitting=chosen.fitting, before=labels[0], after=labels[1]
        ),
        how_to_read=_how_to_read(replies),
    )


def _how_to_read(replies: Iterable[Judgment]) -> str:
    """What the parts of these replies are, in the order in which they are written."""
    structures = [read_structure(one.reply.text) for one in replies if one.reply is not None]
    parts = (
        ("a rubric, each criterion with its weight in percent,", any(one.rubric for one in structures)),
        ("the judge's own solution", any(one.solution for one in structures)),
    )
    said = " or ".join(words for words, written in parts if written)
    return f"How to read a reply: first {said}; then quotations; then the verdict." if said else ""


def _turns(pair: PreferencePair, limit: int) -> tuple[Turn, ...]:
    return tuple(Turn(turn.role.value, shortened(turn.content, limit)) for turn in pair.prompt)


def _replies_of(label: str, orders: Orders, pair: PreferencePair, limit: int) -> RepliesOfModel:
    return RepliesOfModel(label, tuple(_shown_reply(orders[side], pair, limit) for side in Side if side in orders))


def _shown_reply(judgment: Judgment, pair: PreferencePair, limit: int) -> ShownReply:
    comparison = show(pair, judgment.better)
    pieces = () if judgment.reply is None else segments(judgment.reply, comparison.response_a, comparison.response_b)
    return ShownReply(
        shown=f"Better answer shown as {judgment.better}",
        verdict=verdict_in_words(judgment),
        state={True: "right", False: "wrong", None: "unreadable"}[judgment.correct],
        segments=cut_segments(pieces, limit),
        no_text=_scores(judgment),
    )


def verdict_in_words(judgment: Judgment | Rollout) -> str:
    """The verdict and whether it is right, or why there is none."""
    if judgment.verdict is None:
        return f"no verdict: {judgment.unreadable or 'unknown reason'}"
    return f"says {judgment.verdict}: {'right' if judgment.correct else 'wrong'}"


def _scores(judgment: Judgment) -> str:
    if judgment.scores is None:
        return "The judge wrote nothing."
    return f"The judge writes nothing; it scored A {judgment.scores[0]:.4g} and B {judgment.scores[1]:.4g}."


def cut_segments(pieces: tuple[Segment, ...], limit: int) -> tuple[Segment, ...]:
    """The pieces, long ones shortened; the verdict stays whole."""
    budget = max(200, limit // max(1, len(pieces)))
    total = sum(len(piece.text) for piece in pieces)
    if total <= limit:
        return pieces
    return tuple(replace(piece, text=shortened(piece.text, budget)) for piece in pieces)
