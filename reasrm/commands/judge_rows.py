"""What `reasrm judge` is given to compare: three texts of the command line, or the rows of a file."""

import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from reasrm.evaluation.pairwise_judgment import Pair
from reasrm.records.jsonl import BadRecordError, explain
from reasrm.records.pair import Message, require_question_last
from reasrm.runtime.stage_main import StageError

ROWS_AT_ONCE = 256
"""Rows that are read and judged together: no more are in memory."""


class ComparisonRow(BaseModel):
    """One comparison, as a row of `--jsonl` holds it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt: str | tuple[Message, ...]
    """The client's question, or a conversation that ends with it."""
    a: str
    b: str
    id: str | int | None = None
    """Given back with the judgment."""

    @field_validator("prompt")
    @classmethod
    def _is_a_question(cls, prompt: str | tuple[Message, ...]) -> str | tuple[Message, ...]:
        if not isinstance(prompt, str):
            require_question_last(prompt)
        if not (prompt if isinstance(prompt, str) else prompt[-1].content).strip():
            raise ValueError("the client's question is empty")
        return prompt

    @property
    def pair(self) -> Pair:
        """What is judged."""
        return Pair(self.prompt, self.a, self.b)


def row_from_options(prompt: str, a: str, b: str) -> ComparisonRow:
    """The comparison of three options of the command line, each a text, `@file` or `-`.

    Raises:
        StageError: one cannot be read, or the question is empty.
    """
    texts = {name: _text(f"--{name}", value) for name, value in (("prompt", prompt), ("a", a), ("b", b))}
    try:
        return ComparisonRow.model_validate(texts)
    except ValidationError as error:
        raise StageError(explain(error)) from error


def read_comparison_rows(name: str) -> Iterator[list[tuple[int, ComparisonRow]]]:
    """The rows of a file, or of standard input if `name` is `-`, some at a time, each with its line number.

    Raises:
        BadRecordError: a line is not a row; says file, line and field.
        StageError: there is no such file.
    """
    rows = _parsed(_standard_input() if name == "-" else _lines(Path(name)), name)
    while part := list(islice(rows, ROWS_AT_ONCE)):
        yield part


def _text(option: str, value: str) -> str:
    """A text given as it is, as `@file`, or as `-` for standard input; `@@` begins a text that begins with `@`."""
    try:
        if value == "-":
            return _standard_input().read().decode()
        if value.startswith("@") and not value.startswith("@@"):
            return Path(value[1:]).read_text(encoding="utf-8")
        return value.removeprefix("@").encode().decode()
    except (OSError, UnicodeError) as error:
        raise StageError(f"{option} {value[:60]!r}: cannot be read as UTF-8 text ({error})") from error


def _standard_input() -> BinaryIO:
    return sys.stdin.buffer


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise StageError(f"{path}: cannot be read ({error})") from error


def _parsed(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, ComparisonRow]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield number, ComparisonRow.model_validate_json(line)
        except ValidationError as error:
            raise BadRecordError(f"{name} line {number}: {explain(error)}") from error
