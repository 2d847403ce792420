"""What `reasrm oracle` does with its options: check files and values, then ask or estimate."""

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import typer
from pydantic import ValidationError

from reasrm.apis.request_format import ApiProtocol
from reasrm.distillation.passes import OraclePass, PassResult
from reasrm.distillation.prices import Prices, library_prices
from reasrm.distillation.questions import OracleQuestion, first_pass, second_pass
from reasrm.distillation.request_plan import Oracle
from reasrm.distillation.run_messages import estimate_message
from reasrm.distillation.settings import AskingSettings
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.harmless_text import json_text
from reasrm.records.jsonl import BadRecordError, explain, read_records
from reasrm.records.ledger import BrokenLedgerError
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import OracleTrace, TracePass
from reasrm.runtime.outputs import write_json
from reasrm.runtime.stage_main import ExitCode, StageError
from reasrm.runtime.terminal import say, say_error, say_json

PRICES_HELP = "give --prices IN,OUT in dollars per million tokens"


@dataclass(frozen=True)
class OracleFiles:
    """The files of one command."""

    pairs: Path
    first_traces: Path | None
    out: Path
    ledger: Path
    summary: Path | None

    def questions(self, which: TracePass, seed: int, variant: PromptVariant) -> Iterator[OracleQuestion]:
        """The questions of a pass, read from the input files."""
        if which is TracePass.FIRST:
            return first_pass(read_records(self.pairs, PreferencePair), seed, variant)
        assert self.first_traces is not None
        wanted = {pair.id for pair in read_records(self.pairs, PreferencePair)}
        first = (trace for trace in read_records(self.first_traces, OracleTrace) if trace.pair.id in wanted)
        return second_pass(first, variant)

    def check_inputs(self, which: TracePass) -> None:
        """Make sure that there are pairs and, for the second pass, that the first one's traces are about all of them.

        Raises:
            StageError: a pair would be lost without notice.
            BadParameter: the second pass is given no traces of the first.
        """
        if which is TracePass.FIRST:
            return  # an empty file is found when all is read for the first time, before anything is asked
        if self.first_traces is None:
            raise typer.BadParameter("--pass second needs the output of the first pass", param_hint="--first-traces")
        wanted = dict.fromkeys(pair.id for pair in read_records(self.pairs, PreferencePair))
        if not wanted:
            raise StageError(f"{self.pairs} holds no pair")
        known = {trace.pair.id for trace in read_records(self.first_traces, OracleTrace)}
        missing = [pair for pair in wanted if pair not in known]
        if missing:
            raise StageError(
                f"{self.first_traces} has no trace about {len(missing)} of the {len(wanted)} pairs of {self.pairs} "
                f"(the first is {missing[0]}): give the output of the first pass over the same pairs"
            )

    def check_outputs(self, *, write: bool) -> None:
        """Make sure, before anything is paid for, that every output overwrites no other file and, to `write`, can be.

        Raises:
            BadParameter: one cannot be written, or would overwrite another.
        """
        outputs = {"--out": self.out, "--ledger": self.ledger, "--summary": self.summary}
        inputs = {"--pairs": self.pairs, "--first-traces": self.first_traces}
        taken = {path.resolve(): option for option, path in inputs.items() if path is not None}
        for option, path in outputs.items():
            if path is None:
                continue
            other = taken.setdefault(path.resolve(), option)
            if other != option:
                raise typer.BadParameter(
                    f"{path} is the file of {other} too, which would be overwritten", param_hint=option
                )
            try:
                if path.exists() and not path.is_file():
                    raise IsADirectoryError(f"{path} is a folder or a device, not a file")
                if write:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    tempfile.TemporaryFile(dir=path.parent).close()
            except OSError as error:
                raise typer.BadParameter(f"cannot be written: {error}", param_hint=option) from error


def settings_of(**values: Any) -> AskingSettings:
    """How to ask; each setting has an option of its name.

    Raises:
        BadParameter: a value is not allowed; names the option.
    """
    try:
        return AskingSettings.model_validate(values)
    except ValidationError as error:
        fault = error.errors()[0]
        option = str(fault["loc"][0]).replace("_", "-")
        raise typer.BadParameter(f"{fault['msg']} (got {fault['input']})", param_hint=f"--{option}") from error


