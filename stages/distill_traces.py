"""Ask the oracle to judge each pair: first without help; then, only where that failed, with the right verdict as hint.

The two passes are the paper's (arXiv 2505.02387, appendix B). Every pair asked about ends as exactly one outcome.
Replies live in a ledger outside of DVC's outputs, keyed by the exact request: a killed or stopped run goes on where it
was, and nothing that the ledger holds is paid for again.

Reads:   first: data/pairs/distill.jsonl          second: data/traces/first.jsonl
Writes:  data/traces/first.jsonl, first.metrics.json (second likewise); ledgers/distill_traces-first.jsonl
Run:     python -m stages.distill_traces first      (or: dvc repro distill_traces@first)
         python -m stages.distill_traces first --dry-run --json      what is still to be asked, and its price
Exit:    0 all asked; 3 stopped with everything kept (budget, credit, outage, key, signal): the same command goes on,
         after a stop for the budget with a larger one; what was spent so far is in the metrics then
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.cost import Prices
from reasrm.distillation.online_run import Oracle
from reasrm.distillation.passes import OraclePass, spent_on
from reasrm.distillation.questions import Case, first_pass, second_pass
from reasrm.distillation.settings import AskingSettings
from reasrm.distillation.traces import PassTotals, traces
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.miniature.oracle_server import local_oracle
from reasrm.records.jsonl import read_records
from reasrm.records.ledger import ReadOnlyLedger
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import OracleTrace, TracePass
from reasrm.runtime.outputs import write_json
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import StageError, run_stage
from reasrm.runtime.work_folder import LEDGERS

TRACES = Path("data/traces")


class Endpoint(StrEnum):
    """Where the oracle is."""

    LOCAL = "local"
    """The miniature's own server, started by the stage for the length of its run."""
    ENVIRONMENT = "environment"
    """The vendor, or what the SDK's own environment variables name (ANTHROPIC_BASE_URL, OPENAI_BASE_URL, keys)."""


class DistillTracesParams(StageParams):
    """Section `distill_traces` of params.yaml, with the pass's own section laid over it."""

    section: ClassVar[str] = "distill_traces"

    endpoint: Endpoint
    seed: int
    """Decides, with each pair's hash, on which side the better answer is shown."""
    prompt_variant: PromptVariant
    max_tokens: int = Field(gt=0)
    """Longest reply, in tokens."""
    truncated_retries: int = Field(ge=0)
    """How often a reply that was cut off is asked for again, each time with twice the limit."""
    min_ok_share: float = Field(ge=0, le=1)
    """Fail if fewer of the pass's pairs end with a whole reply: the oracle or the settings are broken."""
    asks_about: Path
    """The file whose pairs (or, for the second pass, traces) are asked about."""
    vendor: ApiProtocol
    model: str
    """Dated model id."""
    prices: Prices
    cache_system_prompt: bool
    """Mark the system text as cacheable (Anthropic; OpenAI caches by itself)."""

    def oracle(self) -> Oracle:
        """Who is asked, and for what."""
        return Oracle(
            self.vendor, self.model, self.prices, self.max_tokens, self.truncated_retries, self.cache_system_prompt
        )


def cases(which: TracePass, params: DistillTracesParams) -> Iterator[Case]:
    """The cases of a pass, read from its input."""
    if which is TracePass.FIRST:
        return first_pass(read_records(params.asks_about, PreferencePair), params.seed, params.prompt_variant)
    return second_pass(read_records(params.asks_about, OracleTrace), params.prompt_variant)


def ledger_of(which: TracePass) -> Path:
    """Where the replies of a pass are kept."""
    return LEDGERS / f"distill_traces-{which}.jsonl"


def oracle_pass(which: TracePass, params: DistillTracesParams, settings: AskingSettings) -> OraclePass:
    """The pass as it is to be run; what the other pass has cost counts against the same budget."""
    return OraclePass(
        name=f"distill_traces@{which}",
        which=which,
        cases=lambda: cases(which, params),
        oracle=params.oracle(),
        settings=settings,
        ledger=ledger_of(which),
        budget_is_set_by="`budget_usd` (params.yaml, distill_traces_asking) and --budget-usd, if either is given,",
        elsewhere_usd=0.0 if settings.budget_usd is None else spent_on_the_other_pass(which),
    )


