"""Judge one comparison or a file of them: `reasrm judge --prompt Q --a A --b B [--model data/checkpoints/grpo-full]`.

`--prompt`, `--a` and `--b` are a text, a file (`@answer.txt`) or standard input (`-`); a text that begins with @ is
written with two (`@@home`). `--jsonl FILE` (`-` for standard input) judges one row per line instead,
`{"prompt": "..." or [{"role": ..., "content": ...}], "a": "...", "b": "..."}`, and prints one JSON line per row, in
order, with any `id` of the row. With `--out OPINIONS.jsonl` the lines go to that file, and replies are kept beside it
(`OPINIONS.replies.jsonl`) as they come: the same command goes on after a stop and asks nothing twice.

The judge is a checkpoint folder (a scoring one with `--engine scalar`), a served model (`--served FILE.yaml`, see
`reasrm.inference.served_model`) or a vendor's model (`--api openai --model gpt-4o-2024-08-06`; the key and base URL
come from the SDK's environment variables). A published judge is its model and its prompt file (`--prompt-file FILE`).

Both orders are asked; the verdict stands only if they agree.

Exit status: 0 judged, 1 failed, 2 wrong usage, 3 stopped by the service (out of reach, limits), 4 another run writes to
the same `--out`, 5 judged, but some comparison has no verdict.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reasrm.apis.request_format import ApiProtocol
from reasrm.commands.judge_rows import case_of, read_cases
from reasrm.evaluation.judge_template import JudgeForm, OwnForm, PublishedForm
from reasrm.evaluation.pairwise_judgment import Judge, Opinion
from reasrm.evaluation.published_judges.prompt_file import load_prompt_file
from reasrm.evaluation.scalar_judge import open_scalar_judge
from reasrm.evaluation.text_judge import open_judge
from reasrm.inference.opening import EngineName
from reasrm.inference.served_model import served_model
from reasrm.inference.transformers_engine import Dtype
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.jsonl import BadRecordError, write_records
from reasrm.records.ledger import Ledger, LedgerBusyError
from reasrm.runtime.stage_main import ExitCode, StageError, StoppedResumable

MODEL = "data/checkpoints/grpo-full"
SCALAR = "scalar"
NO_VERDICT = 5


def parser() -> argparse.ArgumentParser:
    """The words of the command line; what is not said is None."""
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
    words.add_argument("--out", metavar="FILE", type=Path, help="where the opinions on --jsonl go, resumable")
    words.add_argument("--model", help=f"checkpoint folder ({MODEL}), or a model's name with --api")
    words.add_argument("--engine", choices=["transformers", "vllm", SCALAR], help="what runs it (transformers)")
    words.add_argument("--served", metavar="FILE", type=Path, help="a served model's YAML file")
    words.add_argument("--api", choices=[one.value for one in ApiProtocol], help="ask a vendor's API")
    words.add_argument("--prompt-file", metavar="FILE", type=Path, help="a published judge's prompt")
    words.add_argument("--variant", choices=[one.value for one in PromptVariant], help="of our prompt (full)")
    words.add_argument("--max-new-tokens", type=_positive, help="a reply is cut off here (1024)")
    words.add_argument("--dtype", choices=[one.value for one in Dtype], help="of the weights (float32)")
    words.add_argument("--json", action="store_true", help="print JSON")
    return words


def misuse(args: argparse.Namespace) -> str | None:
    """What is wrong with the words together, if anything; no word is ever overridden by another."""
    texts, rows = (args.prompt, args.a, args.b), args.jsonl is not None
    service, scalar = args.served or args.api, args.engine == SCALAR
    asks = args.prompt_file or args.variant or args.max_new_tokens
    wrong = {
        "give --prompt, --a and --b, or --jsonl FILE": not rows and None in texts,
        "--jsonl takes its texts from the file: leave --prompt, --a and --b out": rows and texts != (None,) * 3,
        "standard input can be only one of --prompt, --a and --b": texts.count("-") > 1,
        "--out goes with --jsonl": args.out and not rows,
        "--out is a folder: name a file": args.out and args.out.is_dir(),
        "--out would overwrite what is judged": args.out and rows and _same_file(args.out, args.jsonl),
        "--served says who is asked: leave --model and --api out": args.served and (args.model or args.api),
        "--api needs the model's name: --model NAME": args.api and not args.model,
        "a service is not run here: leave --engine and --dtype out": service and (args.engine or args.dtype),
        "a published judge has its own prompt: leave --variant out": args.prompt_file and args.variant,
        "a scalar judge is asked nothing: leave --prompt-file, --variant and --max-new-tokens out": scalar and asks,
    }
    return next((said for said, so in wrong.items() if so), None)


def open_from(args: argparse.Namespace) -> Judge:
    """The judge that the command line names."""
    dtype = Dtype(args.dtype or Dtype.FLOAT32)
    if args.engine == SCALAR:
        return open_scalar_judge(args.model or MODEL, dtype)
    form: JudgeForm = OwnForm(PromptVariant(args.variant or PromptVariant.FULL))
    if args.prompt_file is not None:
        form = PublishedForm(load_prompt_file(args.prompt_file))
    tokens = args.max_new_tokens or 1024
    if args.served is not None:
        return open_judge(args.served, EngineName.API, form, tokens)
    if args.api is not None:
        return open_judge(served_model(args.model, api=args.api), form=form, max_new_tokens=tokens)
    return open_judge(args.model or MODEL, EngineName(args.engine or EngineName.TRANSFORMERS), form, tokens, dtype)


def as_text(opinion: Opinion) -> str:
    """An opinion as lines for reading."""
    sure = "" if opinion.confidence is None else f" (confidence {opinion.confidence:.3f})"
    lines = [f"verdict: {opinion.verdict.value}{sure}" if opinion.verdict else "verdict: none, the orders disagree"]
    causes = {one.unreadable.value for one in opinion.orders if one.unreadable}
    if causes:
        lines[0] = f"verdict: none, a reply could not be read ({', '.join(sorted(causes))})"
    for one in opinion.orders:
        said = one.verdict.value if one.verdict else f"unreadable ({one.unreadable})"
        lines.append(f"\n{one.shown_first.value} shown first: {said}")
        lines += [f"  type: {one.type}"] if one.type else []
        lines += [f"  rubric: {one.rubric}"] if one.rubric else []
        lines += [f"  scores: A {one.scores[0]:g}, B {one.scores[1]:g}"] if one.scores else []
        lines += [f"  quotes {quote.side.value} ({quote.grounding}): {quote.text!r}" for quote in one.quotes]
        lines += ["  reply: " + one.reply.replace("\n", "\n    ")] if one.reply else []
    return "\n".join(lines)


def opinions_on(judge: Judge, name: str, ledger: Ledger | None = None) -> Iterator[dict[str, Any]]:
    """The opinion on each row of a file, in order, as a row that can be written."""
    for part in read_cases(name):
        opinions = judge.compare_each([(case.prompt, case.a, case.b) for case in part], ledger)
        for case, opinion in zip(part, opinions, strict=True):
            row: dict[str, Any] = {} if case.id is None else {"id": case.id}
            yield row | opinion.model_dump(mode="json")


def judge_rows(judge: Judge, name: str, out: Path | None) -> bool:
    """Judge the rows of a file and print or write one JSON line each; whether all have a verdict."""
    decided: list[bool] = []

    def rows(ledger: Ledger | None = None) -> Iterator[dict[str, Any]]:
        for row in opinions_on(judge, name, ledger):
            decided.append(row["verdict"] is not None)
            yield row

    if out is None:
        for row in rows():
            print(json.dumps(row, ensure_ascii=False), flush=True)
    else:
        with Ledger(out.with_suffix(".replies.jsonl")) as ledger:
            write_records(out, rows(ledger))
    return all(decided)


def judge_one(judge: Judge, args: argparse.Namespace) -> bool:
    """Judge the comparison of the command line and print the opinion; whether it has a verdict."""
    case = case_of(args.prompt, args.a, args.b)
    opinion = judge.compare(case.prompt, case.a, case.b)
    print(opinion.model_dump_json(indent=1) if args.json else as_text(opinion))
    return opinion.verdict is not None


def main(words: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    command = parser()
    args = command.parse_args(words)
    wrong = misuse(args)
    if wrong is not None:
        command.error(wrong)
    try:
        with open_from(args) as judge:
            decided = judge_one(judge, args) if args.jsonl is None else judge_rows(judge, args.jsonl, args.out)
    except StoppedResumable as stop:
        loses = args.jsonl is not None and args.out is None
        hint = "; no more than is printed is kept, --out FILE keeps every reply" if loses else ""
        return _failed(f"{stop}{hint}", stop.exit_code)
    except StageError as error:
        return _failed(error, error.exit_code)
    except LedgerBusyError as error:
        return _failed(error, ExitCode.BUSY)
    except BadRecordError as error:
        return _failed(error, ExitCode.FAILED)
    return int(ExitCode.DONE) if decided else NO_VERDICT


def _failed(error: object, code: ExitCode) -> int:
    print(f"reasrm judge: {error}", file=sys.stderr)
    return int(code)


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, is {number}")
    return number


def _same_file(out: Path, judged: str) -> bool:
    return out.exists() and Path(judged).exists() and out.samefile(judged)


if __name__ == "__main__":
    sys.exit(main())
