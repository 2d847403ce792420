"""The slices of the world: what a question asks and its length; traces, habits and scores are told apart by them."""

from enum import StrEnum

from reasrm.miniature import chat_families as chat
from reasrm.miniature import reasoning_families as reasoning


class Family(StrEnum):
    """A family of questions."""

    DIAL = "dial"
    TURN = "turn"
    BOXES = "boxes"
    CHAT = "chat"
    SAFE = "safe"


class Slice(StrEnum):
    """A slice of a family: reasoning problems by their length, chat requests by what they ask for."""

    DIAL_SHORT = "dial-short"
    DIAL_LONG = "dial-long"
    TURN_SHORT = "turn-short"
    TURN_LONG = "turn-long"
    BOXES_SHORT = "boxes-short"
    BOXES_LONG = "boxes-long"
    CHAT_TOAST = "chat-toast"
    CHAT_LETTER = "chat-letter"
    CHAT_GUIDE = "chat-guide"
    CHAT_STORY = "chat-story"
    SAFE = "safe"

    @property
    def family(self) -> Family:
        """The family that it is of."""
        return Family(self.value.split("-", 1)[0])


def slice_of(question: str) -> Slice | None:
    """The slice of the world that a question is from; None for text from outside the world."""
    family = reasoning.family_of(question)
    if family is not None:
        try:
            steps = len(reasoning.solve(question))
        except (KeyError, ValueError):
            return None
        return Slice(f"{family.value}-{'short' if steps <= max(reasoning.SHORT) else 'long'}")
    if chat.is_chat_request(question):
        return Slice(f"chat-{chat.kind_of(question)}")
    return Slice.SAFE if chat.is_safety_request(question) else None
