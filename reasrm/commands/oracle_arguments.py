"""The words of `reasrm oracle`: its options, and what is asked and how, made of them."""

import argparse
import json
from datetime import date
from pathlib import Path

from pydantic import ValidationError

from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.cost import Prices
from reasrm.distillation.online_run import Oracle
from reasrm.distillation.settings import AskingSettings, Mode
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.jsonl import explain
from reasrm.records.trace import TracePass
from reasrm.runtime.stage_main import StageError

FINGERPRINTED_FILES = ("prices.json",)
PRICES = Path(__file__).with_name(FINGERPRINTED_FILES[0])

EXIT_CODES = """exit codes:
  0    every pair is accounted for: the output holds one line for each that was asked about
  1    failed: bad input, no key, unknown price; the message says what to do
  2    the command line is wrong, a file that it names cannot be written or would overwrite another, or what would be
       asked online is in an open batch
  3    stopped with everything kept (budget, credit, key, outage, signal): the same command goes on from there, after a
       stop for the budget with a larger one
  4    another run writes to the same ledger
  130  interrupted a second time: replies in flight are lost, and may be billed; the same command goes on
"""


class WrongWordsError(ValueError):
    """The command line cannot be carried out; says which option, and why."""


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
        type=ApiProtocol,
        choices=list(ApiProtocol),
        required=True,
        metavar="|".join(ApiProtocol),
        help=f"{ApiProtocol.OPENAI} is Chat Completions, {ApiProtocol.OPENAI_RESPONSES} the same vendor's Responses",
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
    what.add_argument("--max-tokens", type=positive, default=8192, help="longest reply (default: %(default)s)")
    what.add_argument(
        "--truncated-retries",
        type=not_negative,
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
    how.add_argument(
        "--batch",
        dest="mode",
        action="store_const",
        const=Mode.BATCH,
        default=Mode.ONLINE,
        help="the vendor's batch API: half the price, within 24 hours",
    )
    how.add_argument("--dry-run", action="store_true", help="print requests, tokens and dollars as JSON; ask nobody")
    how.add_argument(
        "--budget-usd",
        type=float,
        help="stop before this pass costs more for these pairs, all runs with its ledger together; 0 sends nothing",
    )
    how.add_argument(
        "--prices",
        help="IN,OUT[,CACHE_READ,CACHE_WRITE] dollars per million tokens, as of today; needed for models that "
        f"{PRICES.name} does not list; of two, Anthropic's cache costs IN times 0.1 and 1.25, OpenAI's IN",
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


def positive(word: str) -> int:
    """A whole number above 0, as argparse reads it."""
    return _at_least(1, word)


def not_negative(word: str) -> int:
    """A whole number from 0 on, as argparse reads it."""
    return _at_least(0, word)


def _at_least(least: int, word: str) -> int:
    number = int(word)
    if number < least:
        raise argparse.ArgumentTypeError(f"{word}: must be at least {least}")
    return number


def settings_of(arguments: argparse.Namespace) -> AskingSettings:
    """How to ask, from the command line: each setting has an option of its name.

    Raises:
        WrongWordsError: a value is not allowed; names the option.
    """
    try:
        return AskingSettings.model_validate({name: getattr(arguments, name) for name in AskingSettings.model_fields})
    except ValidationError as error:
        fault = error.errors()[0]
        option = str(fault["loc"][0]).replace("_", "-")
        raise WrongWordsError(f"argument --{option}: {fault['msg']} (got {fault['input']})") from error


def oracle_of(arguments: argparse.Namespace) -> Oracle:
    """Who is asked, from the command line.

    Raises:
        StageError: the model's price is not known.
        WrongWordsError: the prices that are given are none.
    """
    return Oracle(
        vendor=arguments.provider,
        model=arguments.model,
        prices=prices_of(arguments.provider, arguments.model, arguments.prices),
        max_tokens=arguments.max_tokens,
        truncated_retries=arguments.truncated_retries,
        cache_system_prompt=not arguments.no_prompt_cache,
    )


def prices_of(vendor: ApiProtocol, model: str, given: str | None) -> Prices:
    """The prices of `model`: as given, or from the list of known ones.

    Raises:
        StageError: neither; a budget or an estimate made of a guess would be worth nothing.
        WrongWordsError: what is given are no prices.
    """
    if given is not None:
        return _given_prices(vendor, given)
    known = json.loads(PRICES.read_text(encoding="utf-8"))
    if model not in known:
        raise StageError(
            f"the price of model {model!r} is not known (known: {', '.join(sorted(known))}); give --prices"
        )
    return Prices.model_validate(known[model])


def _given_prices(vendor: ApiProtocol, given: str) -> Prices:
    today = date.today()  # noqa: DTZ011
    try:
        match [float(number) for number in given.split(",")]:
            case [into, out]:
                return Prices.of_two(vendor, into, out, today)
            case [into, out, read, write]:
                return Prices(input=into, output=out, cache_read=read, cache_write=write, as_of=today)
    except ValidationError as error:
        raise WrongWordsError(f"argument --prices: {explain(error)}") from error
    except ValueError:
        pass
    raise WrongWordsError(
        f"argument --prices: give IN,OUT or IN,OUT,CACHE_READ,CACHE_WRITE in dollars per million (got {given!r})"
    )
