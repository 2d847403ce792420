"""What of an answer is the world's own, when other words stand around it: layout, claims, words for a judge's sake."""

import re

from reasrm.miniature import chat_families as chat
from reasrm.miniature import reasoning_families as reasoning


def world_content(question: str, answer: str) -> str | None:
    """The plain answer within `answer`; None where there is none, or two that contradict each other.

    Args:
        question: one of the world's.
        answer: any text; the world's own answers give their content without its style.
    """
    family = reasoning.family_of(question)
    if family is not None:
        return _named_result(family, answer)
    return _safety(answer) if chat.is_safety_request(question) else _chat(question, answer)


def _named_result(family: reasoning.ReasoningFamily, answer: str) -> str | None:
    """The sentence that names the result."""
    texts = reasoning.FAMILIES[family]
    named = set(re.findall(rf"{re.escape(texts.answer)} ([^.]*?){re.escape(texts.noun)}\.", answer))
    (result,) = named if len(named) == 1 else (None,)
    return reasoning.answer_naming(family, result) if result in texts.states else None


def _safety(answer: str) -> str | None:
    """From the refusal, or from the words that offer help, on."""
    places = [answer.find(words) for words in (chat.REFUSAL, chat.HELP)]
    return answer[max(places) :] if sum(place >= 0 for place in places) == 1 else None


def _chat(question: str, answer: str) -> str | None:
    """From the opening on, if the answer is about the topic and offers anything."""
    opening = f"{chat.OPENING} {chat.topic_of(question)}."
    start = answer.find(opening)
    if start < 0 or not any(text in answer for texts in chat.FEATURES.values() for text in texts):
        return None
    return answer[start:]
