"""Files of safety prompts and of labelled answers that a user has, in their published columns, as records.

XSTest (`xstest_prompts.csv`; arXiv 2308.01263), SimpleSafetyTests (arXiv 2311.08370) and CoCoNot (arXiv 2407.12043) say
which requests must be refused, and XSTest and CoCoNot's contrast set which only look like it. A file is taken whole or
not at all: a row that cannot be used would change a measured share without a word.
"""

from collections.abc import Callable, Collection
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, TypeVar

from reasrm.datasets.folder_files import printable
from reasrm.datasets.row_fields import Refusal, Row, RowRefusedError, quoted, text
from reasrm.datasets.row_files import RowInFile, ending_of, rows_of
from reasrm.runtime.stage_main import StageError

T = TypeVar("T")
SAFETY_CATEGORY = "Requests with safety concerns"
"""CoCoNot's category of harmful requests and of their look-alikes. To those of the others (incomplete, unanswerable,
about the model itself) a right answer asks back or corrects, which no rule for refusals sees."""
XSTEST_LABELS = {"1_full_compliance": False, "2_full_refusal": True, "3_partial_refusal": True}
"""`final_label` of its completions -> whether the answer refuses, as the authors' own accuracy counts it."""


class SafetySource(StrEnum):
    """Where a safety prompt is from."""

    XSTEST = "xstest"
    SIMPLE_SAFETY_TESTS = "simple_safety_tests"
    COCONOT = "coconot"
    """Its requests not to comply with, `coconot_eval`."""
    COCONOT_CONTRAST = "coconot_contrast"
    """Its requests to comply with, `coconot_contrast_eval`; the rows themselves do not say of which set they are."""


class SafetyPrompt(NamedTuple):
    """A request and what is right to do."""

    prompt: str
    should_refuse: bool
    source: SafetySource


class LabelledAnswer(NamedTuple):
    """An answer of a model to a prompt of XSTest, with the label that people gave it."""

    model: str
    """The file's name."""
    prompt: str
    answer: str
    refuses: bool


def read_safety_prompts(source: SafetySource, file: Path) -> list[SafetyPrompt]:
    """The prompts of a file, in file order; of CoCoNot those of `SAFETY_CATEGORY`.

    Raises:
        StageError: a row cannot be used, or none is left; names file, row and field.
    """
    read = _READERS[source]
    found = [
        SafetyPrompt(prompt, should_refuse, source) for prompt, should_refuse in filter(None, _all_rows(file, read))
    ]
    if not found:
        raise StageError(f"{printable(file)}: no row of category {SAFETY_CATEGORY!r}; is it a file of CoCoNot?")
    return found


def read_labelled_answers(file: Path) -> list[LabelledAnswer]:
    """The completions of one model in XSTest's columns (`prompt`, `completion`, `final_label`), in file order.

    Raises:
        StageError: a row cannot be used; names file, row and field.
    """

    def labelled(row: Row) -> LabelledAnswer:
        refuses = XSTEST_LABELS[_one_of(row, "final_label", XSTEST_LABELS)]
        return LabelledAnswer(printable(Path(file.stem)), _prompt(row, "prompt"), text(row, "completion"), refuses)

    return _all_rows(file, labelled)


def _xstest(row: Row) -> tuple[str, bool]:
    return _prompt(row, "prompt"), _one_of(row, "label", ("safe", "unsafe")) == "unsafe"


def _simple_safety_tests(row: Row) -> tuple[str, bool]:
    return _prompt(row, "prompts_final"), True


def _coconot(row: Row) -> tuple[str, bool] | None:
    prompt = _prompt(row, "prompt")
    return (prompt, True) if text(row, "category") == SAFETY_CATEGORY else None


def _coconot_contrast(row: Row) -> tuple[str, bool] | None:
    prompt = _prompt(row, "prompt")
    return (prompt, False) if text(row, "category") == SAFETY_CATEGORY else None


_READERS: dict[SafetySource, Callable[[Row], tuple[str, bool] | None]] = {
    SafetySource.XSTEST: _xstest,
    SafetySource.SIMPLE_SAFETY_TESTS: _simple_safety_tests,
    SafetySource.COCONOT: _coconot,
    SafetySource.COCONOT_CONTRAST: _coconot_contrast,
}


def _prompt(row: Row, field: str) -> str:
    prompt = text(row, field)
    if not prompt.strip():
        raise RowRefusedError(Refusal.NO_TEXT, f"`{field}` is empty")
    return prompt


def _one_of(row: Row, field: str, values: Collection[str]) -> str:
    value = text(row, field)
    if value not in values:
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be {' or '.join(values)}, it is {quoted(value)}")
    return value


def _all_rows(file: Path, read: Callable[[Row], T]) -> list[T]:
    """What `read` makes of every row.

    Raises:
        StageError: of a row it makes nothing.
    """
    name = printable(file)
    if ending_of(file.name) is None:
        raise StageError(f"{name}: its ending does not say what it is; .csv and .jsonl are read")
    found: list[T] = []
    faults: list[str] = []
    for row in rows_of(file, name):
        try:
            found.append(read(_usable(row)))
        except RowRefusedError as error:
            faults.append(f"{_place(row)}: {error}")
    if faults:
        raise StageError(
            f"{name}: {len(faults)} of {len(found) + len(faults)} rows cannot be used, the first is {faults[0]}; "
            "mend or remove them"
        )
    return found


def _usable(row: RowInFile) -> Row:
    if row.fault is not None:
        raise row.fault
    if not isinstance(row.row, dict):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"a row must be an object with fields, it is {quoted(row.row)}")
    return row.row


def _place(row: RowInFile) -> str:
    lines = ending_of(row.file) in (".jsonl", ".ndjson")
    return f"line {row.place}" if lines else f"row {row.place + 1}"
