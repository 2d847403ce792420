"""The file of what each question came to, `data/probes/<model>/question_values.json`: what two judges are compared by.

Beside `measures.json`, which stays small for its readers: questions are named once, a measure holds their places.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from reasrm.probes.measure import Measure
from reasrm.probes.probe_run import ProbeResult
from reasrm.records.jsonl import BadRecordError, explain

QUESTION_VALUES = "question_values.json"
"""Its name."""
DIGITS = 6
"""To which values are rounded: far below any interval."""


class MeasuredQuestions(BaseModel):
    """One measure of one probe, question by question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    probe: str
    name: str
    variant: str
    places: list[int]
    """In `QuestionValues.questions`."""
    values: list[float]
    """The mean of each question's units."""


class QuestionValues(BaseModel):
    """All measures of one model that are means over questions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    questions: list[str]
    measures: list[MeasuredQuestions]

    def by_measure(self) -> Iterator[tuple[tuple[str, str, str], dict[str, float]]]:
        """Each measure's probe, name and variant, and its value by question."""
        for one in self.measures:
            named = (self.questions[place] for place in one.places)
            yield (one.probe, one.name, one.variant), dict(zip(named, one.values, strict=True))


def question_values(results: Sequence[ProbeResult]) -> QuestionValues:
    """What a run of some probes found out, question by question."""
    measured = [(result.probe.name, one) for result in results for one in result.measures if one.by_question]
    questions = sorted({question for _, one in measured for question in one.by_question})
    places = {question: place for place, question in enumerate(questions)}
    return QuestionValues(questions=questions, measures=[_of(probe, one, places) for probe, one in measured])


def read_question_values(file: Path) -> QuestionValues:
    """The values in `file`.

    Raises:
        BadRecordError: it is not such a file; says which field.
    """
    try:
        return QuestionValues.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise BadRecordError(f"{file}: {explain(error)}") from error


def _of(probe: str, measure: Measure, places: dict[str, int]) -> MeasuredQuestions:
    return MeasuredQuestions(
        probe=probe,
        name=measure.name,
        variant=measure.variant,
        places=[places[question] for question in measure.by_question],
        values=[round(value, DIGITS) for value in measure.by_question.values()],
    )
