"""What `reasrm judge` is given to compare: three texts of the command line, or the rows of a file.

A row's `id` is the user's and of any JSON type. It is given back as it was written, to the digit (`1.0` and `1e400`
stay what they are), so numbers are kept as text. All rows are read, and any bad one is refused, before anybody is
asked: what is paid for is never lost to a misspelling further down.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from reasrm.datasets.other_fields import SYSTEM_FIELDS
from reasrm.evaluation.pairwise_judgment import Pair
from reasrm.records.harmless_text import json_text
from reasrm.records.json_parsing import not_unicode, object_without_repeats
from reasrm.records.jsonl import BadRecordError, explain
from reasrm.records.pair import Message, require_question_last
from reasrm.runtime.stage_main import StageError

ROWS_AT_ONCE = 256
"""Rows that are judged together: no more are in memory."""
MARKS_OF_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""How a file in UTF-16 begins."""


class ComparisonRow(BaseModel):
    """One comparison, as a row of `--jsonl` holds it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt: str | tuple[Message, ...]
    """The client's question, or a conversation that ends with it."""
    a: str
    b: str
    id_json: str | None = None
    """The row's `id` as JSON, as it was written; None if it has none. Given back with the judgment."""

    @field_validator("prompt", "a", "b", mode="before")
    @classmethod
    def _is_whole_text(cls, value: Any) -> Any:
        turns = (
            [turn.get("content") for turn in value if isinstance(turn, dict)] if isinstance(value, list) else [value]
        )
        if not_unicode(turns):
            raise ValueError("holds half of a character (a lone surrogate), which is no text")
        return value

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


NumberedRow = tuple[int, ComparisonRow]
"""A row with the number of its line."""


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


@contextmanager
def comparison_rows(name: str) -> Iterator[Iterator[list[NumberedRow]]]:
    """The rows of a file, or of standard input if `name` is `-`, some at a time; all were read once and are good.

    What can be read only once (a pipe) is copied to a temporary file first.

    Raises:
        BadRecordError: a line is not a row; says file, line and field.
        StageError: there is no such file, or no row in it.
    """
    try:
        file = _readable_twice(name)
    except OSError as error:
        raise StageError(f"{name}: cannot be read ({error})") from error
    with file:
        if not sum(1 for _ in _rows(file, name)):
            raise StageError(f"{name}: holds no row, so there is nothing to judge")
        file.seek(0)
        rows = _rows(file, name)
        yield iter(lambda: list(islice(rows, ROWS_AT_ONCE)), [])


def _readable_twice(name: str) -> IO[bytes]:
    """The file `name`, or a copy of what can be read only once.

    Raises:
        OSError: it cannot be read.
    """
    if name != "-" and Path(name).is_file():
        return Path(name).open("rb")
    copy = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    with nullcontext(_standard_input()) if name == "-" else Path(name).open("rb") as given:
        shutil.copyfileobj(given, copy)
    copy.seek(0)
    return copy


def _text(option: str, value: str) -> str:
    """A text given as it is, as `@file`, or as `-` for standard input; `@@` begins a text that begins with `@`."""
    try:
        if value == "-":
            return _decoded(_standard_input().read())
        if value.startswith("@") and not value.startswith("@@"):
            return _decoded(Path(value[1:]).read_bytes())
        return os.fsencode(value.removeprefix("@")).decode()  # its bytes, whatever the locale took them for
    except (OSError, UnicodeError) as error:
        raise StageError(f"{option} {value[:60]!r}: cannot be read as UTF-8 text ({error})") from error


def _decoded(data: bytes) -> str:
    """UTF-8 without the byte order mark that some programs put first, lines ended by newlines as in any text file."""
    return data.decode("utf-8-sig").replace("\r\n", "\n")


def _standard_input() -> IO[bytes]:
    if sys.stdin is None:
        raise OSError("standard input is closed")
    return sys.stdin.buffer


def _rows(file: IO[bytes], name: str) -> Iterator[NumberedRow]:
    for number, line in enumerate(file, start=1):
        try:
            text = _line_text(line)
            if text.strip():
                yield number, _row(text)
        except ValidationError as error:
            raise BadRecordError(f"{name} line {number}: {explain(error)}") from error
        except RecursionError as error:
            raise BadRecordError(f"{name} line {number}: row: nested too deeply") from error
        except ValueError as error:
            raise BadRecordError(f"{name} line {number}: {error} (got {line[:80]!s})") from error


def _line_text(line: bytes) -> str:
    """One line as text, without the byte order mark of a file, or of one of several that were put together."""
    if line.startswith(MARKS_OF_UTF_16):
        raise ValueError("row: UTF-16, not UTF-8; save the file as UTF-8")
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"row: byte {error.start} is not UTF-8; save the file as UTF-8") from error


def _row(text: str) -> ComparisonRow:
    """A line as a row.

    Raises:
        ValidationError: a field is missing or not what it should be.
        ValueError: it is not JSON, or its id cannot be given back.
    """
    try:
        row = json.loads(
            text,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_Number,
            object_pairs_hook=object_without_repeats,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"row: not valid JSON ({error})") from error
    if isinstance(row, dict):
        if lost := next((field for field in SYSTEM_FIELDS if row.get(field)), None):
            raise ValueError(f"{lost}: is not read; put it into `prompt` as a turn of the role system")
        row["id_json"] = _as_written(row["id"]) if "id" in row else None
    return ComparisonRow.model_validate(row)


@dataclass(frozen=True)
class _Number:
    """A number, or what some programs write where there is none (`NaN`), as it stands in a row."""

    text: str

    def __str__(self) -> str:
        return self.text


def _as_written(value: Any) -> str:
    """An id, or a part of one, as JSON: numbers to the digit.

    Raises:
        ValueError: it holds what JSON lacks, or no encoding takes.
    """
    match value:
        case _Number(text) if text.strip("-") in {"NaN", "Infinity"}:
            raise ValueError(f"id: {text} is no JSON, so it could not be given back")
        case _Number(text):
            return text
        case dict():
            return f"{{{', '.join(f'{_as_written(name)}: {_as_written(inner)}' for name, inner in value.items())}}}"
        case list():
            return f"[{', '.join(map(_as_written, value))}]"
        case str() if not_unicode(value):
            raise ValueError("id: holds half of a character (a lone surrogate), which is no text")
        case _:
            return json_text(value)
