"""The two passes as the pipeline runs them: what each asks about, a ledger for each, and one budget for both."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reasrm.distillation.passes import OraclePass, PassResult, spent_on
from reasrm.distillation.questions import OracleQuestion, first_pass, second_pass
from reasrm.distillation.request_plan import Oracle
from reasrm.distillation.settings import AskingSettings
from reasrm.distillation.traces import PassTotals, traces
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.jsonl import read_records
from reasrm.records.ledger import ReadOnlyLedger
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import OracleTrace, TracePass
from reasrm.runtime.kept_folders import ledger_file
from reasrm.runtime.stage_main import StageError

STAGE = "distill_traces"


@dataclass(frozen=True)
class PipelinePass:
    """One pass, as the stage's parameters describe it."""

    which: TracePass
    asks_about: Path
    """Pairs for the first pass, the first pass's traces for the second."""
    seed: int
    """Decides, with each pair's hash, on which side the better answer is shown."""
    prompt_variant: PromptVariant
    oracle: Oracle

    @property
    def ledger(self) -> Path:
        """Where its replies are kept."""
        return ledger_file(f"{STAGE}-{self.which}", paid=True)

    def questions(self) -> Iterator[OracleQuestion]:
        """Its questions, read from its input."""
        if self.which is TracePass.FIRST:
            return first_pass(read_records(self.asks_about, PreferencePair), self.seed, self.prompt_variant)
        return second_pass(read_records(self.asks_about, OracleTrace), self.prompt_variant)

    def require_input(self) -> None:
        """Make sure that there is something to ask about.

        Raises:
            StageError: the input is not there.
        """
        if not self.asks_about.exists():
            raise StageError(f"{self.asks_about} is not there yet: run the stages before `{STAGE}@{self.which}` first")


LoadPass = Callable[[TracePass], PipelinePass]
"""Reads the parameters of a pass."""


def oracle_pass(which: TracePass, load: LoadPass, settings: AskingSettings) -> OraclePass:
    """The pass `which`, ready to run; what the other one has cost counts against the same budget.

    Raises:
        StageError: a budget is set, and the price of the other pass's replies is not known.
    """
    one = load(which)
    return OraclePass(
        name=f"{STAGE}@{which}",
        which=which,
        questions=one.questions,
        oracle=one.oracle,
        settings=settings,
        ledger=one.ledger,
        budget_is_set_by="`budget_usd` (params.yaml, distill_traces_asking) and --budget-usd, if either is given,",
        prices_are_given_by=f"give `prices` in params.yaml ({STAGE}_variants: {which})",
        other_pass_usd=0.0 if settings.budget_usd is None else _spent_on_the_other(which, load),
    )


def require_whole_replies(result: PassResult, least_share: float, out: Path) -> None:
    """Make sure that enough of a pass's pairs got a whole reply: otherwise the oracle or the settings are broken.

    Raises:
        StageError: less than `least_share` of them, or none; `out`, the traces, says why for each.
    """
    totals = result.totals
    if totals.ok_share() < least_share or not totals.ok_share():
        raise StageError(
            f"only {totals.ok_share():.1%} of {totals.asked} pairs got a whole reply, less than `min_ok_share` "
            f"{least_share:.0%}: {totals.metrics()['outcomes']}; see `detail` in {out}"
        )


def _spent_on_the_other(which: TracePass, load: LoadPass) -> float:
    """Dollars that the pass besides `which` has cost for the present questions.

    The second pass's questions follow from the replies to the first, of which only some may be there yet.
    """
    first, second = load(TracePass.FIRST), load(TracePass.SECOND)
    if which is TracePass.SECOND:
        pairs = (trace.pair for trace in read_records(second.asks_about, OracleTrace))
        return spent_on(first_pass(pairs, first.seed, first.prompt_variant), first.oracle, first.ledger)
    if not second.ledger.exists():
        return 0.0
    with ReadOnlyLedger(first.ledger) as ledger:
        plan, model, totals = first.oracle.plan(), first.oracle.model, PassTotals(first.oracle.prices)
        known = traces(first.questions(), plan, ledger, TracePass.FIRST, model, totals, only_settled=True)
        return spent_on(second_pass(known, second.prompt_variant), second.oracle, second.ledger)
