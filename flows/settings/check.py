"""Wrong settings are told before anything runs: all together, each with its section, key, value and what to do.

The stages' own parameter classes decide (`flows.settings.faults`), in a process of its own: they are those of the
checkout, and their imports take more than a second, which here pass beside the reading of the pipeline.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from flows.running.stage_outcome import FlowError
from flows.running.stage_process import stage_environment
from reasrm.runtime.terminal import say_error


class WrongSetting(NamedTuple):
    """One setting that a stage would refuse."""

    stage: str
    """The stage that reads it, `grpo` or `grpo@full`; empty for what belongs to none."""
    setting: str
    """As `grpo.loss_type`."""
    value: str
    """What it is now; empty where it is missing."""
    problem: str
    """What is wrong with it, and what to do."""

    def __str__(self) -> str:
        """On one line."""
        return f"{self.setting}{f' is {self.value}' if self.value else ''}: {self.problem}"


def wrong_settings(root: Path) -> list[WrongSetting]:
    """The settings of params.yaml that the stages would refuse, in the order of its sections.

    Raises:
        FlowError: the check itself cannot run.
    """
    if not all((root / part).exists() for part in ("stages", "flows/settings/faults.py")):
        return []  # no clone of this project: it has no classes to check by
    command = [sys.executable, "-m", "flows.settings.faults"]
    done = subprocess.run(command, cwd=root, env=stage_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1].removeprefix("settings: ")
        raise FlowError(f"the settings cannot be checked ({reason}); `python {' '.join(command[1:])}` says more")
    return [WrongSetting(**row) for row in json.loads(done.stdout)]


def refuse(wrong: Iterable[WrongSetting], stages: Iterable[str] | None) -> None:
    """Do nothing if no setting is wrong that one of `stages` reads; else print each and end the command.

    Args:
        wrong: all that are wrong.
        stages: None for all, where a wrong setting keeps the stages from being known.

    Raises:
        FlowError: there are such settings; they have been printed.
    """
    concerned = {"", *(stages or ())}
    concerned |= {name.partition("@")[0] for name in concerned}
    found = [one for one in wrong if stages is None or one.stage in concerned]
    if not found:
        return
    tell(found)
    raise FlowError(f"params.yaml: {len(found)} wrong setting{'s' if len(found) > 1 else ''}; nothing was run")


def tell(wrong: Iterable[WrongSetting]) -> None:
    """Print each on a line of its own."""
    for one in wrong:
        say_error("params.yaml", one)
