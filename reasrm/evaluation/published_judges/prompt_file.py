"""A published judge's prompt: a file that the user gives, recognised by the SHA-256 of its texts.

The texts are not ours, so they are not in this repository; only their hashes are. The file is YAML or JSON:

    system: |          may be left out, or empty
    single_turn: ...   with {question}, {answer_a} and {answer_b}
    multi_turn: ...    with {conversation_1} and {conversation_2}; may be left out
    reader: last_answer      needed only where the texts are not recognised (see `reply_readers`)
    names: {user: User, a: Chatbot A, b: Chatbot B}      who speaks in a conversation
    begins: <think>          what the judge's reply begins with, if its prompt ends inside the reply (JudgeLRM)

The labels in double brackets that its texts show are those that a reply can hold (`bracket_labels`).

A judge that rates one answer at a time (DeepSeek-GRM, pointwise) has {question} and {answer} in `single_turn` and
{conversation} in `multi_turn`; it is asked about each answer by itself, and the higher rating wins.

Texts under judgement go in as they are: a published figure can only be reproduced on the very same prompt. All
placeholders are filled in one pass, so an answer that contains `{answer_b}` pulls nothing in.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from reasrm.evaluation.published_judges.bracket_labels import Alphabet, alphabet_of
from reasrm.evaluation.published_judges.reply_readers import ReplyReader
from reasrm.records.comparison import Comparison
from reasrm.records.jsonl import explain
from reasrm.records.pair import Message, Role
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.yaml_files import YamlError, read_yaml


class PromptFileError(StageError):
    """The prompt file cannot be used; says which file, what is wrong and what to do."""


class SpeakerNames(BaseModel):
    """Who speaks in a conversation that is shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: str = "User"
    a: str = "Chatbot A"
    b: str = "Chatbot B"


class PromptFile(BaseModel):
    """The texts of a published judge."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: str = ""
    single_turn: str
    multi_turn: str = ""
    reader: ReplyReader | None = None
    names: SpeakerNames = SpeakerNames()
    begins: str = ""

    @property
    def rates_alone(self) -> bool:
        """Whether each answer is rated by itself."""
        return "{answer}" in self.single_turn and not PAIR.single.intersection(_slots(self.single_turn) - {"question"})


@dataclass(frozen=True, slots=True)
class KnownJudge:
    """A judge whose texts are recognised."""

    name: str
    reader: ReplyReader
    system: str
    """SHA-256 of the text, empty for no text; likewise the others."""
    single_turn: str
    multi_turn: str


KNOWN = (
    KnownJudge(
        name="rm_r1_instruct",
        reader=ReplyReader.LAST_ANSWER,
        system="e0bf09a87f19837abf172278c348e8fc6ed36034f4f39b98191910533c3df3ed",
        single_turn="5fa3baf9813bdf0ed9b8601be6fe162ab82e37467e0843c32cfbc22792c65ac2",
        multi_turn="8cb7158fc42faa0b78f398ea4f9e475dc204cf9bfd0e81e2d4984059dd5252d9",
    ),
    KnownJudge(
        name="rm_r1_reasoning",
        reader=ReplyReader.LAST_ANSWER,
        system="",
        single_turn="2a0d3caf562d59367bbbefb29c400438e0312def4fbb73fb2e70be8661ddd770",
        multi_turn="3abf19ca3d35017131fe26861e09ab3bb343c0fe96e901cea2fe5aeb1a67bedb",
    ),
)
"""RM-R1 (arXiv 2505.02387), texts as in its released evaluation code."""


@dataclass(frozen=True, slots=True)
class PromptSlots:
    """The placeholders that a prompt's texts must have."""

    single: frozenset[str]
    """In `single_turn`."""
    multi: frozenset[str]
    """In `multi_turn`."""


