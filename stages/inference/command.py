"""Judge one comparison or a file of them: `reasrm judge --prompt Q --a A --b B [--model data/checkpoints/grpo-full]`.

`--prompt`, `--a` and `--b` are a text, a file (`@answer.txt`) or standard input (`-`). `--jsonl FILE` (`-` for standard
input) judges one row per line instead, `{"prompt": "..." or [{"role": ..., "content": ...}], "a": "...", "b": "..."}`,
and prints one JSON line per row, in order, with any `id` of the row.

The judge is a checkpoint folder, a served model (`--served FILE.yaml`, see `stages.inference.served_model`) or a
vendor's model (`--api openai --model gpt-4o-2024-08-06`; the key and base URL come from the SDK's environment
variables). A published judge is its model and its prompt file (`--prompt-file FILE`).

Both orders are asked; the verdict stands only if they agree.

Exit status: 0 judged, 1 failed, 2 wrong usage, 3 stopped by the service (out of reach, limits), 5 judged, but some
comparison has no verdict.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stages.inference.api_engine import ApiEngine
from stages.inference.engine import Sampling
from stages.inference.judge_form import JudgeForm, OwnForm, PublishedForm
from stages.inference.opening import EngineName, OpenModel, plain_prompts
from stages.inference.published_judges.prompt_file import load_prompt_file
from stages.inference.served_model import ApiProtocol, ServedModel
from stages.inference.single_judgment import Judge, Opinion, open_judge
from stages.inference.transformers_engine import Dtype
from stages.judging.chain_of_rubrics import PromptVariant
from stages.records.jsonl import BadRecordError, explain
from stages.records.pair import Message
from stages.runtime.stage_main import ExitCode, StageError

MODEL = "data/checkpoints/grpo-full"
NO_VERDICT = 5
ROWS_AT_ONCE = 256


class Case(BaseModel):
    """One row of `--jsonl`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt: str | tuple[Message, ...] = Field(min_length=1)
    a: str
    b: str
    id: str | int | None = None
    """Given back with the opinion."""


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    lines = (__doc__ or "").split("\n\n")
    words = argparse.ArgumentParser(
        prog="reasrm judge",
        description=lines[0],
        epilog="\n\n".join(lines[1:]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words.add_argument("--prompt", help="the client's question")
    words.add_argument("--a", help="one answer")
    words.add_argument("--b", help="the other answer")
    words.add_argument("--jsonl", metavar="FILE", help="judge each row of a file")
    words.add_argument("--model", default=MODEL, help="checkpoint folder, or a model's name with --api")
    words.add_argument("--engine", choices=["transformers", "vllm"], default="transformers", help="what runs it")
    words.add_argument("--served", metavar="FILE", type=Path, help="a served model's YAML file")
    words.add_argument("--api", choices=[one.value for one in ApiProtocol], help="ask a vendor's API")
    words.add_argument("--prompt-file", metavar="FILE", type=Path, help="a published judge's prompt")
    words.add_argument("--variant", choices=[one.value for one in PromptVariant], default="full", help="of our prompt")
    words.add_argument("--max-new-tokens", type=int, default=1024, help="a reply is cut off here")
    words.add_argument("--dtype", choices=[one.value for one in Dtype], default="float32", help="of the weights")
    words.add_argument("--json", action="store_true", help="print JSON")
    return words


def open_from(args: argparse.Namespace) -> Judge:
    """The judge that the command line names."""
    form: JudgeForm = OwnForm(PromptVariant(args.variant))
    if args.prompt_file is not None:
        form = PublishedForm(load_prompt_file(args.prompt_file))
    if args.served is not None:
        return open_judge(args.served, EngineName.API, form, args.max_new_tokens)
    if args.api is not None:
        served = ServedModel(
            protocol=ApiProtocol(args.api),
            model=args.model,
            base_url=None,
            concurrency=16,
            timeout_seconds=600,
            retries=6,
            leave_out=frozenset(),
            opens_thinking=False,
        )
        sampling = Sampling(max_new_tokens=args.max_new_tokens, temperature=0.0, top_p=1.0, seed=0, stop=form.stop)
        return Judge(OpenModel(ApiEngine(served), plain_prompts), form, sampling)
    return open_judge(args.model, EngineName(args.engine), form, args.max_new_tokens, Dtype(args.dtype))


def read_text(value: str) -> str:
    """A text given as it is, as `@file`, or as `-` for standard input.

    Raises:
        StageError: the file cannot be read.
    """
    if value == "-":
        return sys.stdin.read()
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StageError(f"{value[1:]}: cannot be read as text ({error})") from error


def read_cases(name: str) -> Iterator[list[Case]]:
    """The rows of `--jsonl`, some at a time.

    Raises:
        BadRecordError: a line is not a row; says file, line and field.
        StageError: there is no such file.
    """
    cases = _cases(sys.stdin if name == "-" else _lines(Path(name)), name)
    while part := list(islice(cases, ROWS_AT_ONCE)):
        yield part


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise StageError(f"{path}: cannot be read as text ({error})") from error


def _cases(lines: Iterable[str], name: str) -> Iterator[Case]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield Case.model_validate_json(line)
        except ValidationError as error:
            raise BadRecordError(f"{name} line {number}: {explain(error)}") from error


def as_text(opinion: Opinion) -> str:
    """An opinion as lines for reading."""
    sure = "" if opinion.confidence is None else f" (confidence {opinion.confidence:.3f})"
    lines = [f"verdict: {opinion.verdict.value}{sure}" if opinion.verdict else "verdict: none, the orders disagree"]
    if any(one.unreadable for one in opinion.orders):
        lines[0] = "verdict: none, a reply could not be read"
    for one in opinion.orders:
        said = one.verdict.value if one.verdict else f"unreadable ({one.unreadable})"
        lines.append(f"\n{one.shown_first.value} shown first: {said}")
        lines += [f"  type: {one.type}"] if one.type else []
        lines += [f"  rubric: {one.rubric}"] if one.rubric else []
        lines += [f"  scores: A {one.scores[0]:g}, B {one.scores[1]:g}"] if one.scores else []
        lines += [f"  quotes {quote.side.value} ({quote.grounding}): {quote.text!r}" for quote in one.quotes]
        lines.append("  reply: " + one.reply.replace("\n", "\n    "))
    return "\n".join(lines)


def judge_rows(judge: Judge, name: str) -> bool:
    """Judge the rows of a file and print one JSON line each; whether all have a verdict."""
    all_decided = True
    for part in read_cases(name):
        opinions = judge.compare_all([(case.prompt, case.a, case.b) for case in part])
        for case, opinion in zip(part, opinions, strict=True):
            all_decided = all_decided and opinion.verdict is not None
            row: dict[str, Any] = {} if case.id is None else {"id": case.id}
            print(json.dumps(row | opinion.model_dump(mode="json"), ensure_ascii=False), flush=True)
    return all_decided


def judge_one(judge: Judge, args: argparse.Namespace) -> bool:
    """Judge the comparison of the command line and print the opinion; whether it has a verdict."""
    opinion = judge.compare(read_text(args.prompt), read_text(args.a), read_text(args.b))
    print(opinion.model_dump_json(indent=1) if args.json else as_text(opinion))
    return opinion.verdict is not None


def main(words: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    command = parser()
    args = command.parse_args(words)
    texts = (args.prompt, args.a, args.b)
    if args.jsonl is None and None in texts:
        command.error("give --prompt, --a and --b, or --jsonl FILE")
    if args.jsonl is not None and any(text is not None for text in texts):
        command.error("--jsonl takes its texts from the file: leave --prompt, --a and --b out")
    if texts.count("-") > 1:
        command.error("standard input can be only one of --prompt, --a and --b")
    if args.api is not None and args.model == MODEL:
        command.error("--api needs the model's name: --model NAME")
    try:
        with open_from(args) as judge:
            decided = judge_one(judge, args) if args.jsonl is None else judge_rows(judge, args.jsonl)
    except StageError as error:
        print(f"reasrm judge: {error}", file=sys.stderr)
        return int(error.exit_code)
    except BadRecordError as error:
        print(f"reasrm judge: {error}", file=sys.stderr)
        return int(ExitCode.FAILED)
    return int(ExitCode.DONE) if decided else NO_VERDICT


if __name__ == "__main__":
    sys.exit(main())
