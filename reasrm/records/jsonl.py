"""Files of one record per line: read with file and line in every error, written whole or not at all."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from reasrm.records.content_hash import canonical_json

Record = TypeVar("Record", bound=BaseModel)


class BadRecordError(ValueError):
    """A line of a file is not the record it should be; says file, line, field and value."""


def read_rows(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield `(line number from 1, parsed JSON)` of each non-empty line of `path`.

    Raises:
        BadRecordError: a line is not JSON.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield number, orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise BadRecordError(f"{path} line {number}: not valid JSON ({error})") from error


def read_records(path: Path, kind: type[Record]) -> Iterator[Record]:
    """Yield the records of `path`, in order.

    Raises:
        BadRecordError: a line is not JSON or not a `kind`; the message names file, line, field and value.
    """
    for number, row in read_rows(path):
        try:
            yield kind.model_validate(row)
        except ValidationError as error:
            raise BadRecordError(f"{path} line {number}: not a {kind.__name__}: {explain(error)}") from error


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
