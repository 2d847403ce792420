"""What a probe asks a judge, and what comes back.

A probe perturbs an item of a benchmark (or of a user's file) and has it judged: a *query*. Most queries are comparisons
like any other; a *condition* says what else is different from plain judging.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reasrm.evaluation.judge_template import JudgeTemplate
from reasrm.records.comparison import Comparison, Side
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.pair import PreferencePair


@dataclass(frozen=True, slots=True)
class ProbeItem:
    """A pair that probes perturb."""

    benchmark: str
    """The benchmark's name; of a user's file, the file's."""
    item_id: str
    question: str
    """Identifies its question, which items of several benchmarks may share: intervals are drawn over these."""
    pair: PreferencePair
    family: str = ""
    """Empty where the rows name none."""
    slice: str = ""
    """A part of the family; empty where the rows name none."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How a judge is asked where it is not asked as in plain judging."""

    begun: str = ""
    """Text with which the judge's reply is made to begin; only a checkpoint that is run here can be made to."""
    defused: bool = True
    """Whether imitated delimiters and tags in the texts are made harmless (`judging.untrusted_text`)."""
    draw: int | None = None
    """Seed of a reply that is drawn at the probe's temperature; None: as the judge replies anyway."""
    temperature: float = 0.0
    """Of a drawn reply."""
    margin: bool = False
    """Nothing is written; asked is the log-odds of A over B as the next token behind `begun`."""
    template: JudgeTemplate | None = None
    """How the judge is prompted and its reply read; None: as in plain judging."""


PLAIN = Condition()
"""Asked as any comparison is."""


@dataclass(frozen=True, slots=True)
class ProbeQuery:
    """One perturbed comparison."""

    item: ProbeItem
    variant: str
    """Which perturbation it is, in the probe's own words; lower case with underscores."""
    comparison: Comparison
    """As it is shown. `better` is the side of the item's better answer, whatever became of its text."""
    condition: Condition = PLAIN
    step: int | None = None
    """Which step of a reply is perturbed, from 0; None where that is not what is perturbed."""


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What the judge made of a query: a judgment, a margin, or neither because it cannot read the words."""

    query: ProbeQuery
    judgment: ComparisonJudgment | None = None
    margin: float | None = None
    """Log-odds of A over B (nats): log p(A) - log p(B); None where it was not asked for or is not known."""
    unknown_words: bool = False
    """The judge's vocabulary lacks words of the query, so it was not asked: its reply would be noise."""

    @property
    def correct(self) -> bool | None:
        """Whether the verdict names the item's better answer; None without a verdict."""
        verdict = None if self.judgment is None else self.judgment.verdict
        return None if verdict is None else verdict is self.query.comparison.better


class PlainJudgment(NamedTuple):
    """An item as it was judged without any perturbation, in one order."""

    item: ProbeItem
    better: Side
    """The side on which its better answer was shown."""
    judgment: ComparisonJudgment

    @property
    def correct(self) -> bool | None:
        """Whether the verdict names the better answer; None without a verdict."""
        return None if self.judgment.verdict is None else self.judgment.verdict is self.better


@dataclass(frozen=True, slots=True)
class JudgeTraits:
    """What can be asked of a judge."""

    writes: bool
    """It writes replies; else it only scores."""
    continues: bool
    """Its replies can be made to begin with a text."""
    margins: bool
    """The log-odds of its verdict's letters can be asked for."""
    draws: bool
    """Replies can be drawn at a temperature."""
    own_prompt: bool
    """It is asked with the project's own prompt, whose defusing can be switched off and whose tags it writes."""


RECORDED = JudgeTraits(writes=True, continues=False, margins=False, draws=False, own_prompt=False)
"""A judge of which there are only recorded replies: nothing can be asked."""


@dataclass(frozen=True, slots=True)
class ProbeContext:
    """What a probe is given."""

    items: Sequence[ProbeItem]
    """The sample that it asks about, one item per question."""
    plain: Mapping[tuple[str, str], Mapping[Side, PlainJudgment]]
    """Every plain judgment that there is, of all items and not the sample alone: by benchmark and item id, then by the
    side on which the better answer was shown."""
    traits: JudgeTraits
    resamples: int
    """Of each bootstrap."""
    seed: int

    def plain_of(self, item: ProbeItem, better: Side) -> PlainJudgment | None:
        """The plain judgment of `item` with its better answer on the side `better`; None if there is none."""
        return self.plain.get((item.benchmark, item.item_id), {}).get(better)

    @property
    def all_plain(self) -> list[PlainJudgment]:
        """All plain judgments, in order."""
        return [one for orders in self.plain.values() for one in orders.values()]
