"""What the reasons of a reply come to, read without a model: four readings, each a stance or unclear.

- *criteria*: each criterion of the rubric, with its weight, for the answer that the evaluation prefers in it. The sign
  of the weighted sum counts where no criterion that is unclear could change it.
- *result*: of a solved question, the answer that agrees with the judge's own result, where the other one differs.
- *totals*: the larger of two totals that the evaluation states itself (`So A has 80, B has 50`).
- *conclusion*: what the sentences that sum up the evaluation say, before the verdict.

A reply's reasons are consistent with its verdict if at least one of the readings is clear and none that is names the
other answer (definition 4.2a of RFEval, arXiv 2602.17053: the stance of the explanation is that of the answer).
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from reasrm.judging.stances.criteria import Criterion, criteria, segments
from reasrm.judging.stances.phrases import preferred, signed
from reasrm.judging.stances.stance import Stance, larger
from reasrm.judging.trace_structure import TraceStructure
from reasrm.records.comparison import Side


class StanceSource(StrEnum):
    """From which part of the reasons a stance is read."""

    CRITERIA = "criteria"
    RESULT = "result"
    TOTALS = "totals"
    CONCLUSION = "conclusion"


@dataclass(frozen=True, slots=True)
class CriterionStance:
    """One criterion and what the evaluation says about it."""

    criterion: Criterion
    stance: Stance


_NUMBER = r"(\d+(?:\.\d+)?)(?:\s*(?:/\s*\d+|%|points?|out of \d+))?"
_SCORED = (
    r"(?:\W{0,3}\b(?:has|gets|got|scores?|scored|receives?|earns?|totals?|is|with|of|comes to|overall|final)\b){0,3}"
    r"[\s:=(|]{1,4}"
)
_SCORES = re.compile(rf"§A{_SCORED}{_NUMBER}(?P<gap>[^§]{{0,40}})§B{_SCORED}{_NUMBER}", re.IGNORECASE)
_TOTALS = re.compile(r"\b(?:totals?|sum|overall|final|altogether|scores?|so)\b", re.IGNORECASE)
_MET = r"(?P<met>yes|no|met|not met|unmet|fulfilled|satisfied|✓|✔|✗|✘)"
_MARKS_OF_SIDE = re.compile(
    r"<(?:quote|summary)_(?P<tag>[AB])>|^[\s*_#>-]*(?:chat\s?bot|assistant|answer|response)\s*(?P<label>(?-i:[AB]))\b[*_]*\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_POSITIVE = frozenset({"yes", "met", "fulfilled", "satisfied", "✓", "✔"})
_AGREES = re.compile(r"</quote_(?P<side>[AB])>[^<\n]{0,80}?\b(?P<word>agrees|differs)\b", re.IGNORECASE)
_RIGHT = re.compile(
    r"§(?P<side>[AB])\b[^.§\n]{0,60}?\b(?P<word>correct|incorrect|right|wrong|matches|differs|inaccurate|flawed)\b[^.§\n]{0,20}?"
    r"\b(?:answer|result|solution|value|output|implementation|conclusion|response)?",
    re.IGNORECASE,
)
_SUMS_UP = re.compile(
    r"(?:^|(?<=[.!?])\s)[\s*_#]*(?P<said>(?:overall|in conclusion|in summary|to sum up|therefore|thus|hence|"
    r"given (?:these|this)|based on|taking|conclusion|final|in total|ultimately|all in all)\b)",
    re.IGNORECASE | re.MULTILINE,
)


def stances(structure: TraceStructure) -> dict[StanceSource, Stance]:
    """What each reading of a reply's reasons gives; nothing for parts that the reply does not have."""
    if structure.evaluation is None:
        return {}
    found: dict[StanceSource, Stance] = {}
    of_criteria = criterion_stances(structure)
    if of_criteria:
        found[StanceSource.CRITERIA] = weighted(of_criteria)
    if structure.solution is not None or _AGREES.search(structure.evaluation):
        found[StanceSource.RESULT] = _of_result(structure.evaluation)
    totals = stated_totals(structure.evaluation)
    if totals is not None:
        found[StanceSource.TOTALS] = larger(*totals)
    concluded = _conclusion(structure)
    if concluded:
        found[StanceSource.CONCLUSION] = preferred(concluded)
    return found


def criterion_stances(structure: TraceStructure) -> tuple[CriterionStance, ...]:
    """What the evaluation says about each criterion of the rubric; nothing where no rubric can be read."""
    rubric = criteria(structure.rubric or "")
    evaluation = structure.evaluation or ""
    parts = segments(evaluation, rubric)
    alone = evaluation if len(rubric) == 1 else ""
    return tuple(CriterionStance(one, _of_criterion(one, evaluation, parts.get(one.name, alone))) for one in rubric)