def spent_on_the_other_pass(which: TracePass) -> float:
    """Dollars that the pass besides `which` has cost for the present questions.

    The second pass's questions follow from the replies to the first, of which only some may be there yet.
    """
    first, second = (DistillTracesParams.load(one) for one in (TracePass.FIRST, TracePass.SECOND))
    if which is TracePass.SECOND:
        pairs = (trace.pair for trace in read_records(second.asks_about, OracleTrace))
        asked = first_pass(pairs, first.seed, first.prompt_variant)
        return spent_on(asked, first.oracle(), ledger_of(TracePass.FIRST))
    if not ledger_of(TracePass.SECOND).exists():
        return 0.0
    with ReadOnlyLedger(ledger_of(TracePass.FIRST)) as ledger:
        asked, plan, totals = cases(TracePass.FIRST, first), first.oracle().plan(), PassTotals(first.prices)
        known = traces(asked, plan, ledger, TracePass.FIRST, first.model, totals, only_settled=True)
        return spent_on(second_pass(known, second.prompt_variant), second.oracle(), ledger_of(TracePass.SECOND))


def distill_traces(which: TracePass, params: DistillTracesParams, settings: AskingSettings) -> str:
    """Ask what the ledger does not answer, then write the pass's traces and metrics from it; returns a summary.

    Raises:
        StoppedResumable: the run was stopped before every pair was settled; the metrics hold the spend so far.
        StageError: fewer whole replies than `min_ok_share`.
    """
    endpoint = local_oracle if params.endpoint is Endpoint.LOCAL else nullcontext
    done = oracle_pass(which, params, settings).run(TRACES / f"{which}.jsonl", endpoint)
    write_json(TRACES / f"{which}.metrics.json", done.metrics())
    done.raise_if_stopped()
    ended, totals = done.ended, done.totals
    if totals.ok_share() < params.min_ok_share:
        raise StageError(
            f"only {totals.ok_share():.1%} of {totals.asked} pairs got a whole reply, less than `min_ok_share` "
            f"{params.min_ok_share:.0%}: {totals.metrics()['outcomes']}; see `detail` in {TRACES / f'{which}.jsonl'}"
        )
    share = f", {totals.right / totals.asked:.1%} right" if totals.asked else ""
    unseen = f", at most {ended.maybe_billed_unseen} more may have been billed" if ended.maybe_billed_unseen else ""
    told = f"{which}: {totals.asked} pairs asked{share}, {totals.replies} replies, ${totals.usd:.2f}{unseen}"
    return told + totals.warnings()


def dry_run(which: TracePass, params: DistillTracesParams, settings: AskingSettings, *, as_json: bool) -> str:
    """What the pass would still ask and what that would cost; asks nobody, changes nothing."""
    if not params.asks_about.exists():
        raise StageError(f"{params.asks_about} is not there yet: run the stages before `distill_traces@{which}` first")
    expected = oracle_pass(which, params, settings).expected()
    if as_json:
        return json.dumps(expected)
    return (
        f"distill_traces@{which}: {expected['to_ask']} of {expected['questions']} still to ask, about "
        f"{expected['prompt_tokens']} prompt and {expected['completion_tokens']} completion tokens (each reply taken "
        f"as long as {expected['output_length_is']}), ${expected['usd']:.2f} at the prices of "
        f"{expected['prices_as_of']}; ${expected['spent_usd']:.2f} spent so far"
    )


def main() -> None:
    """Read the command line and run one pass, or estimate it."""
    parser = argparse.ArgumentParser(description="Ask the oracle about each pair.")
    parser.add_argument("which", type=TracePass, choices=list(TracePass), metavar="first|second")
    parser.add_argument("--dry-run", action="store_true", help="estimate requests, tokens and dollars; ask nobody")
    parser.add_argument("--json", action="store_true", help="with --dry-run: print the estimate as JSON")
    arguments = parser.parse_args()
    which: TracePass = arguments.which
    if arguments.dry_run:
        _print_dry_run(which, as_json=arguments.json)
        return
    run_stage(
        f"distill_traces@{which}",
        lambda: distill_traces(which, DistillTracesParams.load(which), AskingSettings.of_this_run()),
    )


def _print_dry_run(which: TracePass, *, as_json: bool) -> None:
    try:
        print(dry_run(which, DistillTracesParams.load(which), AskingSettings.of_this_run(), as_json=as_json))
    except (StageError, ValueError) as error:
        print(f"distill_traces@{which}: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
