"""An example as the page shows it: texts cut to a readable length, replies in marked pieces, verdicts spelled out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reasrm.records.comparison import Side, show
from reasrm.records.harmless_text import one_line
from reasrm.records.judgment import Judgment
from reasrm.records.pair import PreferencePair
from reasrm.records.rollout import Rollout
from reasrm.reporting.display_text import shortened
from reasrm.reporting.examples import BeforeAfter, ComparedItem, ComparedItems, Contrast, Orders, kind_of_question
from reasrm.reporting.trace_view import Segment, segments

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

    headline: str
    kind: str
    state: str
    benchmark: str
    item_id: str
    turns: tuple[Turn, ...]
    better: str
    worse: str
    sides: tuple[RepliesOfModel, RepliesOfModel]


@dataclass(frozen=True)
class BeforeAfterView:
    """One pair in one order, judged by the earlier and by the later model."""

    turns: tuple[Turn, ...]
    answers: tuple[tuple[str, str, bool], ...]
    """Side, text, and whether it is the better answer."""
    replies: tuple[tuple[str, ShownReply], ...]
    """The model's name for readers and its reply, the earlier model first."""
    benchmark: str
    item_id: str
    kind: str
    """Kind of question."""
    solved: bool
    """Whether the later model alone writes a worked solution."""
    out_of: int
    """Items that the later model alone judges rightly in every order that was asked."""


@dataclass(frozen=True)
class ExamplesView:
    """All that the page shows of single items."""

    models: tuple[str, str]
    """Names of the two models for readers, the earlier stage first."""
    before_after: BeforeAfterView | None
    shown: tuple[ExampleView, ...]
    counts: tuple[tuple[str, int], ...]
    """Items by kind of outcome, among all that both models judged."""
    transitions: tuple[tuple[str, tuple[int, int, int, int]], ...]
    """By kind of question the items that stay right, become right, become wrong, stay wrong."""


def examples_view(chosen: ComparedItems, labels: tuple[str, str], limit: int, names: Mapping[str, str]) -> ExamplesView:
    """Prepare what was chosen.

    Args:
        chosen: items with both models' replies.
        labels: the models' names for readers.
        limit: longer texts are cut in the middle and say so; characters.
        names: the benchmarks' names for readers.
    """
    one, improved = chosen.before_after, chosen.counts[Contrast.ONLY_SECOND]
    order = (Contrast.BOTH, Contrast.ONLY_SECOND, Contrast.ONLY_FIRST, Contrast.NEITHER)
    return ExamplesView(
        models=labels,
        before_after=None if one is None else _before_after(one, improved, labels, limit, names),
        shown=tuple(_example(example, labels, limit, names) for example in chosen.shown),
        counts=tuple((contrast_label(contrast, labels), chosen.counts[contrast]) for contrast in Contrast),
        transitions=tuple(
            (kind, (counts[order[0]], counts[order[1]], counts[order[2]], counts[order[3]]))
            for kind, counts in chosen.transitions.items()
        ),
    )


def contrast_label(contrast: Contrast, labels: tuple[str, str]) -> str:
    """The kind of outcome with the models' names."""
    return {
        Contrast.ONLY_SECOND: f"only {labels[1]} is right",
        Contrast.BOTH: "both are right",
        Contrast.ONLY_FIRST: f"only {labels[0]} is right",
        Contrast.NEITHER: "neither is right",
    }[contrast]


def _example(example: ComparedItem, labels: tuple[str, str], limit: int, names: Mapping[str, str]) -> ExampleView:
    pair = example.item.pair
    return ExampleView(
        headline=one_line(pair.question, HEADLINE_CHARACTERS),
        kind=contrast_label(example.contrast, labels),
        state="right" if example.contrast in (Contrast.BOTH, Contrast.ONLY_SECOND) else "wrong",
        benchmark=names.get(example.item.benchmark, example.item.benchmark),
        item_id=example.item.item_id,
        turns=_turns(pair, limit),
        better=shortened(pair.chosen, limit),
        worse=shortened(pair.rejected, limit),
        sides=(_replies_of(labels[0], example.first, pair, limit), _replies_of(labels[1], example.second, pair, limit)),
    )


def _before_after(
    chosen: BeforeAfter, out_of: int, labels: tuple[str, str], limit: int, names: Mapping[str, str]
) -> BeforeAfterView:
    item, better = chosen.compared.item, chosen.better
    comparison = show(item.pair, better)
    answers = {Side.A: comparison.response_a, Side.B: comparison.response_b}
    replies = (chosen.compared.first[better], chosen.compared.second[better])
    return BeforeAfterView(
        turns=_turns(item.pair, limit),
        answers=tuple((side.value, shortened(text, limit), side is better) for side, text in answers.items()),
        replies=tuple(
            (label, _shown_reply(reply, item.pair, limit)) for label, reply in zip(labels, replies, strict=True)
        ),
        benchmark=names.get(item.benchmark, item.benchmark),
        item_id=item.item_id,
        kind=kind_of_question(item),
        solved=chosen.solved,
        out_of=out_of,
    )


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
