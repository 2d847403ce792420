"""The options of `reasrm judge`: what each means, and which exclude each other."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from reasrm.commands.named_judge import NamedJudge

COMPARED, OUTPUT = "What is judged", "Output"

PromptOption = Annotated[str | None, typer.Option(help="The client's question.", rich_help_panel=COMPARED)]
AnswerAOption = Annotated[str | None, typer.Option(help="One answer.", rich_help_panel=COMPARED)]
AnswerBOption = Annotated[str | None, typer.Option(help="The other answer.", rich_help_panel=COMPARED)]
JsonlOption = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Judge each row of a file (- for standard input).", rich_help_panel=COMPARED),
]
OutOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Where the judgments of --jsonl go; resumable.", rich_help_panel=OUTPUT),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.", rich_help_panel=OUTPUT)]


@dataclass(frozen=True)
class JudgeOptions(NamedJudge):
    """The options of one call; None where one was not given."""

    prompt: str | None
    a: str | None
    b: str | None
    jsonl: str | None
    out: Path | None
    as_json: bool

    def usage_error(self) -> str | None:
        """Why the options cannot be meant together, if they cannot; no option ever overrides another."""
        texts, rows = (self.prompt, self.a, self.b), self.jsonl is not None
        wrong = {
            "give --prompt, --a and --b, or --jsonl FILE": not rows and None in texts,
            "--jsonl takes its texts from the file: leave --prompt, --a and --b out": rows and texts != (None,) * 3,
            "standard input can be only one of --prompt, --a and --b": texts.count("-") > 1,
            "--out goes with --jsonl": self.out and not rows,
            "--out is a folder or a device: name a file": self.out and self.out.exists() and not self.out.is_file(),
            "--out, or the replies kept beside it, would overwrite what is judged": self._overwrites_rows(),
        }
        return next((message for message, holds in wrong.items() if holds), None) or super().usage_error()

    @property
    def replies_file(self) -> Path | None:
        """Where the replies are kept with `--out`: beside it."""
        return self.out and self.out.with_suffix(".replies.jsonl")

    def _overwrites_rows(self) -> bool:
        if self.out is None or self.jsonl is None or self.out.is_dir() or not Path(self.jsonl).exists():
            return False
        written = (self.out, self.replies_file)
        return any(file is not None and file.exists() and file.samefile(self.jsonl) for file in written)
