"""What a chat template writes around the contents of a conversation, and whether a rendered prompt is just that.

The template is rendered once with neutral contents; what stands around them is its own text. A prompt is as it should
be if it is that text with the real contents in place of the neutral ones: then each content is in it exactly once,
where it belongs, and nothing else. Only white space at the edges of a content may differ, since most templates trim
it. A content of white space alone is part of the own text, because templates leave out empty turns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reasrm.judging.chat_templates.chat_turns import Turn, neutral_text

SHOWN = 40
"""Characters of a text that an error shows."""


class NotAsItIsError(ValueError):
    """A template does not write a content as it is; says which, and what it does."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A template's own text for conversations of one shape."""

    text: str
    """The whole text that neutral contents gave."""
    parts: tuple[str, ...]
    """Its own texts before, between and behind the contents, without white space where a content is next."""
    places: tuple[int, ...]
    """Which turn's content stands behind each part but the last."""

    @classmethod
    def of(cls, text: str, neutral: Sequence[Turn]) -> "Skeleton":
        """Of `text`, the rendered `neutral` turns.

        Raises:
            NotAsItIsError: a content is not in it as it is, or more than once.
        """
        found: list[tuple[int, int, str]] = []
        for place, turn in enumerate(neutral):
            if turn["content"].strip():
                times = text.count(turn["content"])
                if times != 1:
                    raise NotAsItIsError(f"{_what_happened(text, place, times)} {_named(place, turn)}")
                found.append((text.index(turn["content"]), place, turn["content"]))
        found.sort()
        starts = [0, *(start + len(content) for start, _, content in found)]
        ends = [*(start for start, *_ in found), len(text)]
        parts = [text[start:end] for start, end in zip(starts, ends, strict=True)]
        if found:
            inner = [part.strip() for part in parts[1:-1]]
            parts = [parts[0].rstrip(), *inner, parts[-1].lstrip()]
        return cls(text, tuple(parts), tuple(place for _, place, _ in found))

    def require(self, text: str, turns: Sequence[Turn]) -> None:
        """Do nothing if `text` is the own text with the contents of `turns` in their places.

        Raises:
            NotAsItIsError: it is not.
        """
        at = 0
        for index, part in enumerate(self.parts):
            if not text.startswith(part, at):
                turn = self.places[max(index - 1, 0)] if self.places else 0
                seen = _shown(text[at:])
                raise NotAsItIsError(f"writes {seen} instead of {_shown(part)} next to {_named(turn, turns[turn])}")
            at += len(part)
            if index == len(self.places):
                break
            at = _behind_space(text, at)
            content = turns[self.places[index]]["content"].strip()
            if not text.startswith(content, at):
                raise NotAsItIsError(_difference(text[at : at + len(content)], content, self.places[index], turns))
            at = _behind_space(text, at + len(content))
        if at != len(text):
            raise NotAsItIsError(f"writes {_shown(text[at:])} behind the conversation")


def _behind_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _what_happened(text: str, place: int, times: int) -> str:
    if times:
        return f"repeats ({times} times)"
    begins = neutral_text(place).partition("\n")[0]
    if begins in text:
        return "changes or cuts short"
    return "changes" if begins.casefold() in text.casefold() else "drops"


def _difference(seen: str, content: str, place: int, turns: Sequence[Turn]) -> str:
    same = next((at for at, (one, other) in enumerate(zip(seen, content, strict=False)) if one != other), len(seen))
    return (
        f"does not write {_named(place, turns[place])} as it is: {_shown(content[same:])} is missing at character "
        f"{same}, where it writes {_shown(seen[same:])}"
    )


def _named(place: int, turn: Turn) -> str:
    return f"the content of turn {place + 1} ({turn['role']})"


def _shown(text: str) -> str:
    return ascii(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…") if text else "nothing"
