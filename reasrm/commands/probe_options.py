"""The options of `reasrm probe`: what each means, and which exclude each other."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from reasrm.commands.named_judge import NamedJudge
from reasrm.commands.probe_output import output_fault, replies_file

ASKED, RECORDED, OUTPUT = "What is asked", "Recorded replies", "Output"
FormatName = Literal["llmbar", "rm_r1", "reasrm"]
"""As `reasrm.probes.recorded.reading.RecordedFormat`."""
QUESTIONS = 120
"""As in the pipeline's default."""

SuiteOption = Annotated[
    str, typer.Option(metavar="NAMES", help="Probes, divided by commas, or all of them.", rich_help_panel=ASKED)
]
ItemsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Preference pairs, in any format that pairs for training may have: rows of prompt, chosen and rejected, "
        "say. With --recorded and --format reasrm: the items or rows that were judged.",
        rich_help_panel=ASKED,
    ),
]
QuestionsOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help=f"Most questions, drawn by hash ({QUESTIONS}); a larger sample goes on from a smaller one.",
        rich_help_panel=ASKED,
    ),
]
SeedOption = Annotated[int, typer.Option(min=0, help="Of the sample, of draws and resamples.", rich_help_panel=ASKED)]
ResamplesOption = Annotated[int, typer.Option(min=100, help="Of each bootstrap.", rich_help_panel=ASKED)]
BudgetOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Most judgments, plain ones and those of an earlier run with this --out included; if the plan has more, "
        "nothing is asked.",
        rich_help_panel=ASKED,
    ),
]
PlanOption = Annotated[
    bool,
    typer.Option("--plan", help="Say how many judgments it takes at most; ask nothing.", rich_help_panel=ASKED),
]
RecordedOption = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH",
        help="A log of a judge's replies: the probes that ask nothing are run on it, without a model.",
        rich_help_panel=RECORDED,
    ),
]
FormatOption = Annotated[
    FormatName | None, typer.Option("--format", help="How the log is written.", rich_help_panel=RECORDED)
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Where measures and answers go, in place of those of an earlier run; replies are kept beside it "
        "(FOLDER.replies.jsonl), so it is resumable. With --recorded: a folder for each judge.",
        rich_help_panel=OUTPUT,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.", rich_help_panel=OUTPUT)]


@dataclass(frozen=True)
class ProbeOptions(NamedJudge):
    """The options of one call; None where one was not given."""

    suite: str
    items: Path | None
    questions: int | None
    seed: int
    resamples: int
    budget: int | None
    plan: bool
    recorded: Path | None
    written_as: FormatName | None
    out: Path | None
    as_json: bool

    def usage_error(self) -> str | None:
        """Why the options cannot be meant together, if they cannot; no option ever overrides another."""
        named = (self.model, self.base_url, self.api, self.served, self.engine, self.dtype, self.tensor_parallel)
        judge = any((*named, self.data_parallel, self.prompt_file, self.variant, self.max_new_tokens))
        asks = self.questions or self.budget or self.plan
        wrong = {
            "give --items FILE, or --recorded PATH": not self.items and not self.recorded,
            "--recorded and --format go together": bool(self.recorded) != bool(self.written_as),
            "--items goes with --recorded only where --format is reasrm: other logs hold the texts": (
                self.recorded and self.items and self.written_as != "reasrm"
            ),
            "recorded replies need no judge: leave its options out": self.recorded and judge,
            "recorded replies are all read and nothing is asked: leave --questions, --budget and --plan out": (
                self.recorded and asks
            ),
            "--out is a file or a device: name a folder": self.out and self.out.exists() and not self.out.is_dir(),
        }
        fault = output_fault(self.out) if self.out and not self.recorded else ""
        return next((message for message, holds in wrong.items() if holds), None) or fault or super().usage_error()

    @property
    def replies_file(self) -> Path | None:
        """Where the replies are kept with `--out`: beside it."""
        return self.out and replies_file(self.out.resolve())
