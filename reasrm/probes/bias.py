"""Does the judge pick an answer for its length, its looks, its place or its author, more often than it is better?

Read off the plain judgments; nothing is asked. Every rate is net of the gold rate: an answer that is longer may also be
better, so what counts is how much oftener the judge picks the longer one than the gold labels do, paired over
questions. A judge that errs at random falls back towards one half where the gold rate is not one half, which looks like
a bias against; `accuracy_gap` does not: it sets the pairs whose better answer has more against those whose better
answer has less. Length after AlpacaEval's length control (arXiv 2404.04475), looks after RM-Bench (arXiv 2410.16184),
place and author after MT-Bench (arXiv 2306.05685, section 3.3).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar, NamedTuple

from reasrm.probes.measure import Measure
from reasrm.probes.measuring.two_shares import gap
from reasrm.probes.perturbations.answer_style import MARKS
from reasrm.probes.probe import Probe
from reasrm.probes.query import PlainJudgment, ProbeAnswer, ProbeContext
from reasrm.probes.statistics import Unit, difference, share
from reasrm.records.comparison import Side


class Favoured(NamedTuple):
    """A judgment of two answers of which one has more of something than the other."""

    plain: PlainJudgment
    better_has_more: bool
    """What the gold label picks."""

    @property
    def question(self) -> str:
        """Of the item."""
        return self.plain.item.question

    @property
    def picked(self) -> bool:
        """Whether the verdict names the answer with more."""
        return bool(self.plain.correct) is self.better_has_more


class BiasProbe(Probe):
    """Plain judgments of all items, both orders."""

    name: ClassVar[str] = "bias"
    title: ClassVar[str] = "Length, looks, place and author of an answer"
    question: ClassVar[str] = (
        "Does the judge pick an answer for its length, its looks, its place or its author, more often than it is "
        "better?"
    )
    source: ClassVar[str] = "arXiv 2306.05685, section 3.3; 2404.04475; 2410.16184"
    definitions: ClassVar[Mapping[str, str]] = {
        "net_rate": "how often the judge picks the answer with more, minus how often the gold label does, over "
        "readable judgments of pairs whose answers differ in it: `length` (characters), `heading`, `bold`, `list` "
        "(how many of each kind of Markdown), `markdown` (of all kinds together), `position` (the one shown as A), "
        "`own` (the one that the judge itself wrote). 0 without a bias; random errors pull it towards one half minus "
        "the gold rate.",
        "picked_rate": "how often the judge picks the answer with more.",
        "gold_rate": "how often the better answer is the one with more.",
        "accuracy_gap": "accuracy where the better answer has more, minus accuracy where it has less; 0 without a "
        "bias, whatever the gold rate and however many errors. Interval by a bootstrap over questions.",
    }

    own_names: tuple[str, ...]
    """Names of the judge among the authors of answers; empty if it wrote none."""
    author_labels: tuple[str, str]
    """Labels of a pair that name the author of the better and of the worse answer."""

    def measures(self, context: ProbeContext, _answers: Sequence[ProbeAnswer]) -> Iterator[Measure]:
        """By what the answers differ in; nothing about what none differ in."""
        for variant, has_more in self._traits_of_answers().items():
            differing = [
                Favoured(plain, better > worse)
                for plain in context.all_plain
                for better, worse in [has_more(plain)]
                if better != worse
            ]
            yield from _of(context, variant, differing)

    def _traits_of_answers(self) -> dict[str, Callable[[PlainJudgment], tuple[int, int]]]:
        """How much of each thing the better and the worse answer of a judgment have."""

        def of_texts(count: Callable[[str], int]) -> Callable[[PlainJudgment], tuple[int, int]]:
            return lambda plain: (count(plain.item.pair.chosen), count(plain.item.pair.rejected))

        def marks(kind: str) -> Callable[[str], int]:
            return lambda text: len(MARKS[kind].findall(text))

        return {
            "length": of_texts(len),
            "markdown": of_texts(lambda text: sum(marks(kind)(text) for kind in MARKS)),
            **{kind: of_texts(marks(kind)) for kind in MARKS},
            "position": lambda plain: (int(plain.better is Side.A), int(plain.better is Side.B)),
            "own": self._own,
        }

    def _own(self, plain: PlainJudgment) -> tuple[int, int]:
        authors = (plain.item.pair.labels.get(label, "") for label in self.author_labels)
        better, worse = (int(author in self.own_names) for author in authors)
        return better, worse


def _of(context: ProbeContext, variant: str, differing: Sequence[Favoured]) -> Iterator[Measure]:
    """The measures of one thing in which answers differ."""
    readable = [one for one in differing if one.plain.correct is not None]
    lost = len(differing) - len(readable)
    net = [Unit(one.question, float(one.picked) - float(one.better_has_more)) for one in readable]
    yield from difference(context, "net_rate", net, variant=variant, left_out=lost)
    picked = (Unit(one.question, float(one.picked)) for one in readable)
    yield from share(context, "picked_rate", picked, variant=variant, left_out=lost)
    gold = (Unit(one.question, float(one.better_has_more)) for one in readable)
    yield from share(context, "gold_rate", gold, variant=variant, left_out=lost)
    more, less = (
        [Unit(one.question, float(bool(one.plain.correct))) for one in readable if one.better_has_more is wanted]
        for wanted in (True, False)
    )
    yield from gap(context, "accuracy_gap", more, less, variant=variant, left_out=lost)
