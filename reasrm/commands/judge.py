"""`reasrm judge`: two answers, or a file of them, judged in both orders by any judge.

    reasrm judge --prompt Q --a A --b B [--model data/checkpoints/grpo-full]
    reasrm judge --jsonl rows.jsonl --out judged.jsonl --base-url http://127.0.0.1:8000/v1 --model NAME

Light at import, since `reasrm --help` imports it: what judges is imported when it is needed.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson
import typer

from reasrm.commands.command_run import run_command
from reasrm.commands.judge_options import (
    AnswerAOption,
    AnswerBOption,
    JsonlOption,
    JsonOption,
    JudgeOptions,
    OutOption,
    PromptOption,
)
from reasrm.commands.named_judge import (
    ApiOption,
    BaseUrlOption,
    DataParallelOption,
    DtypeOption,
    EngineOption,
    MaxNewTokensOption,
    ModelOption,
    PromptFileOption,
    ServedOption,
    TensorParallelOption,
    VariantOption,
)
from reasrm.records.harmless_text import json_text
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import say, say_error, say_json

if TYPE_CHECKING:
    from reasrm.commands.judge_rows import ComparisonRow, NumberedRow
    from reasrm.evaluation.judge import Judge
    from reasrm.evaluation.pairwise_judgment import PairwiseJudgment
    from reasrm.records.ledger import Ledger

COMMAND = "reasrm judge"
"""As it is called in what it says."""
NO_VERDICT = 5
"""Exit status."""
ONLY_PRINTED = "no more than is printed is kept, --out FILE keeps every reply"
"""What a stop without `--out` means."""
HELP = "\n\n".join(
    (
        "Judge two answers, or a file of them, in both orders.",
        "The verdict stands only if both orders agree. --prompt, --a and --b are each a text, a file (@answer.txt) or "
        "standard input (-); a text that begins with @ is written with two (@@home).",
        '--jsonl judges the rows of a file, one per line: {"prompt": "...", "a": "...", "b": "..."}, where prompt may '
        'also be a conversation of {"role": ..., "content": ...}. All rows are read before any is judged. It prints '
        "one JSON line per row, in order, with the id of the row as it stands there, of any JSON type. With --out the "
        "lines go to that file, and every reply is kept beside it (NAME.replies.jsonl) as it comes: the same command "
        "goes on after a stop and asks nothing twice.",
        "The judge is a checkpoint (--model FOLDER; --engine scalar if it scores answers), a model that you serve "
        "(--base-url URL --model NAME) or a vendor's (--api openai --model NAME). A published judge is its model and "
        "its prompt (--prompt-file FILE).",
        "The miniature's checkpoints know the words of their own world only and refuse others; this they can judge: "
        '--prompt "How do I steal a car?" --a "Sorry, I cannot help with the car." '
        '--b "Sure, that is easy: steal the car with care."',
    )
)
EPILOG = (
    "Exit status: 0 judged, 1 failed, 2 wrong usage, 3 stopped by the service (out of reach, over its limits; the same "
    "command goes on), 4 another run writes to the same --out, 5 judged but some comparison has no verdict, "
    "130 interrupted."
)


def judge(  # noqa: PLR0913  one parameter per option of the command line
    prompt: PromptOption = None,
    a: AnswerAOption = None,
    b: AnswerBOption = None,
    jsonl: JsonlOption = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    api: ApiOption = None,
    served: ServedOption = None,
    engine: EngineOption = None,
    dtype: DtypeOption = None,
    tensor_parallel: TensorParallelOption = None,
    data_parallel: DataParallelOption = None,
    prompt_file: PromptFileOption = None,
    variant: VariantOption = None,
    max_new_tokens: MaxNewTokensOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge two answers, or a file of them, in both orders; `HELP` is what the command line shows."""
    options = JudgeOptions(**locals())
    error = options.usage_error()
    raise typer.Exit(judge_by(options) if error is None else _failed(error, ExitCode.USAGE))


def judge_by(options: JudgeOptions) -> int:
    """Judge what the options name and return the exit status."""
    return run_command(
        COMMAND,
        lambda: judge_one(options) if options.jsonl is None else judge_rows(options, options.jsonl),
        on_stop=f"; {ONLY_PRINTED}" if options.jsonl is not None and options.out is None else "",
        interrupted=lambda: _interrupted(options),
    )


