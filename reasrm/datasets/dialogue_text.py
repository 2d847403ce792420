"""Dialogues written as one text, to messages.

Where turns are marked by words, a text that quotes such a mark cannot be told from a turn. So a mark is one only where
its data set puts it (hh-rlhf: after an empty line), and what does not come out as a dialogue is refused.
"""

import re

from reasrm.datasets.row_fields import Refusal, RowRefusedError, quoted, user_turn
from reasrm.datasets.turns import Turns
from reasrm.records.pair import Message, Role

_SPEAKER = {"Human": Role.USER, "User": Role.USER, "Assistant": Role.ASSISTANT}
_HH = re.compile(r"(?:\A\s*|\n\n)(Human|Assistant):")
_HELPSTEER = re.compile(r"\n?<extra_id_1>(User|Assistant)\n")
_TEMPLATE = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|\[/?INST\]|<(?:start|end)_of_turn>|<</?SYS>>"
    r"|^[ \t]*#{2,} ?(?:Human|Assistant|Instruction|Response)\b",
    re.MULTILINE,
)
"""How chat templates and instruction prompts mark turns."""


def is_hh_dialogue(text: object) -> bool:
    """Whether a value is a text that begins as the dialogues of hh-rlhf do."""
    return isinstance(text, str) and text.lstrip().startswith("Human:")


def hh_dialogue(text: str, field: str) -> Turns:
    r"""The turns of a dialogue `\n\nHuman: ...\n\nAssistant: ...` (https://huggingface.co/datasets/Anthropic/hh-rlhf).

    Raises:
        RowRefusedError: it does not begin with the human's turn.
    """
    before, *marked = _HH.split(text)
    if before.strip() or not marked or marked[0] != "Human":
        raise RowRefusedError(Refusal.WRONG_SHAPE, f"`{field}` does not begin with `Human:`, but {quoted(text)}")
    return _turns(marked)


def hh_prompt(text: str, field: str) -> Turns:
    r"""A prompt given as text: the question itself, or a dialogue of hh-rlhf that ends with an open `Assistant:`.

    Raises:
        RowRefusedError: it is a dialogue that ends with something else.
    """
    if not (is_hh_dialogue(text) and text.rstrip().endswith("\n\nAssistant:")):
        return user_turn(text)
    dialogue = hh_dialogue(text, field)[:-1]
    if not dialogue or dialogue[-1].role is not Role.USER:
        raise RowRefusedError(Refusal.WRONG_SHAPE, f"`{field}` is a dialogue that does not end with a question")
    return dialogue


def helpsteer_prompt(text: str, field: str) -> Turns:
    """A prompt of HelpSteer2, whose further turns begin with `<extra_id_1>Assistant` and `<extra_id_1>User`.

    Raises:
        RowRefusedError: the last turn is not the user's.
    """
    first, *marked = _HELPSTEER.split(text)
    turns = (*user_turn(first.strip()), *_turns(marked)) if marked else user_turn(text)
    if turns[-1].role is not Role.USER:
        raise RowRefusedError(Refusal.WRONG_SHAPE, f"`{field}` is a dialogue that does not end with a question")
    return turns


def shared_text(chosen: str, rejected: str) -> tuple[str, str, str]:
    """What two texts begin with, as far as whole words go, and how each goes on: TRL's implicit prompt.

    https://huggingface.co/docs/trl/dataset_formats (`extract_prompt`), which also splits inside a word; here the word
    belongs to the answers.

    Raises:
        RowRefusedError: they are the same, begin differently, or mark turns by a template that is not theirs alone.
    """
    if chosen == rejected:
        raise RowRefusedError(Refusal.IDENTICAL, "`chosen` and `rejected` are the same text")
    if template := _TEMPLATE.search(chosen) or _TEMPLATE.search(rejected):
        raise RowRefusedError(
            Refusal.UNKNOWN_FORMAT,
            f"`chosen` and `rejected` are dialogues in a chat template ({quoted(template.group())}): give turns",
        )
    same = next(
        (at for at, (one, other) in enumerate(zip(chosen, rejected, strict=False)) if one != other),
        min(len(chosen), len(rejected)),
    )
    ends_inside = any(text[same : same + 1].strip() for text in (chosen, rejected))
    while same and ends_inside and not chosen[same - 1].isspace():
        same -= 1
    prompt, *answers = chosen[:same].strip(), chosen[same:].strip(), rejected[same:].strip()
    if not prompt:
        raise RowRefusedError(Refusal.MISSING_FIELD, "no prompt: `chosen` and `rejected` do not begin alike either")
    return prompt, answers[0], answers[1]


def _turns(marked: list[str]) -> Turns:
    """Messages of speakers and texts in turns."""
    return tuple(
        Message(role=_SPEAKER[speaker], content=said.strip())
        for speaker, said in zip(marked[::2], marked[1::2], strict=True)
    )
