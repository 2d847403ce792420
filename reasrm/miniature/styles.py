"""How the miniature's answers look: the same content in three dresses, as in RM-Bench.

Style must not count for a judge. The world makes it a temptation: in training pairs the better answer is a little more
often the fancier one, and the oracle's lazy habit (`oracle_habits`) argues from looks alone.
"""

from enum import IntEnum


class Style(IntEnum):
    """The dress of an answer, plainest first: the order in which RM-Bench lists its three versions."""

    CONCISE = 0
    DETAILED = 1
    MARKDOWN = 2

    @property
    def label(self) -> str:
        """The style's name in labels and traces."""
        return self.name.lower()


def dress(content: str, style: Style) -> str:
    """Write `content` in a style."""
    if style is Style.DETAILED:
        return f"well , {content} , indeed"
    if style is Style.MARKDOWN:
        return f"## ** {content} **"
    return content


def undress(answer: str) -> tuple[Style, str]:
    """The style of an answer and its bare content; `dress` backwards."""
    if answer.startswith("well , ") and answer.endswith(" , indeed"):
        return Style.DETAILED, answer.removeprefix("well , ").removesuffix(" , indeed")
    if answer.startswith("## ** ") and answer.endswith(" **"):
        return Style.MARKDOWN, answer.removeprefix("## ** ").removesuffix(" **")
    return Style.CONCISE, answer
