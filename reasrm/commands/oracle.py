"""Ask an oracle about any file of preference pairs, outside of the pipeline; `reasrm oracle` is this.

Everything is as in the stage `distill_traces`: the same prompts, ledger, pace, budget and outcomes. The vendor's
address and key come from the SDK's own environment variables (ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL, OPENAI_API_KEY,
OPENAI_BASE_URL) and are written nowhere.

Run:     reasrm oracle --pairs pairs.jsonl --pass first --provider anthropic --model M --out out.jsonl
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn

from reasrm.commands.oracle_arguments import WrongWordsError, oracle_of, parser, settings_of
from reasrm.distillation.passes import OraclePass, PassEnded
from reasrm.distillation.questions import Case, first_pass, second_pass
from reasrm.records.jsonl import BadRecordError, read_records
from reasrm.records.ledger import BrokenLedgerError
from reasrm.records.pair import PreferencePair
from reasrm.records.trace import OracleTrace, TracePass
from reasrm.runtime.outputs import write_json
from reasrm.runtime.stage_main import ExitCode, StageError

INTERRUPTED = 130
"""Exit status of a command that a signal ended at once, as shells have it."""


def cases_of(arguments: argparse.Namespace) -> Iterator[Case]:
    """The questions, read from the input files."""
    if arguments.which is TracePass.FIRST:
        pairs = read_records(arguments.pairs, PreferencePair)
        return first_pass(pairs, arguments.seed, arguments.prompt_variant)
    wanted = {pair.id for pair in read_records(arguments.pairs, PreferencePair)}
    first = (trace for trace in read_records(arguments.first_traces, OracleTrace) if trace.pair.id in wanted)
    return second_pass(first, arguments.prompt_variant)


def check_inputs(arguments: argparse.Namespace) -> None:
    """Make sure that there are pairs and, for the second pass, that the first one's traces are about all of them.

    Raises:
        StageError: a pair would be lost without a word.
    """
    if arguments.which is TracePass.FIRST:
        return  # an empty file is found when all is read for the first time, before anything is asked
    wanted = dict.fromkeys(pair.id for pair in read_records(arguments.pairs, PreferencePair))
    if not wanted:
        raise StageError(f"{arguments.pairs} holds no pair")
    known = {trace.pair.id for trace in read_records(arguments.first_traces, OracleTrace)}
    missing = [pair for pair in wanted if pair not in known]
    if missing:
        raise StageError(
            f"{arguments.first_traces} has no trace about {len(missing)} of the {len(wanted)} pairs of "
            f"{arguments.pairs} (the first is {missing[0]}): give the output of the first pass over the same pairs"
        )


def check_outputs(arguments: argparse.Namespace, ledger: Path) -> None:
    """Make sure, before anything is paid for, that every output can be written and overwrites no other file.

    Raises:
        WrongWordsError: one cannot, or would.
    """
    outputs = {"--out": arguments.out, "--ledger": ledger, "--summary": arguments.summary}
    inputs = {"--pairs": arguments.pairs, "--first-traces": arguments.first_traces}
    taken = {path.resolve(): option for option, path in inputs.items() if path is not None}
    for option, path in outputs.items():
        if path is None:
            continue
        other = taken.setdefault(path.resolve(), option)
        if other != option:
            raise WrongWordsError(f"argument {option}: {path} is the file of {other} too, which would be overwritten")
        try:
            if path.is_dir():
                raise IsADirectoryError(f"{path} is a folder, not a file")
            if not arguments.dry_run:
                path.parent.mkdir(parents=True, exist_ok=True)
                tempfile.TemporaryFile(dir=path.parent).close()
        except OSError as error:
            raise WrongWordsError(f"argument {option}: cannot be written: {error}") from error


def run(arguments: argparse.Namespace) -> str:
    """Ask, or estimate; returns what is printed at the end.

    Raises:
        StageError: it cannot go on; `exit_code` says how.
        WrongWordsError: an option's value is not allowed.
    """
    ledger = arguments.ledger or arguments.out.parent / f"{arguments.out.name}.ledger.jsonl"
    one_pass = OraclePass(
        name="oracle",
        which=arguments.which,
        cases=lambda: cases_of(arguments),
        oracle=oracle_of(arguments),
        settings=settings_of(arguments),
        ledger=ledger,
        budget_is_set_by="--budget-usd",
    )
    check_outputs(arguments, ledger)
    check_inputs(arguments)
    if arguments.dry_run:
        return json.dumps(one_pass.expected(), indent=1)
    done = one_pass.run(arguments.out, nullcontext)
    if arguments.summary:
        write_json(arguments.summary, _summary(done))
    done.raise_if_stopped()
    totals = done.totals
    told = f"{totals.asked} pairs, {totals.outcomes.total()} accounted for, {totals.right} right, ${totals.usd:.2f}"
    return told + totals.warnings()


def _summary(done: PassEnded) -> dict[str, Any]:
    ended, totals = done.ended, done.totals
    return {
        "questions": ended.outlook.questions,
        "settled": totals.asked,
        "stopped": ended.stopped,
        "detail": ended.detail,
        "spent_usd": round(totals.usd, 6),
        "maybe_billed_unseen": ended.maybe_billed_unseen,
        "this_run": ended.summary,
        "replies_of_other_models": dict(sorted(totals.of_other_models.items())),
        "output": totals.metrics() if done.stop is None else None,
    }


def main(argv: list[str] | None = None) -> None:
    """Run the command and exit with the code that `--help` explains."""
    top = parser()
    arguments = top.parse_args(argv)
    if arguments.which is TracePass.SECOND and arguments.first_traces is None:
        top.error("--pass second needs --first-traces, the output of the first pass")
    try:
        print(run(arguments), flush=True)
    except WrongWordsError as error:
        top.error(str(error))
    except StageError as error:
        _leave(error, error.exit_code)
    except (BadRecordError, BrokenLedgerError) as error:
        _leave(error, ExitCode.FAILED)
    except OSError as error:
        _leave(f"{error.strerror}: {error.filename}" if error.filename else error, ExitCode.FAILED)
    except KeyboardInterrupt:
        _leave("interrupted at once; the replies so far are kept, the same command goes on from there", INTERRUPTED)


def _leave(why: object, code: int) -> NoReturn:
    print(f"reasrm oracle: {why}", file=sys.stderr)
    sys.exit(int(code))


if __name__ == "__main__":
    main()
