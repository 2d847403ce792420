"""The style of an answer apart from its content: Markdown, and sentences of courtesy that say nothing.

What counts as saying nothing is declared in the settings, so an exchange of contents under the styles flips a label by
construction and not by hope.
"""

import re
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

BOLD = "**"

_CODE = re.compile(
    r"```|[;{}][ \t]*$|^[ \t]*(?:def|class|import|from|return|func|fn|const|let|var|public|#include)\b.*[:;{(]",
    re.MULTILINE,
)

_HEADING = re.compile(r"^#{1,6} +", re.MULTILINE)
_BULLET = re.compile(r"^( *)[-*] +(?=\S)", re.MULTILINE)
_BOLD = re.compile(r"\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*")
MARKS = {"heading": _HEADING, "bold": _BOLD, "list": re.compile(r"^ *(?:[-*]|\d+[.)]) +(?=\S)", re.MULTILINE)}
"""How each kind of Markdown is found in an answer."""


def has_code(text: str) -> bool:
    """Whether a text holds lines of a program, in a fenced block or not: no edit of looks or wording fits them."""
    return _CODE.search(text) is not None


class AnswerStyle(NamedTuple):
    """What an answer wears."""

    padded: bool
    """It begins or ends with the sentences that say nothing."""
    marked_up: bool
    """It has headings, bold passages or bullets."""


PLAIN = AnswerStyle(padded=False, marked_up=False)


class StyleTexts(BaseModel):
    """The texts of which styles are made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    heading: str = Field(min_length=1)
    """A line of Markdown that stands above an answer and says nothing."""
    before: str = Field(min_length=1)
    """A sentence in front of an answer that says nothing."""
    after: str = Field(min_length=1)
    """A sentence behind it that says nothing."""

    def undressed(self, answer: str) -> tuple[str, AnswerStyle]:
        """The content of an answer without its style, and the style; of one with code the answer itself."""
        plain = self.unmarked(answer)
        content = plain.removeprefix(f"{self.before} ").removesuffix(f" {self.after}")
        return content, AnswerStyle(padded=content != plain, marked_up=plain != answer)

    def dressed(self, content: str, style: AnswerStyle) -> str:
        """A plain content in a style; its first paragraph is what Markdown makes bold."""
        text = f"{self.before} {content} {self.after}" if style.padded else content
        first, gap, rest = text.partition("\n")
        return f"{self.heading}\n\n{BOLD}{first.rstrip()}{BOLD}{gap}{rest}" if style.marked_up else text

    def given(self, answer: str, style: AnswerStyle) -> str:
        """A plain answer in a style; one that has any style, code or a `*` as it is."""
        if has_code(answer) or "*" in answer or self.undressed(answer)[1] != PLAIN:
            return answer
        return self.dressed(answer, style)

    def unmarked(self, answer: str) -> str:
        """The answer without this heading, and without the signs of all other Markdown; one with code as it is."""
        if has_code(answer):
            return answer
        text = answer.removeprefix(self.heading).lstrip("\n") if answer.startswith(f"{self.heading}\n") else answer
        return _BULLET.sub(r"\1", _HEADING.sub("", _BOLD.sub(r"\1", text)))
