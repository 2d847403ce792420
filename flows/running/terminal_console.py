"""The terminal as the pipeline's commands write to it: tables, colours and a live part, but text only as text.

Reasons, last lines of stages, names of models and files hold text of others. rich would read `[red]`, `[link=...]` and
`:smile:` in it as markup and pass control characters on, so this console reads no markup and spells out what a terminal
would obey (`reasrm.records.harmless_text`). Colours come from `rich.text.Text` alone.
"""

from collections.abc import Iterable
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from reasrm.records.harmless_text import harmless


class TerminalConsole(Console):
    """A console on standard output, or on `file`."""

    def __init__(self, file: IO[str] | None = None, width: int | None = None) -> None:
        """Write to `file`; `width` in columns, None for the terminal's own."""
        super().__init__(file=file, width=width, highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **how: Any) -> Text:
        """The text of a cell or line, harmless before its width is measured."""
        return super().render_str(harmless(text), **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The pieces that are written, each harmless; rich's own control codes pass."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=harmless(segment.text))