def weighted(found: tuple[CriterionStance, ...]) -> Stance:
    """The sign of the weighted sum; unclear where the criteria that are unclear could turn it, or where it is 0."""
    signs = {Stance.A: 1.0, Stance.B: -1.0}
    known = sum(one.criterion.weight * signs.get(one.stance, 0.0) for one in found)
    open_ = sum(one.criterion.weight for one in found if one.stance is Stance.UNCLEAR)
    if known == open_ == 0:
        return Stance.NEITHER
    return larger(known, 0.0) if abs(known) > open_ else Stance.UNCLEAR


def stated_totals(evaluation: str) -> tuple[float, float] | None:
    """The totals of A and B that an evaluation states; None for none, or for several pairs without saying which.

    Totals stand together, A's first, in a sentence that says so; or they are the only two numbers of the kind.
    """
    text = signed(evaluation)
    pairs = list(_SCORES.finditer(text))
    called = [one for one in pairs if _TOTALS.search(_sentence_up_to(text, one))]
    chosen = called[-1] if called else pairs[0] if len(pairs) == 1 else None
    return None if chosen is None else (float(chosen[1]), float(chosen[3]))


def _sentence_up_to(text: str, found: re.Match[str]) -> str:
    start = max(text.rfind(". ", 0, found.start()), text.rfind("\n", 0, found.start())) + 1
    return text[start : found.end()]


def _of_criterion(criterion: Criterion, evaluation: str, part: str) -> Stance:
    listed = _listed(criterion.name, evaluation)
    if listed is not Stance.UNCLEAR or not part.strip():
        return listed
    scored = list(_SCORES.finditer(signed(part)))
    if len(scored) == 1:
        return larger(float(scored[0][1]), float(scored[0][3]))
    return preferred(part)


def listed_sums(structure: TraceStructure) -> tuple[float, float] | None:
    """The weights of the criteria that an evaluation lists as met, added up for A and for B.

    None where some criterion is not listed once under each answer.
    """
    rubric = criteria(structure.rubric or "")
    met = [_met(one.name, structure.evaluation or "") for one in rubric]
    if not rubric or any(one is None for one in met):
        return None
    pairs = [(one.weight, each) for one, each in zip(rubric, met, strict=True) if each is not None]
    return sum(weight for weight, (a, _) in pairs if a), sum(weight for weight, (_, b) in pairs if b)


def _listed(name: str, evaluation: str) -> Stance:
    met = _met(name, evaluation)
    return Stance.UNCLEAR if met is None else larger(*met)


def _met(name: str, evaluation: str) -> tuple[bool, bool] | None:
    """Whether A and B meet a criterion, of `name: yes` and `name: no`, each said once under one answer."""
    said: dict[Side, list[bool]] = {side: [] for side in Side}
    about: Side | None = None
    pattern = re.compile(rf"{_MARKS_OF_SIDE.pattern}|(?<![^\W_]){re.escape(name)}\s*:\s*{_MET}(?![^\W_])", re.I | re.M)
    for found in pattern.finditer(evaluation):
        if named := found["tag"] or found["label"]:
            about = Side(named.upper())
        elif about is not None:
            said[about].append(found["met"].lower() in _POSITIVE)
    if any(len(values) != 1 for values in said.values()):
        return None
    return said[Side.A][0], said[Side.B][0]


def _of_result(evaluation: str) -> Stance:
    """For the answer that is said to be right, where the other one is said to be wrong."""
    said: dict[Side, set[bool]] = {side: set() for side in Side}
    for found in _AGREES.finditer(evaluation):
        said[Side(found["side"].upper())].add(found["word"].lower() == "agrees")
    if not any(said.values()):
        for found in _RIGHT.finditer(signed(evaluation)):
            if not re.search(r"\bnot\b|n['\u2019]t\b", found.group()):
                said[Side(found["side"])].add(found["word"].lower() in {"correct", "right", "matches"})
    if any(len(values) != 1 for values in said.values()):
        return Stance.UNCLEAR
    return larger(*(next(iter(said[side])) for side in Side))


def _conclusion(structure: TraceStructure) -> str:
    """From the last sentence that says that it sums up to its paragraph's end; without a rubric, the last paragraph.

    With one, the last paragraph mostly is about the last criterion. Empty where there is neither.
    """
    evaluation = structure.evaluation or ""
    sums_up = list(_SUMS_UP.finditer(evaluation))
    if sums_up:
        return re.split(r"\n\s*\n", evaluation[sums_up[-1].start("said") :], maxsplit=1)[0]
    paragraphs = [one for one in re.split(r"\n\s*\n", evaluation) if one.strip()]
    if structure.rubric is not None or len(paragraphs) < 2 or re.match(r"[\s*_#]*(?:\d+[.)]|<)", paragraphs[-1]):
        return ""
    return paragraphs[-1]
