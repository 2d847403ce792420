"""Text of others in markdown: shown as it is, never obeyed, on one line; and tables and blocks that it cannot leave."""

import re
from collections.abc import Iterable, Sequence

from reasrm.records.harmless_text import harmless, one_line

LONGEST_TEXT = 400
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$:@-])")


def plain(text: object) -> str:
    """`text` on one line with everything escaped that markdown or HTML would read."""
    line = harmless(one_line(str(text), LONGEST_TEXT)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", line)


def code(text: object) -> str:
    """`text` on one line as code, whatever backticks are in it."""
    line = harmless(one_line(str(text), LONGEST_TEXT)).replace("|", "¦")
    fence = "`" * (_longest_run(line) + 1)
    return f"{fence} {line} {fence}" if "`" in line else f"`{line}`"


def block(text: str, language: str = "") -> str:
    """Lines of code that end where they end, whatever backticks are in them."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{harmless(text)}\n{fence}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are markdown already."""
    lines = [" | ".join(row) for row in (header, ["---"] * len(header), *rows)]
    return "\n".join(f"| {line} |" for line in lines)


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
