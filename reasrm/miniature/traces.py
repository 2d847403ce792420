"""The text of a judgment of a world problem, in the project's tag protocol.

A careful analysis solves or weighs the problem by its family; a lazy one compares the answers' styles. Each is written
for one comparison, from its text alone. The oracle and the base model's pretraining documents share them.
"""

from dataclasses import dataclass

from reasrm.miniature import chat_families as chat
from reasrm.miniature import reasoning_families as reasoning
from reasrm.miniature.world import strip_style
from reasrm.records.comparison import Side


@dataclass(frozen=True)
class Analysis:
    """A judgment up to `</eval>`, before its verdict."""

    text: str
    preferred: Side | None
    """The side that the text argues for; None where it finds no difference."""


def answer_tag(side: Side) -> str:
    """The verdict as it ends every trace."""
    return f"<answer>[[{side.value}]]</answer>"


def careful_analysis(question: str, response_a: str, response_b: str) -> Analysis:
    """Analyse a problem of the world by its content.

    Raises:
        KeyError, IndexError, ValueError: a text is not of the world.
    """
    contents = (strip_style(response_a)[1], strip_style(response_b)[1])
    if reasoning.family_of(question):
        return _reasoning(question, contents)
    if question.startswith("how do i "):
        return _safety(question, contents)
    return _chat(question, contents)


def _reasoning(question: str, contents: tuple[str, str]) -> Analysis:
    """Solve the question, then compare each answer with the result."""
    steps = reasoning.solve(question)
    own = steps[-1].result
    return Analysis(
        f"<type>Reasoning</type>{solution(steps)}{_result_checks(own, contents)}",
        greater_side(*(reasoning.result_of(content) == own for content in contents)),
    )


def solution(steps: tuple[reasoning.SolutionStep, ...]) -> str:
    """The worked solution between its tags: letter, operand, result of each step."""
    work = "".join(f" {step.letter} {step.operand} {step.result}" for step in steps)
    return f"<solution>{work}</solution>"


def _result_checks(own: str, contents: tuple[str, str]) -> str:
    """Each answer's value beside the judge's own result, and whether they are equal."""
    lines = []
    for side, content in zip(Side, contents, strict=True):
        value = reasoning.result_of(content)
        lines.append(f"{quote(side, f' {value}')} {own} {'yes' if value == own else 'no'}")
    return f"<eval>{''.join(lines)}</eval>"


def _chat(question: str, contents: tuple[str, str]) -> Analysis:
    """Weigh the features that count for the request, then sum those that each answer offers."""
    weights = chat.weights_for(question)
    totals = [chat.score(chat.features_in(content), weights) for content in contents]
    return Analysis(f"<type>Chat</type>{_rubric(question)}{_weighted_sums(contents, weights)}", greater_side(*totals))


def _rubric(question: str) -> str:
    """The criteria of a chat request with their weights, and a justification."""
    weights = chat.weights_for(question)
    criteria = "".join(f" {feature} {weight}" for feature, weight in weights.items())
    kind, first = question.split(" ", 1)[0], next(iter(weights))
    return f"<rubric>{criteria}<justify> {kind} needs {first}</justify></rubric>"


def _weighted_sums(contents: tuple[str, str], weights: dict[str, int]) -> str:
    """Whether each answer meets each criterion, with the running total; then both totals."""
    lines, totals = [], []
    for side, content in zip(Side, contents, strict=True):
        offered = chat.features_in(content)
        total, checks = 0, ""
        for feature, weight in weights.items():
            total += weight if feature in offered else 0
            checks += f" {feature} {'yes' if feature in offered else 'no'} {total}"
        lines.append(f"{quote(side, f' {offered[0]}')}{checks}")
        totals.append(total)
    return f"<eval>{''.join(lines)} so {totals[0]} {totals[1]}</eval>"


def _safety(question: str, contents: tuple[str, str]) -> Analysis:
    """Say whether the request is harmful, then for each answer whether it refuses and whether that is right."""
    harmful = chat.is_harmful(question)
    good = [chat.refuses(content) is harmful for content in contents]
    return Analysis(
        f"<type>Chat</type>{_safety_rubric(question, harmful=harmful)}{_refusal_checks(contents, good)}",
        greater_side(*good),
    )


def _safety_rubric(question: str, *, harmful: bool) -> str:
    """The one criterion of the safety family, and its justification."""
    verb = question.split()[3]
    return f"<rubric> safety 100<justify> {verb} {'harmful' if harmful else 'harmless'}</justify></rubric>"


def _refusal_checks(contents: tuple[str, str], good: list[bool]) -> str:
    """Whether each answer refuses or helps, with a word of it quoted, and whether that is right."""
    lines = [
        f"{quote(side, ' ' + content.split()[1])} {'refuses' if chat.refuses(content) else 'helps'}"
        f" {'yes' if right else 'no'}"
        for side, content, right in zip(Side, contents, good, strict=True)
    ]
    return f"<eval>{''.join(lines)}</eval>"


def style_analysis(response_a: str, response_b: str) -> Analysis:
    """Analyse the styles alone: the fancier answer wins; of equal styles neither."""
    styles = [strip_style(response)[0] for response in (response_a, response_b)]
    lines = [
        f"{quote(side, response.split(' ', 1)[0])} {style.label}"
        for side, response, style in zip(Side, (response_a, response_b), styles, strict=True)
    ]
    head = "<type>Chat</type><rubric> looks 100<justify> style sells</justify></rubric>"
    return Analysis(f"{head}<eval>{''.join(lines)}</eval>", greater_side(*styles))


def quote(side: Side, words: str) -> str:
    """Verbatim words of an answer between the quote tags of its side."""
    return f"<quote_{side.value}>{words}</quote_{side.value}>"


def greater_side(a: int, b: int) -> Side | None:
    """The side with the greater value; None if they are equal."""
    return None if a == b else (Side.A if a > b else Side.B)
