"""`reasrm oracle`: ask an oracle about any file of preference pairs, outside of the pipeline.

Everything is as in the stage `distill_traces`: the same prompts, ledger, pace, budget and outcomes. The vendor's
address and key come from the SDK's own environment variables (ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL, OPENAI_API_KEY,
OPENAI_BASE_URL) and are written nowhere. This module holds the options only, so that `reasrm --help` starts fast;
`oracle_run.py` does the work.

Run:     reasrm oracle --pairs pairs.jsonl --pass first --provider anthropic --model M --out out.jsonl
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

PassName = Literal["first", "second"]
"""As `reasrm.records.trace.TracePass`, which is too slow to import for a help text."""
ProviderName = Literal["anthropic", "openai", "openai_responses"]
"""As `reasrm.apis.request_format.ApiProtocol`."""
PromptName = Literal["full", "full_categories", "rubrics", "plain", "answer_only"]
"""As `reasrm.judging.chain_of_rubrics.PromptVariant`."""

MOST = 2**63 - 1
"""Most that a whole number of a request can be."""
QUESTIONS, FILES, HOW = "What is asked", "Files", "How it is asked"

Pairs = Annotated[
    Path, typer.Option(help="JSONL of preference pairs (as data/pairs/*.jsonl).", rich_help_panel=QUESTIONS)
]
Which = Annotated[
    PassName,
    typer.Option(
        "--pass",
        help="first: without help; second: with the right verdict as a hint, where --first-traces has none.",
        rich_help_panel=QUESTIONS,
    ),
]
FirstTraces = Annotated[
    Path | None, typer.Option(help="Output of the first pass; needed for the second.", rich_help_panel=QUESTIONS)
]
Provider = Annotated[
    ProviderName,
    typer.Option(
        help="openai is Chat Completions, openai_responses the same vendor's Responses.", rich_help_panel=QUESTIONS
    ),
]
Model = Annotated[str, typer.Option(help="Dated model id.", rich_help_panel=QUESTIONS)]
Prompt = Annotated[
    PromptName, typer.Option("--prompt-variant", help="Which of our prompts is shown.", rich_help_panel=QUESTIONS)
]
Seed = Annotated[
    int,
    typer.Option(
        min=-MOST, max=MOST, help="Decides on which side the better answer is shown.", rich_help_panel=QUESTIONS
    ),
]
MaxTokens = Annotated[int, typer.Option(min=1, max=MOST, help="Longest reply.", rich_help_panel=QUESTIONS)]
TruncatedRetries = Annotated[
    int,
    typer.Option(
        min=0,
        help="Ask so often again for a reply that was cut off, each time with twice the limit.",
        rich_help_panel=QUESTIONS,
    ),
]
PromptCache = Annotated[
    bool,
    typer.Option(
        "--prompt-cache/--no-prompt-cache", help="Mark the system text as cacheable.", rich_help_panel=QUESTIONS
    ),
]
Out = Annotated[Path, typer.Option(help="JSONL of traces, written when all are settled.", rich_help_panel=FILES)]
LedgerFile = Annotated[
    Path | None,
    typer.Option("--ledger", help="Where replies are kept as they come (OUT.ledger.jsonl).", rich_help_panel=FILES),
]
Summary = Annotated[
    Path | None,
    typer.Option(help="JSON of counts, tokens and spend, also of a run that stopped.", rich_help_panel=FILES),
]
Batch = Annotated[
    bool,
    typer.Option("--batch", help="The vendor's batch API: half the price, within 24 hours.", rich_help_panel=HOW),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Say how many requests are still to come and what they cost at most.", rich_help_panel=HOW
    ),
]
Json = Annotated[bool, typer.Option("--json", help="With --dry-run: as JSON.", rich_help_panel=HOW)]
Budget = Annotated[
    float | None,
    typer.Option(
        "--budget-usd",
        help="Stop before this pass costs more for these pairs, in all runs with its ledger; 0 sends nothing.",
        rich_help_panel=HOW,
    ),
]
OwnPrices = Annotated[
    str | None,
    typer.Option(
        "--prices",
        help="IN,OUT or IN,OUT,CACHE_READ,CACHE_WRITE in dollars per million tokens, for models that genai-prices does "
        "not know; of two, Anthropic's cache costs IN times 0.1 and 1.25, OpenAI's IN.",
        rich_help_panel=HOW,
    ),
]
MostInFlight = Annotated[int, typer.Option(help="Requests at once.", rich_help_panel=HOW)]
Attempts = Annotated[int, typer.Option(help="Per request, for faults that pass.", rich_help_panel=HOW)]
Timeout = Annotated[float, typer.Option("--timeout-seconds", help="Per reply.", rich_help_panel=HOW)]
Outage = Annotated[
    float,
    typer.Option(
        "--outage-minutes", help="Stop if the server is down longer, or asks for a longer pause.", rich_help_panel=HOW
    ),
]
DeclaredRpm = Annotated[
    float | None,
    typer.Option(help="Requests per minute, for servers that do not state their limit.", rich_help_panel=HOW),
]
BatchRequests = Annotated[int, typer.Option(help="Most requests per batch.", rich_help_panel=HOW)]
PollSeconds = Annotated[float, typer.Option(help="Longest pause between polls of a batch.", rich_help_panel=HOW)]
AbandonBatches = Annotated[
    bool,
    typer.Option(
        "--abandon-batches",
        help="Ask again what is in a batch that cannot be waited for (online) or found (--batch); may be paid twice.",
        rich_help_panel=HOW,
    ),
]


def oracle(  # noqa: PLR0913  one parameter per option
    pairs: Pairs,
    which: Which,
    provider: Provider,
    model: Model,
    out: Out,
    first_traces: FirstTraces = None,
    prompt_variant: Prompt = "full",
    seed: Seed = 0,
    max_tokens: MaxTokens = 8192,
    truncated_retries: TruncatedRetries = 1,
    prompt_cache: PromptCache = True,
    ledger: LedgerFile = None,
    summary: Summary = None,
    batch: Batch = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    budget_usd: Budget = None,
    prices: OwnPrices = None,
    most_in_flight: MostInFlight = 256,
    attempts: Attempts = 8,
    timeout_seconds: Timeout = 600,
    outage_minutes: Outage = 10,
    declared_rpm: DeclaredRpm = None,
    batch_requests: BatchRequests = 10_000,
    poll_seconds: PollSeconds = 60,
    abandon_batches: AbandonBatches = False,
) -> None:
    """Ask an oracle to judge each pair of a JSONL file, resumably; nothing is paid for twice.

    Exit status:

    - 0: every pair is accounted for; the output holds one line for each.
    - 1: failed; bad input, no key, a budget without a known price.
    - 2: wrong usage; an option, an output file, or an open batch asks the same.
    - 3: stopped with everything kept (budget, credit, key, outage, signal); the same command goes on, after a stop for
      the budget with a larger one.
    - 4: another run writes to the same ledger.
    - 130: interrupted a second time; replies in flight are lost, and may be billed.
    """
    from reasrm.commands.oracle_run import OracleFiles, carry_out, exit_codes, oracle_of, oracle_pass, settings_of

    with exit_codes():
        files = OracleFiles(pairs, first_traces, out, ledger or out.parent / f"{out.name}.ledger.jsonl", summary)
        settings = settings_of(
            mode="batch" if batch else "online",
            budget_usd=budget_usd,
            most_in_flight=most_in_flight,
            attempts=attempts,
            timeout_seconds=timeout_seconds,
            outage_minutes=outage_minutes,
            declared_rpm=declared_rpm,
            batch_requests=batch_requests,
            poll_seconds=poll_seconds,
            abandon_batches=abandon_batches,
        )
        asked = oracle_of(provider, model, prices, max_tokens, truncated_retries, cache_system_prompt=prompt_cache)
        one_pass = oracle_pass(files, which, asked, settings, seed, prompt_variant)
        carry_out(one_pass, files, dry_run=dry_run, as_json=as_json)