PAIR = PromptSlots(frozenset({"question", "answer_a", "answer_b"}), frozenset({"conversation_1", "conversation_2"}))
ALONE = PromptSlots(frozenset({"question", "answer"}), frozenset({"conversation"}))
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class PublishedJudge:
    """A prompt file that is ready for use."""

    texts: PromptFile
    reader: ReplyReader
    name: str
    """The known judge's name, or `unknown`."""

    @property
    def alphabet(self) -> Alphabet:
        """The labels that its texts tell the judge to write."""
        return alphabet_of(self.texts.system, self.texts.single_turn, self.texts.multi_turn)

    def prompts(self, comparison: Comparison) -> tuple[tuple[Message, ...], ...]:
        """The messages that this judge is shown: both answers at once, or A's and B's by themselves.

        Raises:
            PromptFileError: the comparison has several turns and the file has no text for that.
        """
        several = len(comparison.prompt) > 1
        if several and not self.texts.multi_turn:
            raise PromptFileError(
                f"pair {comparison.pair_id} has {len(comparison.prompt)} turns and the prompt file has no `multi_turn` "
                "text: add one, or judge benchmarks of single turns only"
            )
        text = self.texts.multi_turn if several else self.texts.single_turn
        shown = self._alone(comparison) if self.texts.rates_alone else [self._pair(comparison)]
        system = (Message(role=Role.SYSTEM, content=self.texts.system),) if self.texts.system else ()
        return tuple((*system, Message(role=Role.USER, content=_fill(text, values))) for values in shown)

    def identity(self) -> dict[str, Any]:
        """Which judge this is: name, reader and the hashes of its texts."""
        hashes = {key: _sha256(getattr(self.texts, key)) for key in ("system", "single_turn", "multi_turn", "begins")}
        return {"published_judge": self.name, "reader": self.reader.value, "sha256": hashes}

    def _alone(self, comparison: Comparison) -> list[dict[str, str]]:
        """What fills the slots where each answer is rated by itself; the name of A stands for both."""
        question, name = comparison.prompt[-1].content, self.texts.names.a
        return [
            {"question": question, "answer": answer, "conversation": self._conversation(comparison, name, answer)}
            for answer in (comparison.response_a, comparison.response_b)
        ]

    def _pair(self, comparison: Comparison) -> dict[str, str]:
        return {
            "question": comparison.prompt[-1].content,
            "answer_a": comparison.response_a,
            "answer_b": comparison.response_b,
            "conversation_1": self._conversation(comparison, self.texts.names.a, comparison.response_a),
            "conversation_2": self._conversation(comparison, self.texts.names.b, comparison.response_b),
        }

    def _conversation(self, comparison: Comparison, speaker: str, response: str) -> str:
        names = {Role.USER: self.texts.names.user, Role.ASSISTANT: speaker, Role.SYSTEM: "System"}
        turns = [f"{names[turn.role]}: {turn.content}" for turn in comparison.prompt]
        return "\n".join((*turns, f"{speaker}: {response}"))


def load_prompt_file(path: Path) -> PublishedJudge:
    """Read a prompt file and recognise it.

    Raises:
        PromptFileError: it is missing or malformed, a placeholder is missing, or it is unknown and names no reader.
    """
    texts = _read(path)
    slots = ALONE if texts.rates_alone else PAIR
    for key, needed in (("single_turn", slots.single), ("multi_turn", slots.multi)):
        text = getattr(texts, key)
        missing = needed - _slots(text) if text or key == "single_turn" else set()
        if missing:
            raise PromptFileError(f"{path}: `{key}` lacks {', '.join('{' + name + '}' for name in sorted(missing))}")
    known = next((judge for judge in KNOWN if _is(texts, judge)), None)
    reader = texts.reader or (known.reader if known else None)
    if reader is None:
        raise PromptFileError(
            f"{path}: these texts are not those of a known judge ({', '.join(judge.name for judge in KNOWN)}; one "
            f"changed character is enough), so `reader` must say how to read the reply: {', '.join(ReplyReader)}"
        )
    if texts.rates_alone and not reader.scores:
        scoring = ", ".join(one for one in ReplyReader if one.scores)
        raise PromptFileError(f"{path}: rates each answer by itself, so `reader` must give numbers: {scoring}")
    return PublishedJudge(texts, reader, known.name if known else "unknown")


def _read(path: Path) -> PromptFile:
    try:
        return PromptFile.model_validate(read_yaml(path))
    except FileNotFoundError as error:
        raise PromptFileError(f"{path}: no such file; a published judge's prompt must be given by you") from error
    except OSError as error:
        raise PromptFileError(f"{path}: cannot be read as text ({error})") from error
    except ValidationError as error:
        raise PromptFileError(f"{path}: {explain(error)}") from error
    except YamlError as error:
        raise PromptFileError(f"{error}; a prompt file is YAML or JSON") from error


def _is(texts: PromptFile, judge: KnownJudge) -> bool:
    """Whether the texts are those of `judge`; a file without the multi-turn text still is."""
    same = _sha256(texts.system) == judge.system and _sha256(texts.single_turn) == judge.single_turn
    return same and (not texts.multi_turn or _sha256(texts.multi_turn) == judge.multi_turn)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def _slots(text: str) -> set[str]:
    return set(_SLOT.findall(text))


def _fill(template: str, values: dict[str, str]) -> str:
    """All slots in one pass; braces that are no slot of this prompt stay as they are."""
    return _SLOT.sub(lambda found: values.get(found.group(1), found.group()), template)
