"""Rows with two or more answers and a label, scores or ranks that say which is better: how they are read."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from reasrm.datasets.chosen_rejected import PairTexts, Reading
from reasrm.datasets.dialogue_text import helpsteer_prompt, hh_prompt
from reasrm.datasets.row_fields import (
    Refusal,
    Row,
    RowRefusedError,
    finite,
    number,
    quoted,
    required,
    text,
    user_turn,
)
from reasrm.datasets.turns import Turns, conversation, shared_turns, turns
from reasrm.records.json_parsing import NotJsonError, parse_json


class BetterAnswer(Enum):
    """Which of two answers a row prefers."""

    FIRST = 0
    SECOND = 1
    NEITHER = 2


Question = Callable[[Row], Turns]
Preference = Callable[[Row], BetterAnswer]
WINNERS = {
    "model_a": BetterAnswer.FIRST,
    "model_b": BetterAnswer.SECOND,
    **dict.fromkeys(("tie", "tie (bothbad)", "both_bad", "bothbad"), BetterAnswer.NEITHER),
}
"""How Arena's votes are written."""


def compared(question: Question, first: str, second: str, preferred: Preference) -> Reading:
    """How rows are read that hold two answers, as texts in the fields `first` and `second`."""

    def read(row: Row) -> PairTexts:
        answers = text(row, first), text(row, second)
        return preferred_pair(question(row), answers, preferred(row))

    return read


def asked(field: str) -> Question:
    """The question is the text in `field`."""
    return lambda row: user_turn(text(row, field))


def helpsteer_asked(row: Row) -> Turns:
    """HelpSteer2's prompt."""
    return helpsteer_prompt(text(row, "prompt"), "prompt")


def conversed(field: str) -> Question:
    """The question is the last turn of the conversation in `field`."""
    return lambda row: conversation(required(row, field), field)


def webgpt_asked(row: Row) -> Turns:
    """WebGPT's question, with the passage it is about, if any, in `full_text`."""
    question = row["question"]
    return user_turn(text(question, "full_text") if isinstance(question, dict) else text(row, "question"))


def alpaca_farm_asked(row: Row) -> Turns:
    """An instruction and, if there is one, what it is about."""
    about = row.get("input")
    return user_turn(text(row, "instruction") + (f"\n{text(row, 'input')}" if about else ""))


def labelled(field: str, meaning: Mapping[str, BetterAnswer]) -> Preference:
    """The label in `field` says it; labels are compared as text, so that 1, 1.0 and "1" are one.

    True and false are 1 and 0 where both of these mean something: a true beside labels 1 and 2 is no label.
    """

    def read(row: Row) -> BetterAnswer:
        value = required(row, field)
        whole = None if isinstance(value, bool) and not {"0", "1"} <= set(meaning) else finite(value)
        written = f"{whole:g}" if whole is not None else value.strip() if isinstance(value, str) else ""
        if written not in meaning:
            raise RowRefusedError(
                Refusal.WRONG_TYPE, f"`{field}` must be {' or '.join(meaning)}, it is {quoted(value)}"
            )
        return meaning[written]

    return read


def signed(field: str, most: int) -> Preference:
    """A number from -`most` (the first answer is much better) to `most` (the second is); 0 prefers neither."""

    def read(row: Row) -> BetterAnswer:
        strength = number(row, field)
        if not -most <= strength <= most:
            raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be from -{most} to {most}, it is {strength:g}")
        return _higher(-strength, strength)

    return read


def scored(first: str, second: str) -> Preference:
    """The higher of the scores in two fields says it."""
    return lambda row: _higher(number(row, first), number(row, second))


def shp_preferred(row: Row) -> BetterAnswer:
    """SHP's label, which the numbers of votes, if they are there, must not contradict."""
    label = labelled("labels", {"1": BetterAnswer.FIRST, "0": BetterAnswer.SECOND})(row)
    if finite(row.get("score_A")) is None or finite(row.get("score_B")) is None:
        return label
    votes = scored("score_A", "score_B")(row)
    if votes not in (label, BetterAnswer.NEITHER):
        raise RowRefusedError(
            Refusal.CONTRADICTORY, f"`labels` is {quoted(row['labels'])}, but the votes say otherwise"
        )
    return votes


def arena(row: Row) -> PairTexts:
    """Two conversations of a user with two models at once, up to the turn that was voted about."""
    both = [turns(required(row, field), field) for field in ("conversation_a", "conversation_b")]
    turn = finite(row.get("turn"))
    if turn is not None:  # MT-bench: votes about the first turn stand beside conversations of two
        both = [conversed_so_far[: 2 * int(turn)] for conversed_so_far in both]
        if turn < 1 or turn % 1 or any(len(one) < 2 * turn for one in both):
            raise RowRefusedError(Refusal.WRONG_SHAPE, f"`turn` is {turn:g}, which the conversations do not have")
    before, first, second = shared_turns(both[0], both[1], ("conversation_a", "conversation_b"))
    return preferred_pair(before, (first, second), labelled("winner", WINNERS)(row))


