"""Where data come from that others publish: name, revision and licence, as the stages write it into their outputs.

`read_origins` gathers them for a page or a model card.
"""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from reasrm.records.benchmark_folder import ACCOUNT
from reasrm.records.jsonl import BadRecordError, explain

NOT_STATED = "not stated"
"""The licence of a data set whose card or repository states none."""
NOT_KNOWN = "not known"
"""What nobody here can say, as of files that a user puts somewhere."""
ORIGINS = "origins"
"""Under this key the outputs hold them; it is absent where nothing comes from others."""


class OriginOf(StrEnum):
    """What comes from there."""

    BENCHMARK = "benchmark"
    PAIRS = "pairs"
    TRACES = "traces"


class DataOrigin(BaseModel):
    """One data set, or one folder of files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Of the hub, an address, or a folder."""
    revision: str
    """Full commit hash; of files `not known`."""
    licence: str
    """As its card states it, `not stated`, or `not known`."""
    written_by: str = ""
    """Of traces, the models that wrote them, as far as that is known."""


def read_origins(data: Path) -> dict[OriginOf, tuple[DataOrigin, ...]]:
    """What in the folder `data` comes from others, by what it is; empty where all was made here or nothing is there.

    Raises:
        BadRecordError: an output holds something else; says which.
    """
    accounts = _json(data / "benchmarks" / ACCOUNT)
    benchmarks = [one for account in accounts.values() for one in _origins(account, data / "benchmarks" / ACCOUNT)]
    pairs, traces = data / "pairs" / "funnel.json", data / "traces" / "first.metrics.json"
    found = {
        OriginOf.BENCHMARK: tuple(dict.fromkeys(benchmarks)),
        OriginOf.PAIRS: tuple(_origins(_json(pairs), pairs)),
        OriginOf.TRACES: tuple(_origins(_json(traces), traces)),
    }
    return {what: origins for what, origins in found.items() if origins}


def as_written(origins: Iterator[DataOrigin] | tuple[DataOrigin, ...]) -> dict[str, Any]:
    """The entry for an output's JSON; nothing if there are none, so that what is made here stays the same bytes."""
    rows = [one.model_dump(mode="json") for one in origins]
    return {ORIGINS: rows} if rows else {}


def _origins(document: Any, file: Path) -> Iterator[DataOrigin]:
    rows = document.get(ORIGINS, []) if isinstance(document, dict) else []
    try:
        yield from [DataOrigin.model_validate(row) for row in rows]
    except ValidationError as error:
        raise BadRecordError(f"{file}: `{ORIGINS}` is not what a stage writes: {explain(error)}") from error


def _json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        document = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise BadRecordError(f"{file}: not valid JSON ({error})") from error
    return document if isinstance(document, dict) else {}
