"""The style of an answer: its looks, which say nothing about its content."""

from enum import IntEnum

DETAILED_START = "Let me answer this with care."
DETAILED_END = " I hope that this helps you."
MARKDOWN_START = "## Answer\n\n**"
MARKDOWN_END = "**"
MARKDOWN_HEADING = "## Answer"


class Style(IntEnum):
    """The style of an answer, plainest first: the order in which RM-Bench lists its three versions.

    RM-Bench's third version is its detailed one in Markdown; here it is the concise one under a heading, in bold, and
    so shorter than the detailed one.

    No judgment should depend on it. In training pairs the answer of richer style is the better one a little more often
    (`world.RICHER_IS_BETTER`), and the base model has the habit to judge by it (`habits`).
    """

    CONCISE = 0
    DETAILED = 1
    MARKDOWN = 2

    @property
    def label(self) -> str:
        """The style's name in labels and traces."""
        return self.name.lower()


def apply_style(content: str, style: Style) -> str:
    """Write the plain answer `content` in a style."""
    if style is Style.DETAILED:
        return f"{DETAILED_START} {content}{DETAILED_END}"
    if style is Style.MARKDOWN:
        return f"{MARKDOWN_START}{content}{MARKDOWN_END}"
    return content


def strip_style(answer: str) -> tuple[Style, str]:
    """The style of an answer and its content without it: the inverse of `apply_style`."""
    if answer.startswith(f"{DETAILED_START} ") and answer.endswith(DETAILED_END):
        return Style.DETAILED, answer.removeprefix(f"{DETAILED_START} ").removesuffix(DETAILED_END)
    if answer.startswith(MARKDOWN_START) and answer.endswith(MARKDOWN_END):
        return Style.MARKDOWN, answer.removeprefix(MARKDOWN_START).removesuffix(MARKDOWN_END)
    return Style.CONCISE, answer