def judge_one(options: JudgeOptions) -> int:
    """Judge the two answers of the command line and print the judgment."""
    from reasrm.commands.judge_rows import row_from_options
    from reasrm.evaluation.pairwise_judgment import judge_pair

    row = row_from_options(str(options.prompt), str(options.a), str(options.b))
    with options.open_judge() as opened:
        judgment = judge_pair(opened, *row.pair)
    if options.as_json:
        say_json(json_text(judgment.model_dump(mode="json"), indent=1))
    else:
        say(as_text(judgment))
    return NO_VERDICT if judgment.verdict is None else ExitCode.DONE


def judge_rows(options: JudgeOptions, name: str) -> int:
    """Judge the rows of a file and print or write one JSON line each; say how many have no verdict, and why."""
    from reasrm.commands.judge_rows import comparison_rows
    from reasrm.records.jsonl import write_records
    from reasrm.records.ledger import Ledger

    results: Counter[str] = Counter()
    out, replies = options.out, options.replies_file
    with comparison_rows(name) as rows, options.open_judge() as opened:
        if out is None or replies is None:
            for row, judgment in judged_rows(opened, rows, name, results):
                say_json(json_line(row, judgment))
        else:
            with Ledger(replies) as ledger:
                judged = judged_rows(opened, rows, name, results, ledger)
                write_records(out, (record(row, judgment) for row, judgment in judged))
    reasons = Counter({reason: count for reason, count in results.items() if reason})
    if not reasons:
        return ExitCode.DONE
    listed = "; ".join(f"{reason}: {count:,}" for reason, count in reasons.most_common())
    return _failed(f"{reasons.total():,} of {results.total():,} rows have no verdict ({listed})", NO_VERDICT)


def judged_rows(
    opened: "Judge",
    rows: Iterator[list["NumberedRow"]],
    name: str,
    results: Counter[str],
    ledger: "Ledger | None" = None,
) -> Iterator[tuple["ComparisonRow", "PairwiseJudgment"]]:
    """Each row of the file `name` with its judgment, in order; counts in `results` why rows have no verdict.

    Raises:
        StageError: a row holds words that the judge's vocabulary lacks; says file and line.
    """
    from reasrm.evaluation.pairwise_judgment import judge_pairs
    from reasrm.inference.vocabulary import UnknownWordsError
    from reasrm.runtime.stage_main import StageError

    for part in rows:
        judged = judge_pairs(opened, [row.pair for _, row in part], ledger)
        try:
            for (_, row), judgment in zip(part, judged, strict=True):
                results[judgment.why_none] += 1
                yield row, judgment
        except UnknownWordsError as error:
            raise StageError(f"{name} line {part[error.place][0]}: {error}") from error


def json_line(row: "ComparisonRow", judgment: "PairwiseJudgment") -> str:
    """A judgment as JSON to print, with the row's id first."""
    given_id = "" if row.id_json is None else f'"id": {row.id_json}, '
    return "{" + given_id + json_text(judgment.model_dump(mode="json")).removeprefix("{")


def record(row: "ComparisonRow", judgment: "PairwiseJudgment") -> dict[str, Any]:
    """A judgment as it is written to a file, with the row's id."""
    given_id = {} if row.id_json is None else {"id": orjson.Fragment(row.id_json)}
    return given_id | judgment.model_dump(mode="json")


def as_text(judgment: "PairwiseJudgment") -> str:
    """A judgment as lines for reading."""
    sure = "" if judgment.confidence is None else f" (confidence {judgment.confidence:.3f})"
    lines = [f"verdict: {judgment.verdict.value}{sure}" if judgment.verdict else f"verdict: none, {judgment.why_none}"]
    for order in judgment.orders:
        verdict = order.verdict.value if order.verdict else f"unreadable ({order.unreadable})"
        lines.append(f"\n{order.shown_first.value} shown first: {verdict}")
        lines += [f"  type: {order.type}"] if order.type else []
        lines += [f"  rubric: {order.rubric}"] if order.rubric else []
        lines += [f"  scores: A {order.scores[0]:g}, B {order.scores[1]:g}"] if order.scores else []
        lines += [f"  quotes {quote.side.value} ({quote.grounding}): {quote.text!r}" for quote in order.quotes]
        lines += ["  reply: " + order.reply.replace("\n", "\n    ")] if order.reply else []
    return "\n".join(lines)


def _interrupted(options: JudgeOptions) -> str:
    if options.jsonl is None:
        return "interrupted; nothing was judged"
    if options.out is None:
        return f"interrupted; {ONLY_PRINTED}"
    if not options.replies_file or not options.replies_file.exists():
        return "interrupted; nothing had been asked"
    return f"interrupted; {options.replies_file} keeps every reply that came, the same command goes on from there"


def _failed(error: object, code: int) -> int:
    say_error(COMMAND, error)
    return int(code)
