"""Logs of LLMBar (princeton-nlp/LLMBar, arXiv 2310.07641): a JSON list per set, every pair judged in both orders.

A row is `{input, output_1, output_2, label, results}`. The last of `results` holds the judgments in both orders,
`{"swap = False": {completion: [reply, why it ended], winner}, "swap = True": {...}}`; what comes before it (criteria,
a reference answer, a first round) decides nothing. `label` and `winner` are 1 or 2 and name the output, whichever order
it was shown in; with `swap = True`, output_2 is shown first. `winner` is the verdict as LLMBar's authors read it out of
the reply; null means that they could not.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from reasrm.datasets.row_fields import user_turn
from reasrm.judging.verdict import Unreadable
from reasrm.probes.query import PlainJudgment
from reasrm.probes.recorded.recorded_judge import (
    RecordedJudge,
    RecordedJudgment,
    bad_row,
    item_of,
    recorded_judge,
    written,
)
from reasrm.records.comparison import Side
from reasrm.records.json_parsing import NotJsonError, parse_json
from reasrm.records.jsonl import BadRecordError
from reasrm.records.pair import PreferencePair
from reasrm.records.reply import Finish
from reasrm.runtime.stage_main import StageError

STATISTICS = ".statistics.json"
"""Ends the names of files that hold published figures and no replies."""
_FINISHES = {"length": Finish.LENGTH, "content management policy": Finish.REFUSED}
"""Why a reply ended, if not by itself, as LLMBar writes it."""


class _Outcome(BaseModel):
    model_config = ConfigDict(frozen=True)

    completion: tuple[str, str] | None = None
    """The reply and why it ended; not there where each output was rated by itself."""
    winner: Literal["1", "2"] | None


class _BothOrders(BaseModel):
    model_config = ConfigDict(frozen=True)

    unswapped: _Outcome = Field(alias="swap = False")
    swapped: _Outcome = Field(alias="swap = True")


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)

    input: str
    output_1: str
    output_2: str
    label: Literal[1, 2]
    last_result: _BothOrders = Field(alias="results")

    @field_validator("last_result", mode="before")
    @classmethod
    def _last(cls, results: Any) -> Any:
        if not isinstance(results, list) or not results:
            raise ValueError("must be a list that ends with the judgments in both orders")
        return results[-1]

    @property
    def pair(self) -> PreferencePair:
        """The outputs by the label."""
        chosen, rejected = (self.output_1, self.output_2) if self.label == 1 else (self.output_2, self.output_1)
        return PreferencePair(prompt=user_turn(self.input), chosen=chosen, rejected=rejected, source="llmbar")


def read_llmbar(path: Path) -> list[RecordedJudge]:
    """The judge of one set's file, or of a folder with a file per set; its name is the folder's.

    Raises:
        BadRecordError: a row is not LLMBar's; says file, row and field.
        StageError: the folder holds no set.
    """
    files = [path] if path.is_file() else sorted(file for file in path.glob("*.json") if not _is_statistics(file))
    if not files:
        raise StageError(f"{path}: no .json file of a set there; name a judge's folder (it holds Natural.json, …)")
    name = files[0].resolve().parent.name
    return [recorded_judge(name, (one for file in files for one in _judgments(file)), path)]


def _is_statistics(file: Path) -> bool:
    return file.name.endswith(STATISTICS)


def _judgments(file: Path) -> Iterator[RecordedJudgment]:
    try:
        rows = parse_json(file.read_bytes())
    except NotJsonError as error:
        raise BadRecordError(f"{file}: {error}") from error
    if not isinstance(rows, list):
        raise BadRecordError(f"{file}: must be a list of rows, it is a {type(rows).__name__}")
    for number, row in enumerate(rows, start=1):
        try:
            yield from _of_row(file.stem, number, _Row.model_validate(row))
        except ValidationError as error:
            raise bad_row(file, f"row {number}", error) from error


def _of_row(benchmark: str, number: int, row: _Row) -> Iterator[RecordedJudgment]:
    orders = row.last_result
    item = item_of(benchmark, str(number), row.pair)
    for outcome, shown_first in ((orders.unswapped, 1), (orders.swapped, 2)):
        better = Side.A if row.label == shown_first else Side.B
        right = None if outcome.winner is None else int(outcome.winner) == row.label
        verdict = Unreadable.NO_ANSWER if right is None else better if right else better.other
        text, ended = outcome.completion or ("", "")
        judgment = written(text, verdict, _FINISHES.get(ended, Finish.STOP))
        yield RecordedJudgment(PlainJudgment(item, better, judgment), right)
