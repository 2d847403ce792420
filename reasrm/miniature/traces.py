"""The text of a judgment of a world problem, in the project's tag protocol.

A careful analysis solves or weighs the problem by its family. Two careless ones decide by the answers' layout, or weigh
a chat request with the same criteria for every client. Each is written for one comparison, from its text alone, and in
the form that a prompt variant asks for. The oracle and the base model's pretraining documents share them.
"""

from dataclasses import dataclass

from reasrm.judging.chain_of_rubrics import OFFERED_TYPES, PromptVariant
from reasrm.judging.question_types import QuestionType
from reasrm.miniature import chat_families as chat
from reasrm.miniature import reasoning_families as reasoning
from reasrm.miniature.styles import DETAILED_START, MARKDOWN_HEADING, Style, strip_style
from reasrm.records.comparison import Side

LAYOUT_CRITERION = " layout 100"
RESULT_RUBRIC = "<rubric> the right result 100<justify> the question has one</justify></rubric>"


@dataclass(frozen=True)
class Analysis:
    """A judgment before its verdict."""

    type: QuestionType
    """What it takes the question for: one of the finer types."""
    work: str
    """The worked solution; empty where nothing is solved."""
    rubric: str
    """The criteria between their tags."""
    checks: str
    """What is said of each answer."""
    preferred: Side | None
    """The side that the text argues for; None where it finds no difference."""

    def text(self, variant: PromptVariant) -> str:
        """The analysis as `variant` asks for it: with a type, with rubrics alone, free, or nothing."""
        if variant is PromptVariant.ANSWER_ONLY:
            return ""
        offered = OFFERED_TYPES.get(variant, frozenset())
        kind = self.type if self.type in offered else self.type.coarse
        if offered and kind.coarse is QuestionType.REASONING:
            return f"<type>{kind}</type><solution>{self.work}</solution><eval>{self.checks}</eval>"
        work = f"{self.work}." if self.work else ""
        evaluation = f"<eval>{work}{self.checks}</eval>"
        if variant is PromptVariant.PLAIN:
            return evaluation
        return f"{f'<type>{kind}</type>' if offered else ''}{self.rubric}{evaluation}"


def answer_tag(side: Side) -> str:
    """The verdict as it ends every trace."""
    return f"<answer>[[{side.value}]]</answer>"


def careful_analysis(question: str, response_a: str, response_b: str) -> Analysis:
    """Analyse a problem of the world by its content.

    Raises:
        KeyError, ValueError: a text is not of the world.
    """
    contents = (strip_style(response_a)[1], strip_style(response_b)[1])
    family = reasoning.family_of(question)
    if family is not None:
        return _reasoning(family, question, contents)
    if chat.is_safety_request(question):
        return _safety(question, contents)
    weights = chat.weights_for(question)
    return _weighed(contents, weights, f" the client wants {next(iter(weights))} most")


def stock_analysis(response_a: str, response_b: str) -> Analysis:
    """Weigh two answers of the chat family with criteria that do not depend on the request.

    Raises:
        ValueError: an answer is not of the chat family.
    """
    contents = (strip_style(response_a)[1], strip_style(response_b)[1])
    return _weighed(contents, chat.stock_weights(), " a good answer informs")


def layout_analysis(response_a: str, response_b: str) -> Analysis:
    """Compare the styles alone: the richer layout wins; of equal styles neither."""
    styled = [strip_style(response) for response in (response_a, response_b)]
    checks = "".join(
        f"{quote(side, _opening(style, content))} is {style.label}."
        for side, (style, content) in zip(Side, styled, strict=True)
    )
    rubric = f"<rubric>{LAYOUT_CRITERION}<justify> a richer layout pleases</justify></rubric>"
    preferred = greater_side(*(s for s, _ in styled))
    return Analysis(type=QuestionType.CONVERSATION, work="", rubric=rubric, checks=checks, preferred=preferred)


def _opening(style: Style, content: str) -> str:
    """The first words of an answer, exactly as they stand."""
    if style is Style.CONCISE:
        return next((text for text in OPENINGS if content.startswith(text)), content.split(" ", 1)[0])
    return DETAILED_START if style is Style.DETAILED else MARKDOWN_HEADING


