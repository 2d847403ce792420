"""Ask the oracle which of two answers of a policy is better: in both orders, no more questions than the cap.

Every candidate ends as exactly one outcome with its reason; a label is what both orders agree on. Replies live in one
ledger for all rounds, keyed by the exact request: a killed or stopped run goes on where it was, and no question that an
earlier round has asked is paid for again.

Reads:   the candidates
Writes:  data/relabelled/<set>/relabelled.jsonl, metrics.json (questions, outcomes, tokens, dollars)
Resumes: ledgers/relabel.jsonl
Run:     python -m stages.improving.relabel round-1-train      (or: dvc repro relabel@round-1-train)
Exit:    0 all asked; 3 stopped with everything kept (budget, credit, outage, key, signal): the same command goes on
"""

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.passes import OraclePass, PassResult
from reasrm.distillation.prices import Prices, library_prices
from reasrm.distillation.request_plan import Oracle
from reasrm.distillation.settings import AskingSettings
from reasrm.distillation.traces import PassTotals
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.miniature.oracle_server import local_oracle
from reasrm.policy.hard_cases.relabelling import Relabelling, relabelling_metrics
from reasrm.records.hard_case import Candidate, RelabelledCandidate
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.trace import OracleTrace, TracePass
from reasrm.runtime.kept_folders import WORK, ledger_file
from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import run_stage

RELABELLED = Path("data/relabelled")


class RelabelParams(StageParams):
    """Section `relabel` of params.yaml, with the set's own keys laid over it."""

    section: ClassVar[str] = "relabel"

    reads: Path
    """The file of candidates, first ones first."""
    most_questions: int = Field(ge=2)
    """The cap: two questions per candidate, one for each order."""
    local: bool
    """Whether the miniature's own oracle is asked, which costs nothing; else the vendor, by the SDK's environment."""
    vendor: ApiProtocol
    model: str
    """Dated model id."""
    prices: Prices | None
    """Dollars per million tokens; null takes those that the library genai-prices ships for the model, if it does."""
    prompt_variant: PromptVariant
    max_tokens: int = Field(gt=0)
    """Longest reply, in tokens."""
    truncated_retries: int = Field(ge=0)
    """How often a reply that was cut off is asked for again, each time with twice the limit."""
    cache_system_prompt: bool
    """Mark the system text as cacheable (Anthropic; OpenAI caches by itself)."""

    def oracle(self) -> Oracle:
        """Who is asked."""
        prices = self.prices or library_prices(self.vendor, self.model)
        limits = (self.max_tokens, self.truncated_retries, self.cache_system_prompt)
        return Oracle(self.vendor, self.model, prices, *limits)


def ask(name: str, params: RelabelParams, relabelling: Relabelling) -> tuple[PassResult, list[RelabelledCandidate]]:
    """Ask what the ledger does not answer; give what became of every candidate, unless the run was stopped.

    Raises:
        StageError: a budget is set and the model's price is not known; or another run writes to the ledger.
    """
    traces = WORK / f"relabel-{name}" / "traces.jsonl"
    asking = OraclePass(
        name=f"relabel@{name}",
        which=TracePass.FIRST,
        questions=relabelling.questions,
        oracle=params.oracle(),
        settings=AskingSettings.of_this_run(),
        ledger=ledger_file("relabel", paid=True),
        budget_is_set_by="`budget_usd` (params.yaml, distill_traces_asking) and --budget-usd, if either is given,",
        prices_are_given_by="give `prices` in params.yaml (relabel)",
    )
    result = asking.run(traces, local_oracle if params.local else nullcontext)
    if result.stop is not None:
        return result, []
    found = relabelling.outcomes(list(read_records(traces, OracleTrace)))
    traces.unlink()
    return result, found


def main(name: str) -> str:
    """Relabel one set of candidates; return the summary line.

    Raises:
        StoppedResumable: the run was stopped before every question was settled.
    """
    params = RelabelParams.load(name)
    candidates = list(read_records(params.reads, Candidate))
    found: list[RelabelledCandidate] = []
    totals = PassTotals(params.oracle().prices)
    if candidates:  # two judges that agree everywhere leave none, and that is an answer too
        result, found = ask(name, params, Relabelling(candidates, params.most_questions, params.prompt_variant))
        result.raise_if_stopped()
        totals = result.totals
    metrics = relabelling_metrics(found, totals)
    with new_folder(RELABELLED / name) as folder:
        write_records(folder / "relabelled.jsonl", found)
        write_json(folder / "metrics.json", metrics)
    usd = "unknown" if metrics["usd"] is None else f"${metrics['usd']:.4f}"
    free = " at list prices, asked of the local oracle for nothing" if params.local else ""
    return f"{name}: {metrics['questions']} questions, {usd}{free}; {metrics['outcomes']}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Ask the oracle about candidates in both orders.")
    parser.add_argument("set", help="a key of `relabel_variants` in params.yaml")
    chosen = parser.parse_args().set
    run_stage(f"relabel-{chosen}", lambda: main(chosen))
