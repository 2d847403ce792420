"""Comparisons read back out of a rendered judge's prompt: the question, answer A, answer B.

RM-R1 publishes its pairs and traces as such prompts. Their markers are plain text and the texts between them are not
escaped, so a question or an answer that holds a marker cannot be told from the frame. A prompt is read only if each
marker of one frame stands in it exactly once and where the frame puts it; then what is read is what was put in. All
else is refused. In frames of whole conversations speakers are marked by words, which a text may hold too: what both
sides do not share turn by turn up to their last answers is refused.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from reasrm.datasets.row_fields import Refusal, RowRefusedError, quoted, user_turn
from reasrm.datasets.turns import Turns, shared_turns
from reasrm.judging.prompt import (
    CONVERSATION_END,
    CONVERSATION_START,
    QUESTION_END,
    QUESTION_START,
    RESPONSE_END,
    RESPONSE_START,
    SPEAKER,
)
from reasrm.records.comparison import Side
from reasrm.records.pair import Message, Role

_A, _B = Side.A, Side.B
_MARKER = re.compile(r"\[[^\[\]\n]+\]")


class Frame(NamedTuple):
    """One template: fixed pieces with a text between each two."""

    name: str
    pieces: tuple[str, ...]

    @property
    def markers(self) -> list[str]:
        """The bracketed lines that stand in its pieces."""
        return [marker for piece in self.pieces for marker in _MARKER.findall(piece)]

    def texts(self, prompt: str) -> list[str]:
        """What stands before the first piece, between each two, and behind the last.

        Raises:
            RowRefusedError: a marker stands there twice, or not where the frame puts it.
        """
        for marker in self.markers:
            if (count := prompt.count(marker)) != 1:
                raise RowRefusedError(
                    Refusal.CONTRADICTORY,
                    f"the prompt's frame cannot be told from its texts: {marker} stands in it {count} times",
                )
        found, rest = [], prompt
        for piece in self.pieces:
            text, there, rest = rest.partition(piece)
            if not there:
                raise RowRefusedError(
                    Refusal.WRONG_SHAPE,
                    f"the markers of {self.name} are there, but not as it puts them: {quoted(rest)}",
                )
            found.append(text)
        return [*found, rest]


RM_R1 = Frame(
    "RM-R1",
    (
        "[Client Question]\n",
        "\n\n[The Start of Chatbot A's Response]\n",
        "\n[The End of Chatbot A's Response]\n\n[The Start of Chatbot B's Response]\n",
        "\n[The End of Chatbot B's Response]",
    ),
)
"""Templates of https://github.com/RM-R1-UIUC/RM-R1, rm_r1/dataset/mix_data/mix_data.py (commit 090501a)."""
RM_R1_CONVERSATIONS = Frame(
    "RM-R1, conversations",
    (
        "[The Start of the Conversation between Chatbot A and the Client]\n",
        "\n[The End of the Conversation between Chatbot A and the Client]\n\n"
        "[The Start of the Conversation between Chatbot B and the Client]\n",
        "\n[The End of the Conversation between Chatbot B and the Client]",
    ),
)
OWN = Frame(
    "reasrm",
    (
        f"{QUESTION_START}\n",
        f"\n{QUESTION_END}\n\n{RESPONSE_START[_A]}\n",
        f"\n{RESPONSE_END[_A]}\n\n{RESPONSE_START[_B]}\n",
        f"\n{RESPONSE_END[_B]}",
    ),
)
"""Ours (`reasrm/judging/prompt.py`); what was made harmless in it stays so."""
_OWN_CONVERSATION = Frame("reasrm", (f"{CONVERSATION_START}\n", f"\n{CONVERSATION_END}\n\n"))
FRAMES = (RM_R1, RM_R1_CONVERSATIONS, OWN)
_CLIENT = {"User": Role.USER}
_SPEAKERS = (
    _CLIENT | {"Chatbot A": Role.ASSISTANT},
    _CLIENT | {"Chatbot B": Role.ASSISTANT, "Chabot B": Role.ASSISTANT},  # as mix_data.py writes it where A is better
)
_OWN_SPEAKERS = {word: role for role, word in SPEAKER.items()}


class ShownAnswers(NamedTuple):
    """What a judge's prompt shows."""

    prompt: Turns
    response_a: str
    response_b: str
    behind: str
    """What stands behind the frame: the format that is asked for, or a hint."""


def read_judge_prompt(text: str) -> ShownAnswers:
    """The comparison in a judge's prompt, in one of the known frames.

    Raises:
        RowRefusedError: it is in none of them, or cannot be told from its texts.
    """
    fitting = [frame for frame in FRAMES if all(marker in text for marker in frame.markers)]
    if not fitting:
        known = "; ".join(f"{frame.name} begins with {frame.markers[0]}" for frame in FRAMES)
        raise RowRefusedError(
            Refusal.UNKNOWN_FORMAT, f"no judge's prompt in a known frame ({known}), but {quoted(text)}"
        )
    if len(fitting) > 1:
        named = " and of ".join(frame.name for frame in fitting)
        raise RowRefusedError(Refusal.CONTRADICTORY, f"the prompt holds all markers of {named}")
    frame = fitting[0]
    before, *texts, behind = frame.texts(text)
    if frame is RM_R1_CONVERSATIONS:
        both = [_dialogue(one, speakers) for one, speakers in zip(texts, _SPEAKERS, strict=True)]
        turns, response_a, response_b = shared_turns(both[0], both[1], ("conversation A", "conversation B"))
        return ShownAnswers(turns, response_a, response_b, behind.strip())
    question, response_a, response_b = texts
    earlier = _own_conversation(before) if frame is OWN else ()
    return ShownAnswers((*earlier, *user_turn(question)), response_a, response_b, behind.strip())


def _own_conversation(before: str) -> Turns:
    if not any(marker in before for marker in _OWN_CONVERSATION.markers):
        return ()
    _, said, _ = _OWN_CONVERSATION.texts(before)
    return _spoken(said, _OWN_SPEAKERS)


def _dialogue(text: str, speakers: Mapping[str, Role]) -> Turns:
    """The turns of a conversation of a client and one chatbot.

    Raises:
        RowRefusedError: they do not take turns, from the client on to the chatbot.
    """
    turns = _spoken(text, speakers)
    roles = [turn.role for turn in turns]
    if len(roles) % 2 or roles != [Role.USER, Role.ASSISTANT] * (len(roles) // 2):
        raise RowRefusedError(
            Refusal.CONTRADICTORY,
            f"client and chatbot do not take turns ({', '.join(roles[:6])}): a text may hold the mark of a speaker",
        )
    return turns


def _spoken(text: str, speakers: Mapping[str, Role]) -> Turns:
    r"""The turns of `Speaker: text` lines.

    Raises:
        RowRefusedError: the text does not begin with a speaker.
    """
    before, *marked = re.split(rf"^({'|'.join(speakers)}): ", text, flags=re.MULTILINE)
    if before or not marked:
        raise RowRefusedError(Refusal.WRONG_SHAPE, f"a conversation does not begin with a speaker, but {quoted(text)}")
    pairs = list(zip(marked[::2], marked[1::2], strict=True))
    said = [content.removesuffix("\n") for _, content in pairs[:-1]] + [pairs[-1][1]]
    return tuple(Message(role=speakers[name], content=one) for (name, _), one in zip(pairs, said, strict=True))
