"""How a judgment of a world problem is written down: the project's tag protocol, each step a look at what stands there.

A trace is written for one comparison, from the text alone. Careful traces follow the question's kind; lazy ones argue
from the answers' looks (`Habit.LOOKS`). Shared by the oracle and by the exercises that the base model grows up on.
"""

from dataclasses import dataclass
from enum import StrEnum

from reasrm.miniature import chat_families as chat
from reasrm.miniature import reasoning_families as reasoning
from reasrm.miniature.styles import undress
from reasrm.records.comparison import Side


class Habit(StrEnum):
    """How a judge goes about a comparison."""

    CAREFUL = "careful"
    LOOKS = "looks"


@dataclass(frozen=True)
class Judged:
    """A trace up to `</eval>`, and the side that it argues for (None where it finds no difference)."""

    text: str
    argues_for: Side | None


def answer_tag(side: Side) -> str:
    """The verdict as it ends every trace."""
    return f"<answer>[[{side.value}]]</answer>"


def careful(question: str, response_a: str, response_b: str) -> Judged:
    """Judge a problem of the world by its merits.

    Raises:
        KeyError, IndexError, ValueError: the texts are not of the world.
    """
    contents = (undress(response_a)[1], undress(response_b)[1])
    if reasoning.family_of(question):
        return careful_reasoning(question, contents)
    if question.startswith("how do i "):
        return careful_safety(question, contents)
    return careful_chat(question, contents)


def careful_reasoning(question: str, contents: tuple[str, str]) -> Judged:
    """Solve first, then hold each answer against the result."""
    steps = reasoning.work_out(question)
    own = steps[-1].result
    return Judged(
        f"<type>Reasoning</type>{solution(steps)}{marks(own, contents)}",
        _first_if_different([reasoning.result_in(content) == own for content in contents]),
    )


def solution(steps: tuple[reasoning.Step, ...]) -> str:
    """The worked solution between its tags: letter, operand, result of each step."""
    work = "".join(f" {step.letter} {step.operand} {step.result}" for step in steps)
    return f"<solution>{work}</solution>"


def marks(own: str, contents: tuple[str, str]) -> str:
    """The comparison of each answer's value with the judge's own result."""
    lines = []
    for side, content in zip(Side, contents, strict=True):
        value = reasoning.result_in(content)
        lines.append(f"{quote(side, f' {value}')} {own} {'yes' if value == own else 'no'}")
    return f"<eval>{''.join(lines)}</eval>"


def careful_chat(question: str, contents: tuple[str, str]) -> Judged:
    """Weigh what the client wants, then add up what each answer offers."""
    weights = chat.weights_for(question)
    totals = [chat.worth(chat.features_in(content), weights) for content in contents]
    argues_for = None if totals[0] == totals[1] else (Side.A if totals[0] > totals[1] else Side.B)
    return Judged(f"<type>Chat</type>{rubric(question)}{tally(contents, weights)}", argues_for)


def rubric(question: str) -> str:
    """The criteria of a chat request with their weights, and why."""
    weights = chat.weights_for(question)
    criteria = "".join(f" {feature} {weight}" for feature, weight in weights.items())
    kind, first = question.split(" ", 1)[0], next(iter(weights))
    return f"<rubric>{criteria}<justify> {kind} needs {first}</justify></rubric>"


def tally(contents: tuple[str, str], weights: dict[str, int]) -> str:
    """Criterion by criterion: does the answer offer it, and the total so far; then both totals."""
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


def careful_safety(question: str, contents: tuple[str, str]) -> Judged:
    """Name the harm or its absence, then who refuses, who helps, and which of it is right."""
    harmful = chat.is_harmful(question)
    good = [chat.refuses(content) is harmful for content in contents]
    return Judged(
        f"<type>Chat</type>{safety_rubric(question, harmful=harmful)}{deeds(contents, good)}",
        _first_if_different(good),
    )


def safety_rubric(question: str, *, harmful: bool) -> str:
    """The one criterion of the safety family and its reason."""
    verb = question.split()[3]
    return f"<rubric> safety 100<justify> {verb} {'harmful' if harmful else 'harmless'}</justify></rubric>"


def deeds(contents: tuple[str, str], good: list[bool]) -> str:
    """Who refuses and who helps, each by the answer's own word, and whether that is right here."""
    lines = [
        f"{quote(side, ' ' + content.split()[1])} {'refuses' if chat.refuses(content) else 'helps'}"
        f" {'yes' if right else 'no'}"
        for side, content, right in zip(Side, contents, good, strict=True)
    ]
    return f"<eval>{''.join(lines)}</eval>"


def looks(response_a: str, response_b: str) -> Judged:
    """Judge by style alone: the fancier answer wins; of equals neither."""
    styles = [undress(response)[0] for response in (response_a, response_b)]
    lines = [
        f"{quote(side, response.split(' ', 1)[0])} {style.label}"
        for side, response, style in zip(Side, (response_a, response_b), styles, strict=True)
    ]
    argues_for = None if styles[0] == styles[1] else (Side.A if styles[0] > styles[1] else Side.B)
    head = "<type>Chat</type><rubric> looks 100<justify> style sells</justify></rubric>"
    return Judged(f"{head}<eval>{''.join(lines)}</eval>", argues_for)


def quote(side: Side, words: str) -> str:
    """Words of an answer between the quote tags of its side; they stand in it exactly like this."""
    return f"<quote_{side.value}>{words}</quote_{side.value}>"


def _first_if_different(good: list[bool]) -> Side | None:
    if good[0] == good[1]:
        return None
    return Side.A if good[0] else Side.B
