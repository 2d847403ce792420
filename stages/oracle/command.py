"""Ask an oracle about any file of preference pairs, outside of the pipeline; `reasrm oracle` is this.

Everything is as in the stage `distill_traces`: the same prompts, ledger, pace, budget and outcomes. The vendor's
address and key come from the SDK's own environment variables (ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL, OPENAI_API_KEY,
OPENAI_BASE_URL) and are written nowhere.

Run:     python -m stages.oracle.command --pairs pairs.jsonl --pass first --provider anthropic --model M --out out.jsonl
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

from stages.judging.chain_of_rubrics import PromptVariant
from stages.oracle.attempt import Vendor
from stages.oracle.batch_session import ask_in_batches
from stages.oracle.cases import Case, first_pass, second_pass
from stages.oracle.money import Prices
from stages.oracle.plan import look_ahead
from stages.oracle.session import Ended, Oracle, ask_online, open_ledger
from stages.oracle.settings import AskingSettings, Mode
from stages.oracle.traces import PassTotals, traces
from stages.records.jsonl import BadRecordError, read_records, write_records
from stages.records.ledger import Ledger, ReadOnlyLedger
from stages.records.pair import PreferencePair
from stages.records.trace import OracleTrace, TracePass
from stages.runtime.outputs import write_json
from stages.runtime.params import ParamsError
from stages.runtime.stage_main import ExitCode, StageError

FINGERPRINTED_FILES = ("prices.json",)
PRICES = Path(__file__).with_name(FINGERPRINTED_FILES[0])

EXIT_CODES = """exit codes:
  0  every pair is accounted for: the output holds one line for each that was asked about
  1  failed: bad input, no key, unknown price; the message says what to do
  2  the command line is wrong, or would ask online what an open batch holds
  3  stopped with everything kept (budget, credit, key, outage, signal): the same command goes on from there
  4  another run writes to the same ledger
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="reasrm oracle",
        description="Ask an oracle to judge each pair of a JSONL file; nothing is paid for twice.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = top.add_argument_group("what is asked")
    what.add_argument("--pairs", type=Path, required=True, help="JSONL of preference pairs (as data/pairs/*.jsonl)")
    what.add_argument(
        "--pass",
        dest="which",
        type=TracePass,
        choices=list(TracePass),
        required=True,
        metavar="PASS",
        help="first: without help; second: with the right verdict as a hint, where --first-traces has none",
    )
    what.add_argument("--first-traces", type=Path, help="output of the first pass; needed for the second")
    what.add_argument(
        "--provider",
        type=Vendor,
        choices=list(Vendor),
        required=True,
        metavar="|".join(Vendor),
        help=f"{Vendor.OPENAI} is Chat Completions, {Vendor.OPENAI_RESPONSES} the same vendor's Responses",
    )
    what.add_argument("--model", required=True, help="dated model id")
    what.add_argument(
        "--prompt-variant",
        type=PromptVariant,
        choices=list(PromptVariant),
        default=PromptVariant.FULL,
        metavar="|".join(PromptVariant),
        help="default: %(default)s",
    )
    what.add_argument("--seed", type=int, default=0, help="decides on which side the better answer is shown")
    what.add_argument("--max-tokens", type=int, default=8192, help="longest reply (default: %(default)s)")
    what.add_argument(
        "--truncated-retries",
        type=int,
        default=1,
        help="ask again for a reply that was cut off, with twice the limit (default: %(default)s)",
    )
    what.add_argument("--no-prompt-cache", action="store_true", help="do not mark the system text as cacheable")
    _add_how(top)
    return top


def _add_how(top: argparse.ArgumentParser) -> None:
    files = top.add_argument_group("files")
    files.add_argument("--out", type=Path, required=True, help="JSONL of traces, written when all are settled")
    files.add_argument("--ledger", type=Path, help="where replies are kept as they come (default: OUT.ledger.jsonl)")
    files.add_argument("--summary", type=Path, help="JSON of counts, tokens and spend, also of a run that stopped")
    how = top.add_argument_group("how")
    how.add_argument("--batch", action="store_true", help="the vendor's batch API: half the price, within 24 hours")
    how.add_argument("--dry-run", action="store_true", help="print requests, tokens and dollars as JSON; ask nobody")
    how.add_argument(
        "--budget-usd", type=float, help="stop before the replies to these pairs cost more, all runs together"
    )
    how.add_argument(
        "--prices",
        help="IN,OUT[,CACHE_READ,CACHE_WRITE] dollars per million tokens, as of today; needed "
        f"for models that {PRICES.name} does not list",
    )
    how.add_argument("--most-in-flight", type=int, default=256, help="requests at once (default: %(default)s)")
    how.add_argument("--attempts", type=int, default=8, help="per request, for faults that pass (default: %(default)s)")
    how.add_argument("--timeout-seconds", type=float, default=600, help="per reply (default: %(default)s)")
    how.add_argument("--outage-minutes", type=float, default=10, help="stop if the server is down longer")
    how.add_argument("--declared-rpm", type=float, help="requests per minute, for servers that do not tell their limit")
    how.add_argument("--batch-requests", type=int, default=10_000, help="most requests per batch")
    how.add_argument("--poll-seconds", type=float, default=60, help="longest pause between looks at a batch")
    how.add_argument(
        "--abandon-batches",
        action="store_true",
        help="ask again what is in a batch that cannot be waited for (online) or found (--batch); may be paid twice",
    )