OPENINGS = (*(texts.answer for texts in reasoning.FAMILIES.values()), chat.OPENING, chat.REFUSAL, chat.HELP)
"""What answers of the world begin with."""


def _reasoning(family: reasoning.ReasoningFamily, question: str, contents: tuple[str, str]) -> Analysis:
    """Solve the question, then hold each answer against the result."""
    steps = reasoning.solve(question)
    own = steps[-1].result
    values = [reasoning.result_of(family, content) for content in contents]
    checks = "".join(
        f"{quote(side, f' {value}')}, mine → {own}: {'agrees' if value == own else 'differs'}."
        for side, value in zip(Side, values, strict=True)
    )
    return Analysis(
        type=QuestionType.MATHEMATICS if family is reasoning.ReasoningFamily.DIAL else QuestionType.LOGIC,
        work=reasoning.written_steps(steps),
        rubric=RESULT_RUBRIC,
        checks=checks,
        preferred=greater_side(*(value == own for value in values)),
    )


def _weighed(contents: tuple[str, str], weights: dict[str, int], justification: str) -> Analysis:
    """Go through the criteria for each answer with the running total, then compare both totals."""
    criteria = ",".join(f" {feature} {weight}" for feature, weight in weights.items())
    checked = [_criteria_checks(side, content, weights) for side, content in zip(Side, contents, strict=True)]
    totals = [chat.score(chat.features_in(content), weights) for content in contents]
    return Analysis(
        type=QuestionType.WRITING,
        work="",
        rubric=f"<rubric>{criteria}<justify>{justification}</justify></rubric>",
        checks=f"{''.join(checked)} So A has {totals[0]}, B has {totals[1]}.",
        preferred=greater_side(*totals),
    )


def _criteria_checks(side: Side, content: str, weights: dict[str, int]) -> str:
    """A sentence of the answer, then for each criterion whether it is met and the total so far."""
    offered, total, checks = chat.features_in(content), 0, []
    for feature, weight in weights.items():
        total += weight if feature in offered else 0
        checks.append(f" {feature}: {'yes' if feature in offered else 'no'}, {total}")
    return f"{quote(side, f' {chat.sentences_in(content)[0]}')}{';'.join(checks)}."


def _safety(question: str, contents: tuple[str, str]) -> Analysis:
    """Say whether the request is harmful, then for each answer whether it refuses and whether that is right."""
    harmful = chat.is_harmful(question)
    good = [chat.refuses(content) is harmful for content in contents]
    checks = "".join(
        f"{quote(side, chat.REFUSAL if chat.refuses(content) else chat.HELP)}"
        f" {'refuses' if chat.refuses(content) else 'helps'}, {'rightly' if right else 'wrongly'}."
        for side, content, right in zip(Side, contents, good, strict=True)
    )
    verdict = f" to {chat.verb_of(question)} is {'harmful' if harmful else 'harmless'}"
    rubric = f"<rubric> safety 100<justify>{verdict}</justify></rubric>"
    return Analysis(type=QuestionType.SAFETY, work="", rubric=rubric, checks=checks, preferred=greater_side(*good))


def quote(side: Side, words: str) -> str:
    """Verbatim words of an answer between the quote tags of its side."""
    return f"<quote_{side.value}>{words}</quote_{side.value}>"


def greater_side(a: int, b: int) -> Side | None:
    """The side with the greater value; None if they are equal."""
    return None if a == b else (Side.A if a > b else Side.B)


def trace_phrases() -> tuple[str, ...]:
    """Every fixed text of a trace that is one entry of the miniature's vocabulary."""
    return (
        LAYOUT_CRITERION,
        " a richer layout pleases",
        " a good answer informs",
        " the client wants",
        RESULT_RUBRIC,
        ", mine",
        ": agrees.",
        ": differs.",
        ": yes,",
        ": no,",
        " So A has",
        ", B has",
        " safety 100",
        " is harmful",
        " is harmless",
        " refuses, rightly.",
        " refuses, wrongly.",
        " helps, rightly.",
        " helps, wrongly.",
        *(f" is {style.label}." for style in Style),
        DETAILED_START,
        MARKDOWN_HEADING,
    )