def oracle_of(
    provider: str, model: str, prices: str | None, max_tokens: int, truncated_retries: int, *, cache_system_prompt: bool
) -> Oracle:
    """Who is asked: the model at the prices given, or at those that genai-prices ships.

    Raises:
        BadParameter: what is given are no prices.
    """
    vendor = ApiProtocol(provider)
    known = library_prices(vendor, model) if prices is None else given_prices(vendor, prices)
    return Oracle(vendor, model, known, max_tokens, truncated_retries, cache_system_prompt)


def given_prices(vendor: ApiProtocol, given: str) -> Prices:
    """The prices that `--prices` gives, as of today.

    Raises:
        BadParameter: they are not two or four numbers of dollars.
    """
    today = date.today()  # noqa: DTZ011
    try:
        match [float(number) for number in given.split(",")]:
            case numbers if not all(map(math.isfinite, numbers)):
                pass
            case [into, out]:
                return Prices.from_input_and_output(vendor, into, out, today)
            case [into, out, read, write]:
                return Prices(input=into, output=out, cache_read=read, cache_write=write, as_of=today.isoformat())
    except ValidationError as error:
        raise typer.BadParameter(explain(error), param_hint="--prices") from error
    except ValueError:
        pass
    raise typer.BadParameter(
        f"give IN,OUT or IN,OUT,CACHE_READ,CACHE_WRITE in dollars per million (got {given!r})", param_hint="--prices"
    )


def oracle_pass(
    files: OracleFiles, which: str, oracle: Oracle, settings: AskingSettings, seed: int, variant: str
) -> OraclePass:
    """The pass that the command line describes.

    Raises:
        BadParameter: `files` are not those that it needs.
    """
    one, prompt = TracePass(which), PromptVariant(variant)
    return OraclePass(
        name="oracle",
        which=one,
        questions=lambda: files.questions(one, seed, prompt),
        oracle=oracle,
        settings=settings,
        ledger=files.ledger,
        budget_is_set_by="--budget-usd",
        prices_are_given_by=PRICES_HELP,
    )


def carry_out(one_pass: OraclePass, files: OracleFiles, *, dry_run: bool, as_json: bool) -> None:
    """Ask, or say what asking would cost; errors as in `ask`."""
    if dry_run:
        estimate(one_pass, files, as_json=as_json)
    else:
        ask(one_pass, files)


def estimate(one_pass: OraclePass, files: OracleFiles, *, as_json: bool) -> None:
    """Say what is still to come and what it costs at most; sends nothing, changes nothing."""
    files.check_outputs(write=False)
    files.check_inputs(one_pass.which)
    expected = one_pass.expected()
    if as_json:
        say_json(json_text(expected, indent=1))
    else:
        say(estimate_message(expected))


def ask(one_pass: OraclePass, files: OracleFiles) -> None:
    """Ask what the ledger does not answer, write the outputs, say what the pass came to.

    Raises:
        StageError: it cannot go on; its `exit_code` says how.
        BadParameter: a file cannot be written, or would overwrite another.
    """
    files.check_outputs(write=True)
    files.check_inputs(one_pass.which)
    result = one_pass.run(files.out, nullcontext)
    if files.summary:
        write_json(files.summary, _summary(result))
    result.raise_if_stopped()
    say(result.message())


def _summary(result: PassResult) -> dict[str, Any]:
    run, totals = result.run, result.totals
    return {
        "questions": run.estimate.questions,
        "settled": totals.asked,
        "stopped": run.stopped,
        "detail": run.detail,
        "spent_usd": None if totals.unpriced else round(totals.usd, 6),
        "possibly_billed": run.possibly_billed,
        "this_run": run.statistics,
        "replies_of_other_models": dict(sorted(totals.of_other_models.items())),
        "output": totals.metrics() if result.stop is None else None,
    }


@contextmanager
def exit_codes() -> Iterator[None]:
    """End the command with the exit status that its help explains, and the reason in one line."""
    try:
        yield
    except StageError as error:
        _exit(error, error.exit_code)
    except (BadRecordError, BrokenLedgerError) as error:
        _exit(error, ExitCode.FAILED)
    except OSError as error:
        _exit(f"{error.strerror}: {error.filename}" if error.filename else error, ExitCode.FAILED)
    except KeyboardInterrupt:
        _exit(
            "interrupted at once; the replies so far are kept, the same command goes on from there",
            ExitCode.INTERRUPTED,
        )


def _exit(why: object, code: int) -> NoReturn:
    say_error("reasrm oracle", why)
    raise typer.Exit(int(code))
