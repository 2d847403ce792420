"""Does the stated reasoning carry the verdict, causally: what becomes of it where a step is corrupted?

NLDD, the normalised logit difference decay (arXiv 2602.11201, section 3, and its code). With LD the log-odds of the
right letter over the wrong one behind the prompt and the judge's own trace up to `<answer>[[`, and LD_k the same with
step k corrupted and all later steps kept: NLDD_k = 100 * (LD - LD_k) / |LD|. 0 says that the step carries nothing,
100 that without it nothing is decided, 200 that the verdict is turned as firmly. Only traces with a right verdict are
looked at.

Departures: S, by which the paper divides both, cancels here and is left out. Log-odds of two single tokens stand for
maxima over groups of tokens. Counterfactuals come from rules (`reasoning.step_edits`) and are not filtered by their
perplexity, nor rows by the letters' probability. Steps are placed in relative, not absolute, bins. Beside NLDD:
reasoning taken away whole (early answering, arXiv 2307.13702), and reasoning for the other side put in its place.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from reasrm.probes.measure import Measure
from reasrm.probes.probe import Probe
from reasrm.probes.query import JudgeTraits, ProbeAnswer, ProbeContext, ProbeQuery
from reasrm.probes.reasoning.nldd_measures import FLAT, nldd_measures
from reasrm.probes.reasoning.step_edits import Kind
from reasrm.probes.reasoning.trace_edits import FIXED_QUERIES, ItemEdits, TraceEdits
from reasrm.probes.reasoning.word_exchange import Ring

NO_MARGINS = "the log-odds of its verdict's letters cannot be asked for"


class NlddProbe(Probe):
    """The judge's own traces, given back with one step changed; nothing is written, one forward pass each."""

    name: ClassVar[str] = "nldd"
    title: ClassVar[str] = "Does the reasoning carry the verdict?"
    question: ClassVar[str] = "What becomes of the verdict where a step of the stated reasoning is corrupted?"
    source: ClassVar[str] = "NLDD, arXiv 2602.11201; early answering, arXiv 2307.13702"
    definitions: ClassVar[Mapping[str, str]] = {
        "nldd": "100 * (LD - LD_k) / |LD|, the mean over steps, then questions, in percent; by kind of corruption in "
        f"the variants. Left out are steps that no rule corrupts. Where |LD| <= {FLAT:g} it is 0.",
        "flat_margins": f"share of items whose |LD| is at most {FLAT:g}, so that NLDD is set to 0.",
        "verdict_turned": "share of corrupted steps behind which the log-odds have the other sign than behind the "
        "trace as it is.",
        "nldd_paraphrased": "the same of steps in other words with the same meaning; left out are steps that no rule "
        "rewords.",
        "nldd_random_step": "the same of steps whose words are those of the step at the same place in another item's "
        "trace with the same verdict and the same sections: foreign words that argue for the same side.",
        "nldd_net": "NLDD of a corrupted step minus that of the same step under the control that the variant names.",
        "nldd_at": "NLDD by the step's place in its trace, from 0 % (beginning) to 100 % (verdict).",
        "horizon": "place in the trace, from 0 to 1, of the steepest drop of the NLDD curve over bins, smoothed with "
        "sigma = 1, first and last bin apart; behind it, steps carry less. None where it drops nowhere there.",
        "horizon_peak": "the same with the greatest value of the smoothed curve, first and last bin included: it says "
        "whether all rests on the last steps.",
        "faithful": "share of items of which some step has an NLDD of at least `faithful`.",
        "nldd_no_reasoning": "NLDD with the whole reasoning taken away, so that the verdict stands behind the prompt.",
        "decided_before": "share of items whose log-odds behind the prompt alone have the verdict's sign already.",
        "follows_pasted": "share of pasted reasonings whose verdict the log-odds follow, against the judge's own: "
        "`swapped_order` is what it wrote itself about the same answers when they had changed places, `other_item` "
        "what it wrote about another item and the other side won.",
    }

    kinds: tuple[Kind, ...] = Field(min_length=1)
    """Which corruptions are tried, in this order; the first that changes a step is taken."""
    exchanges: tuple[Ring, ...]
    """Words of judgment and negation; the first ring that occurs in a step is exchanged."""
    synonyms: tuple[Ring, ...]
    """Words that mean the same, for paraphrases."""
    most_steps: int = Field(gt=1)
    """Steps of longer traces are joined to so many."""
    controls: int = Field(ge=0)
    """Steps of each item that get both controls, drawn by hash among its corrupted ones."""
    bins: int = Field(gt=2)
    """Of the curve."""
    faithful: float
    """NLDD, in percent, from which on a step counts as carrying the verdict; 50 in the paper."""

    def refuses(self, traits: JudgeTraits) -> str:
        """A judge without margins."""
        return "" if traits.margins else NO_MARGINS

    def most_queries(self, items: int, _traits: JudgeTraits) -> int:
        """The trace as it is, without and with other reasoning; each step; two controls."""
        return items * (FIXED_QUERIES + self.most_steps + 2 * self.controls)

    def queries(self, context: ProbeContext) -> Iterator[ProbeQuery]:
        """All edits of each item's trace."""
        for edits in self._edits(context):
            yield from edits.queries

    def measures(self, context: ProbeContext, answers: Sequence[ProbeAnswer]) -> Iterator[Measure]:
        """From the signed log-odds of the answers."""
        yield from nldd_measures(context, self._edits(context), answers, self.bins, self.faithful)

    def _edits(self, context: ProbeContext) -> list[ItemEdits]:
        settings = (self.kinds, self.exchanges, self.synonyms, self.most_steps, self.controls)
        return TraceEdits(context, *settings).all()
