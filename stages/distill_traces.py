"""Ask the oracle to judge each pair: first without help; then, only where that failed, with the right verdict as hint.

Or read traces that somebody published (`source: published`) or that lie in a folder (`files`): then nobody is asked.

The two passes are the paper's (arXiv 2505.02387, appendix B). Every pair asked about ends as exactly one outcome.
Replies live in a ledger outside of DVC's outputs, keyed by the exact request: a killed or stopped run goes on where it
was, and nothing that the ledger holds is paid for again.

Reads:   first: data/pairs/distill.jsonl          second: data/traces/first.jsonl; or the source of the traces
Writes:  data/traces/first.jsonl, first.refused.json (published rows that are no traces, with reasons),
         first.metrics.json (second likewise); of an oracle ledgers/distill_traces-first.jsonl
Run:     python -m stages.distill_traces first      (or: dvc repro distill_traces@first)
         python -m stages.distill_traces first --dry-run --json      what is still to be asked, and its price
Exit:    0 all asked; 3 stopped with everything kept (budget, credit, outage, key, signal): the same command goes on,
         after a stop for the budget with a larger one; what was spent so far is in the metrics then
"""

import argparse
import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from pydantic import Field, model_validator

from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.passes import OraclePass
from reasrm.distillation.pipeline_passes import STAGE, PipelinePass, oracle_pass, require_whole_replies
from reasrm.distillation.prices import Prices, library_prices
from reasrm.distillation.published_traces import REVISIONS, TraceSource, read_source, refused_file, write_pass
from reasrm.distillation.request_plan import Oracle
from reasrm.distillation.run_messages import estimate_message
from reasrm.distillation.settings import AskingSettings
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.miniature.oracle_server import local_oracle
from reasrm.records.harmless_text import json_text
from reasrm.records.trace import TracePass
from reasrm.runtime.outputs import write_json
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import StageError, run_stage
from reasrm.runtime.terminal import say, say_error, say_json

TRACES = Path("data/traces")


class OracleAddress(StrEnum):
    """Where the oracle is."""

    LOCAL = "local"
    """The miniature's own server, started by the stage for the length of its run."""
    ENVIRONMENT = "environment"
    """The vendor, or what the SDK's own environment variables name (ANTHROPIC_BASE_URL, OPENAI_BASE_URL, keys)."""


class DistillTracesParams(StageParams):
    """Section `distill_traces` of params.yaml, with the pass's own section laid over it."""

    section: ClassVar[str] = STAGE

    source: TraceSource
    hub_set: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    """The data set of source published."""
    endpoint: OracleAddress
    seed: int
    """Decides, with each pair's hash, on which side the better answer is shown."""
    prompt_variant: PromptVariant
    max_tokens: int = Field(gt=0)
    """Longest reply, in tokens."""
    truncated_retries: int = Field(ge=0)
    """How often a reply that was cut off is asked for again, each time with twice the limit."""
    min_ok_share: float = Field(ge=0, le=1)
    """Fail if fewer of the pass's pairs end with a whole reply, or of the published rows are traces: the oracle, the
    source or the settings are broken."""
    asks_about: Path
    """The file whose pairs (or, for the second pass, traces) are asked about."""
    reads: Path
    """What is read besides, so that a change there runs the stage again: `revisions/traces.json` of published traces,
    the folder of files, of an oracle nothing else than `asks_about`."""
    vendor: ApiProtocol
    model: str
    """Dated model id."""
    prices: Prices | None
    """Dollars per million tokens; null takes those that the library genai-prices ships for the model, if it does."""
    cache_system_prompt: bool
    """Mark the system text as cacheable (Anthropic; OpenAI caches by itself)."""

    @model_validator(mode="after")
    def _reads_its_source(self) -> "DistillTracesParams":
        wanted = {TraceSource.ORACLE: self.asks_about, TraceSource.PUBLISHED: REVISIONS}.get(self.source)
        if wanted is not None and self.reads != wanted:
            raise ValueError(f"`reads` must be {wanted} where `source` is {self.source}, it is {self.reads}")
        if wanted is None and self.reads in (self.asks_about, REVISIONS):
            raise ValueError(f"`reads` must name the folder of the traces where `source` is files, it is {self.reads}")
        return self

    def pipeline_pass(self, which: TracePass) -> PipelinePass:
        """The pass that they describe."""
        prices = self.prices or library_prices(self.vendor, self.model)
        oracle = Oracle(
            self.vendor, self.model, prices, self.max_tokens, self.truncated_retries, self.cache_system_prompt
        )
        return PipelinePass(which, self.asks_about, self.seed, self.prompt_variant, oracle)


def load_pass(which: TracePass) -> OraclePass:
    """The pass as params.yaml and the environment describe it."""
    return oracle_pass(
        which, lambda one: DistillTracesParams.load(one).pipeline_pass(one), AskingSettings.of_this_run()
    )


def distill_traces(which: TracePass) -> str:
    """Ask what the ledger does not answer, then write the pass's traces and metrics from it; returns a summary.

    Raises:
        StoppedResumable: the run was stopped before every pair was settled; the metrics hold the spend so far.
        StageError: fewer whole replies than `min_ok_share`.
    """
    params, out = DistillTracesParams.load(which), TRACES / f"{which}.jsonl"
    if params.source is not TraceSource.ORACLE:
        found, origins = read_source(params.source, params.hub_set, params.reads)
        return write_pass(which, params.source, found, origins, params.min_ok_share, out)
    is_local = params.endpoint is OracleAddress.LOCAL
    result = load_pass(which).run(out, local_oracle if is_local else nullcontext)
    write_json(out.with_suffix(".metrics.json"), result.metrics())
    result.raise_if_stopped()
    require_whole_replies(result, params.min_ok_share, out)
    write_json(refused_file(out), [])
    return f"{which}: {result.message(free=is_local)}"


def dry_run(which: TracePass, *, as_json: bool) -> str:
    """What the pass would still ask and what that would cost; sends nothing, changes nothing."""
    params = DistillTracesParams.load(which)
    if params.source is not TraceSource.ORACLE:
        nothing = {"source": params.source.value, "questions": 0, "to_ask": 0, "answered": 0, "usd": 0.0}
        return json_text(nothing) if as_json else f"{STAGE}@{which}: asks nothing, the traces are {params.source}"
    params.pipeline_pass(which).require_input()
    expected = load_pass(which).expected()
    return json_text(expected) if as_json else f"{STAGE}@{which}: {estimate_message(expected)}"


def main() -> None:
    """Read the command line and run one pass, or estimate it."""
    parser = argparse.ArgumentParser(description="Ask the oracle about each pair.")
    parser.add_argument("which", type=TracePass, choices=list(TracePass), metavar="first|second")
    parser.add_argument("--dry-run", action="store_true", help="estimate requests, tokens and dollars; send nothing")
    parser.add_argument("--json", action="store_true", help="with --dry-run: print the estimate as JSON")
    arguments = parser.parse_args()
    which: TracePass = arguments.which
    if arguments.dry_run:
        _print_dry_run(which, as_json=arguments.json)
        return
    run_stage(f"{STAGE}@{which}", lambda: distill_traces(which))


def _print_dry_run(which: TracePass, *, as_json: bool) -> None:
    try:
        (say_json if as_json else say)(dry_run(which, as_json=as_json))
    except (StageError, ValueError) as error:
        say_error(f"{STAGE}@{which}", error)
        sys.exit(1)


if __name__ == "__main__":
    main()
