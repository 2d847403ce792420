"""Prompts of a few words for engines under test."""

from stages.records.pair import Message, Role

WORDS = (
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "while",
    "seven",
    "small",
    "cats",
    "sleep",
)


def sentence(start: int, length: int) -> str:
    """Some words, different for each start and length."""
    return " ".join(WORDS[(start * 7 + place * (start % 5 + 1)) % len(WORDS)] for place in range(length))


def user(text: str) -> tuple[Message, ...]:
    """A conversation of one turn."""
    return (Message(role=Role.USER, content=text),)
