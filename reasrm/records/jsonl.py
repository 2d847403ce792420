"""Files of one record per line: read with file and line in every error, written whole or not at all.

Rows that others may have written (`read_rows`) are parsed by the rule of `json_parsing.py`; records of our own
(`read_records`) are strict JSON. Both skip a byte order mark, which Windows programs put first.
"""

import codecs
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from reasrm.records.content_hash import canonical_json
from reasrm.records.json_parsing import NotJsonError, parse_json

Record = TypeVar("Record", bound=BaseModel)


class BadRecordError(ValueError):
    """A line of a file is not the record it should be; says file, line, field and value."""


def read_rows(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield `(line number from 1, parsed JSON)` of each non-empty line of `path`.

    Raises:
        BadRecordError: a line is not JSON.
    """
    for number, line in _lines(path):
        try:
            yield number, parse_json(line)
        except NotJsonError as error:
            raise BadRecordError(f"{path} line {number}: {error}") from error


def read_records(path: Path, kind: type[Record]) -> Iterator[Record]:
    """Yield the records of `path`, in order.

    Raises:
        BadRecordError: a line is not JSON or not a `kind`; the message names file, line, field and value.
    """
    for number, line in _lines(path):
        try:
            yield kind.model_validate(orjson.loads(line))
        except orjson.JSONDecodeError as error:
            raise BadRecordError(f"{path} line {number}: not valid JSON ({error})") from error
        except ValidationError as error:
            raise BadRecordError(f"{path} line {number}: not a {kind.__name__}: {explain(error)}") from error


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that hold anything, with their numbers."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number == 1 and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise BadRecordError(f"{path}: is UTF-16; save it as UTF-8")
            written = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if written.strip():
                yield number, written


def explain(error: ValidationError) -> str:
    """Each fault of a pydantic error as `field: what is wrong (got value)`, on one line."""
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'row'}: {fault['msg']} (got {str(fault['input'])[:80]!r})"
        for fault in error.errors()
    )


def write_records(path: Path, records: Iterable[BaseModel | dict[str, Any]]) -> int:
    """Write `records` to `path` atomically and return how many they were.

    The bytes depend on the records alone. A killed writer leaves the old file, or none, never half of one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    count = 0
    try:
        with partial.open("wb") as file:
            for record in records:
                row = record.model_dump(mode="json") if isinstance(record, BaseModel) else record
                file.write(canonical_json(row) + b"\n")
                count += 1
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count