def settings_of(arguments: argparse.Namespace) -> AskingSettings:
    """How to ask, from the command line."""
    return AskingSettings(
        mode=Mode.BATCH if arguments.batch else Mode.ONLINE,
        budget_usd=arguments.budget_usd,
        most_in_flight=arguments.most_in_flight,
        attempts=arguments.attempts,
        timeout_seconds=arguments.timeout_seconds,
        outage_minutes=arguments.outage_minutes,
        declared_rpm=arguments.declared_rpm,
        batch_requests=arguments.batch_requests,
        poll_seconds=arguments.poll_seconds,
        abandon_batches=arguments.abandon_batches,
    )


def oracle_of(arguments: argparse.Namespace) -> Oracle:
    """Who is asked, from the command line.

    Raises:
        StageError: the model's price is not known.
    """
    return Oracle(
        vendor=arguments.provider,
        model=arguments.model,
        prices=prices_of(arguments.model, arguments.prices),
        max_tokens=arguments.max_tokens,
        truncated_retries=arguments.truncated_retries,
        cache_system_prompt=not arguments.no_prompt_cache,
    )


def prices_of(model: str, given: str | None) -> Prices:
    """The prices of `model`: as given, or from the list of known ones.

    Raises:
        StageError: neither; a budget or an estimate made of a guess would be worth nothing.
    """
    if given is not None:
        try:
            numbers = [float(number) for number in given.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) not in (2, 4):
            raise StageError(f"--prices {given!r}: give IN,OUT or IN,OUT,CACHE_READ,CACHE_WRITE in dollars per million")
        read, write = numbers[2:] or (numbers[0], numbers[0])
        return Prices(input=numbers[0], output=numbers[1], cache_read=read, cache_write=write, as_of=date.today())  # noqa: DTZ011
    known = json.loads(PRICES.read_text(encoding="utf-8"))
    if model not in known:
        raise StageError(
            f"the price of model {model!r} is not known (known: {', '.join(sorted(known))}); give --prices"
        )
    return Prices.model_validate(known[model])


def cases_of(arguments: argparse.Namespace) -> Iterator[Case]:
    """The questions, read from the input files."""
    if arguments.which is TracePass.FIRST:
        pairs = read_records(arguments.pairs, PreferencePair)
        return first_pass(pairs, arguments.seed, arguments.prompt_variant)
    wanted = {pair.id for pair in read_records(arguments.pairs, PreferencePair)}
    first = (trace for trace in read_records(arguments.first_traces, OracleTrace) if trace.pair.id in wanted)
    return second_pass(first, arguments.prompt_variant)


def run(arguments: argparse.Namespace) -> str:
    """Ask, or estimate; returns what is printed at the end.

    Raises:
        StageError: it cannot go on; `exit_code` says how.
    """
    oracle, settings = oracle_of(arguments), settings_of(arguments)
    ledger_file = arguments.ledger or arguments.out.with_name(f"{arguments.out.name}.ledger.jsonl")
    if arguments.dry_run:
        return _estimate(arguments, oracle, ReadOnlyLedger(ledger_file))
    with open_ledger(ledger_file) as ledger:
        ask = ask_in_batches if arguments.batch else ask_online
        ended = ask("oracle", lambda: cases_of(arguments), oracle, ledger, settings, nullcontext)
        totals = _finish(arguments, oracle, ledger, ended)
    return f"{totals.asked} pairs, {totals.outcomes.total()} accounted for, {totals.right} right, ${totals.usd:.2f}"


def _finish(arguments: argparse.Namespace, oracle: Oracle, ledger: Ledger, ended: Ended) -> PassTotals:
    totals = PassTotals(oracle.prices)
    if ended.stopped is None:
        found = traces(cases_of(arguments), oracle.plan(), ledger, arguments.which, oracle.model, totals)
        write_records(arguments.out, found)
        totals.check(ended.outlook.questions)
    if arguments.summary:
        write_json(arguments.summary, _summary(ended, totals))
    if ended.stopped is not None:
        stop = StageError(
            f"stopped ({ended.stopped}): {ended.detail}. {ended.summary['replies']} replies of this run are kept in "
            f"{ledger.path}; the same command goes on from there"
        )
        stop.exit_code = ExitCode.STOPPED_RESUMABLE
        raise stop
    return totals


def _summary(ended: Ended, totals: PassTotals) -> dict[str, Any]:
    settled = ended.outlook.answered + sum(ended.summary["outcomes"].values())
    return {
        "questions": ended.outlook.questions,
        "settled": settled,
        "stopped": ended.stopped,
        "detail": ended.detail,
        "spent_usd": round(ended.outlook.spent_usd + ended.summary["usd"], 6),
        "maybe_billed_unseen": ended.maybe_billed_unseen,
        "this_run": ended.summary,
        "output": totals.metrics() if ended.stopped is None else None,
    }


def _estimate(arguments: argparse.Namespace, oracle: Oracle, ledger: Ledger) -> str:
    estimates = oracle.estimates()
    outlook = look_ahead(cases_of(arguments), oracle.plan(), ledger, estimates)
    return json.dumps(outlook.expected(estimates, oracle.prices, batch=arguments.batch), indent=1)


def main(argv: list[str] | None = None) -> None:
    """Run the command and exit with the code that `--help` explains."""
    top = parser()
    arguments = top.parse_args(argv)
    if arguments.which is TracePass.SECOND and arguments.first_traces is None:
        top.error("--pass second needs --first-traces, the output of the first pass")
    try:
        print(run(arguments), flush=True)
    except StageError as error:
        print(f"reasrm oracle: {error}", file=sys.stderr)
        sys.exit(int(error.exit_code))
    except (BadRecordError, ParamsError, FileNotFoundError) as error:
        print(f"reasrm oracle: {error}", file=sys.stderr)
        sys.exit(int(ExitCode.FAILED))


if __name__ == "__main__":
    main()
