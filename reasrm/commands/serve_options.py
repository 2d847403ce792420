"""The options of `reasrm serve-judge` besides those that name the judge."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from reasrm.commands.named_judge import NamedJudge

SERVICE, LOAD = "The service", "Under load"
HOST, PORT = "127.0.0.1", 8765
BATCH, WAIT_MS, TIMEOUT, QUEUE, BODY_MB = 64, 20, 120.0, 4096, 8

HostOption = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        help="Where it listens; another address than loopback needs the environment variable REASRM_SERVE_TOKEN.",
        rich_help_panel=SERVICE,
    ),
]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="0 for any free one.", rich_help_panel=SERVICE)]
LedgerOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Keeps every judgment; none is made twice.", rich_help_panel=SERVICE),
]
EndOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT",
        help="A special token that ends a policy's replies, for OpenRLHF, which sends them; several times for several.",
        rich_help_panel=SERVICE,
    ),
]
GroupOption = Annotated[
    int | None,
    typer.Option(
        min=2,
        max=64,
        metavar="N",
        help="Samples of a prompt, for trainers that post them to /get_reward one by one.",
        rich_help_panel=SERVICE,
    ),
]
BatchOption = Annotated[
    int, typer.Option(min=1, metavar="N", help="Comparisons judged in one call.", rich_help_panel=LOAD)
]
WaitOption = Annotated[
    int, typer.Option(min=0, metavar="MS", help="How long a batch waits to be filled.", rich_help_panel=LOAD)
]
TimeoutOption = Annotated[
    float,
    typer.Option(
        min=0.001, metavar="SECONDS", help="A request is given up then; its judgments are kept.", rich_help_panel=LOAD
    ),
]
QueueOption = Annotated[
    int,
    typer.Option(min=2, metavar="N", help="Comparisons that may wait; more are refused.", rich_help_panel=LOAD),
]
BodyOption = Annotated[
    int, typer.Option(min=1, max=1024, metavar="MB", help="Largest body of a request.", rich_help_panel=LOAD)
]


@dataclass(frozen=True)
class ServeOptions(NamedJudge):
    """The options of one call."""

    host: str
    port: int
    ledger: Path | None
    end_of_reply: list[str] | None
    group_size: int | None
    max_batch: int
    max_wait: int
    timeout: float
    queue: int
    max_body: int

    def usage_error(self) -> str | None:
        """Why the options cannot be meant together, if they cannot."""
        if self.ledger is not None and self.ledger.exists() and not self.ledger.is_file():
            return "--ledger is a folder or a device: name a file"
        return super().usage_error()