def arena_lists(row: Row) -> PairTexts:
    """Prompts and answers as (JSON) lists of one text a turn; of one turn only, since later ones follow two answers."""
    said = {field: _texts_of(row, field) for field in ("prompt", "response_a", "response_b")}
    if any(len(one) != 1 for one in said.values()):
        counts = ", ".join(f"`{field}` {len(one)}" for field, one in said.items())
        raise RowRefusedError(Refusal.WRONG_SHAPE, f"only rows of one turn have one prompt for both answers ({counts})")
    return preferred_pair(user_turn(said["prompt"][0]), (said["response_a"][0], said["response_b"][0]), _one_hot(row))


def ultrafeedback(row: Row) -> PairTexts:
    """The completions with the highest and the lowest overall score; of equal ones the first."""
    completions = _objects(row, "completions")
    scores = [number(one, "overall_score") for one in completions]
    return _best_and_worst(user_turn(text(row, "instruction")), [text(one, "response") for one in completions], scores)


def stack_exchange(row: Row) -> PairTexts:
    """The answers with the highest and the lowest score (`pm_score`, from votes); of equal ones the first."""
    answers = _objects(row, "answers")
    scores = [number(one, "pm_score") for one in answers]
    return _best_and_worst(user_turn(text(row, "question")), [text(one, "text") for one in answers], scores)


def nectar(row: Row) -> PairTexts:
    """The answers of the best and the worst rank (1 is best); of equal ones the first."""
    answers = _objects(row, "answers")
    ranks = [-number(one, "rank") for one in answers]
    prompt = hh_prompt(text(row, "prompt"), "prompt")
    return _best_and_worst(prompt, [text(one, "answer") for one in answers], ranks)


def distilabel(row: Row) -> PairTexts:
    """The generations of the highest and the lowest rating; of equal ones the first."""
    answers, ratings = _texts_of(row, "generations"), row["ratings"]
    scores = [finite(rating) for rating in ratings] if isinstance(ratings, list) else []
    known = [score for score in scores if score is not None]
    if len(known) != len(answers) or len(scores) != len(known):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`ratings` must hold {len(answers)} numbers: {quoted(ratings)}")
    return _best_and_worst(user_turn(text(row, "instruction")), answers, known)


def rmb(row: Row) -> PairTexts:
    """A pair of RMB's pairwise set."""
    asked = conversation(row["conversation_input"], "conversation_input")
    labels = {"category": text(row, "category_path")}
    return PairTexts(asked, _rmb_answer(row, "chosen"), _rmb_answer(row, "reject"), labels=labels)


def _rmb_answer(row: Row, field: str) -> str:
    answer = row[field]
    if not isinstance(answer, dict):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be {{llm_name, answer}}, it is {quoted(answer)}")
    return text(answer, "answer")


def preferred_pair(prompt: Turns, answers: tuple[str, str], better: BetterAnswer) -> PairTexts:
    """Two answers as the better and the worse one.

    Raises:
        RowRefusedError: neither is.
    """
    if better is BetterAnswer.NEITHER:
        raise RowRefusedError(Refusal.TIE, "the source prefers neither answer")
    chosen, rejected = answers if better is BetterAnswer.FIRST else answers[::-1]
    return PairTexts(prompt, chosen, rejected)


def _best_and_worst(prompt: Turns, answers: Sequence[str], scores: Sequence[float]) -> PairTexts:
    if len(answers) < 2:
        raise RowRefusedError(Refusal.WRONG_SHAPE, f"a pair needs two answers, there are {len(answers)}")
    best, worst = scores.index(max(scores)), scores.index(min(scores))
    if scores[best] == scores[worst]:
        raise RowRefusedError(Refusal.TIE, f"all {len(answers)} answers are worth the same")
    return PairTexts(prompt, answers[best], answers[worst])


def _higher(first: float, second: float) -> BetterAnswer:
    if first == second:
        return BetterAnswer.NEITHER
    return BetterAnswer.FIRST if first > second else BetterAnswer.SECOND


def _one_hot(row: Row) -> BetterAnswer:
    """Arena's vote as three fields of which one is 1."""
    fields = {"winner_model_a": BetterAnswer.FIRST, "winner_model_b": BetterAnswer.SECOND}
    fields |= {"winner_tie": BetterAnswer.NEITHER}
    won = {field: number(row, field) for field in fields}
    if sorted(won.values()) != [0, 0, 1]:
        raise RowRefusedError(Refusal.CONTRADICTORY, f"one of {', '.join(fields)} must be 1 and the others 0")
    return next(fields[field] for field, value in won.items() if value)


def _texts_of(row: Row, field: str) -> list[str]:
    """The texts of a list, or of a list in JSON."""
    value = required(row, field)
    try:
        found = parse_json(value) if isinstance(value, str) else value
    except NotJsonError as error:
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be a list of texts in JSON: {error}") from error
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be a list of texts, it is {quoted(value)}")
    return found


def _objects(row: Row, field: str) -> list[dict[str, Any]]:
    value = required(row, field)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise RowRefusedError(Refusal.WRONG_TYPE, f"`{field}` must be a list of answers, it is {quoted(value)}")
    return value
