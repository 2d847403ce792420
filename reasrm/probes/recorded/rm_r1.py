"""Logs of RM-R1 (RM-R1-UIUC/RM-R1, arXiv 2505.02387): one row per line, one order per comparison.

A row is `{model, benchmark, id, chosen, rejected, output, chosen_in_b, result}`; `chosen` and `rejected` are
conversations that differ in their last turn. RM-Bench's rows have a `prompt` and lists instead: three answers of each
kind, and as many outputs, orders and results. `result` is 1 where RM-R1's harness counts the verdict as right. The
verdict here is read by our own rule (the last `<answer>` behind the thoughts), so the two can be compared.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reasrm.datasets.row_fields import user_turn
from reasrm.judging.verdict import Unreadable, read_verdict
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
from reasrm.records.jsonl import read_rows
from reasrm.records.pair import Message, PreferencePair, Role

Right = Literal[0, 1]


class _Row(BaseModel):
    """What all rows have."""

    model_config = ConfigDict(frozen=True)

    model: str
    benchmark: str
    id: int | str
    subset: str = ""
    domain: str = ""
    file: str = ""
    """Which of several files of the benchmark's rows it is about; ids repeat in each."""

    @property
    def name(self) -> str:
        """Identifies what was judged."""
        return "/".join(filter(None, (self.file, str(self.id))))


class _OneOutput(_Row):
    chosen: tuple[Message, ...] = Field(min_length=2)
    rejected: tuple[Message, ...] = Field(min_length=2)
    output: str
    chosen_in_b: bool
    result: Right

    @model_validator(mode="after")
    def _differ_in_the_last_turn(self) -> Self:
        if self.chosen[:-1] != self.rejected[:-1]:
            raise ValueError("`chosen` and `rejected` differ before their last turn")
        if {self.chosen[-1].role, self.rejected[-1].role} != {Role.ASSISTANT}:
            raise ValueError("the last turn of `chosen` and `rejected` must be the assistant's")
        return self

    def judgments(self) -> Iterator[RecordedJudgment]:
        """The row's one judgment."""
        chosen, rejected = self.chosen[-1].content, self.rejected[-1].content
        pair = PreferencePair(prompt=self.chosen[:-1], chosen=chosen, rejected=rejected, source=self.benchmark)
        yield _judgment(self, self.name, pair, self.output, self.chosen_in_b, self.result)


class _SeveralOutputs(_Row):
    prompt: str
    chosen: tuple[str, ...]
    rejected: tuple[str, ...]
    output: tuple[str, ...]
    chosen_in_b: tuple[bool, ...]
    result: tuple[Right, ...]

    @model_validator(mode="after")
    def _are_as_many(self) -> Self:
        lists = ("chosen", "rejected", "output", "chosen_in_b", "result")
        lengths = {name: len(getattr(self, name)) for name in lists}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"lists of different lengths: {lengths}")
        return self

    def judgments(self) -> Iterator[RecordedJudgment]:
        """One for each pair of answers."""
        rows = zip(self.chosen, self.rejected, self.output, self.chosen_in_b, self.result, strict=True)
        for place, (chosen, rejected, output, chosen_in_b, result) in enumerate(rows):
            pair = PreferencePair(
                prompt=user_turn(self.prompt), chosen=chosen, rejected=rejected, source=self.benchmark
            )
            yield _judgment(self, f"{self.name}/{place}", pair, output, chosen_in_b, result)


def read_rm_r1(path: Path) -> list[RecordedJudge]:
    """The judges of a file, in the order in which they occur.

    Raises:
        BadRecordError: a row is not RM-R1's; says file, line and field.
    """
    judgments: dict[str, list[RecordedJudgment]] = defaultdict(list)
    for number, row in read_rows(path):
        try:
            of_row = _row(row)
            judgments[of_row.model] += of_row.judgments()
        except ValidationError as error:
            raise bad_row(path, f"line {number}", error) from error
    return [recorded_judge(name, some, path) for name, some in judgments.items()]


def _row(row: Any) -> _OneOutput | _SeveralOutputs:
    several = isinstance(row, dict) and isinstance(row.get("output"), list)
    return _SeveralOutputs.model_validate(row) if several else _OneOutput.model_validate(row)


def _judgment(
    row: _Row, item_id: str, pair: PreferencePair, output: str, chosen_in_b: bool, result: int
) -> RecordedJudgment:
    better = Side.B if chosen_in_b else Side.A
    read = read_verdict(output)
    verdict = read if isinstance(read, Unreadable) else read.side
    item = item_of(row.benchmark, item_id, pair, row.domain or row.subset)
    return RecordedJudgment(PlainJudgment(item, better, written(output, verdict)), result == 1)
