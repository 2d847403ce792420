"""The command `reasrm publish`: a trained checkpoint with its model card as a clean folder, and on demand to the hub.

Light to import: what reads and writes checkpoints is imported when the command runs.
"""

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from reasrm.runtime.stage_main import ExitCode, StageError
from reasrm.runtime.terminal import say, say_error

COMMAND = "reasrm publish"
PUBLISHED = Path("published")
"""Folder of the project that the dry runs go to."""
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]*")
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def publish(  # noqa: PLR0913  options of a command
    checkpoint: Annotated[str, typer.Argument(help="Name below data/checkpoints, as grpo-full.", show_default=False)],
    folder: Annotated[Path | None, typer.Option(help=f"Folder to write; by default {PUBLISHED}/CHECKPOINT.")] = None,
    dtype: Annotated[
        Literal["bfloat16", "float16", "float32"] | None, typer.Option(help="Round the weights to this; else as is.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--license", help="Of these weights, as the hub names it: apache-2.0, ...")
    ] = None,
    hub: Annotated[str | None, typer.Option(metavar="OWNER/NAME", help="The model repository on the hub.")] = None,
    push: Annotated[bool, typer.Option("--push", help="Upload it there; without, nothing is sent.")] = False,
    public: Annotated[bool, typer.Option("--public", help="A new repository is for all to see.")] = False,
    stale: Annotated[bool, typer.Option("--stale", help="Publish even if it would be made anew today.")] = False,
) -> None:
    """Write a trained checkpoint with a model card to a clean folder; with --hub and --push upload it.

    Without --push this is a dry run: look at the folder, above all at its README.md, before you push. The folder holds
    the weights (safetensors), configuration, tokenizer, chat template, the base's licence if it has one, and the card,
    made from dvc.lock, params.yaml, curves and scores; never an optimiser's state, a pickle, a path of this machine or
    a secret of its environment. HF_TOKEN gives the right to upload; a new repository is private.

    Exit status: 0 written (and uploaded, with --push); 1 it cannot be published; 2 wrong usage; 130 interrupted.
    """
    if push and hub is None:
        _exit("--push needs --hub OWNER/NAME", ExitCode.USAGE)
    if hub is not None and not _REPO.fullmatch(hub):
        _exit(f"--hub takes OWNER/NAME, not {hub!r}", ExitCode.USAGE)
    if licence is not None and not _LICENCE.fullmatch(licence):
        _exit(f"--license takes a licence as the hub names it, as apache-2.0 or other, not {licence!r}", ExitCode.USAGE)
    try:
        to = _write(checkpoint, folder, dtype, licence or "", stale=stale)
        if hub is not None and push:
            from reasrm.publishing.hub_upload import push as upload

            say(upload(to, hub, f"{Path(checkpoint).name}, by reasrm publish", public=public))
        else:
            say(f"nothing was uploaded: look at {to / 'README.md'}, then add --hub OWNER/NAME --push")
    except StageError as error:
        _exit(error, error.exit_code)
    except KeyboardInterrupt:
        _exit("interrupted; the same command begins again", ExitCode.INTERRUPTED)


def _write(checkpoint: str, folder: Path | None, dtype: str | None, licence: str, *, stale: bool) -> Path:
    """Write the folder and say so; returns where it is."""
    from reasrm.publishing.card_facts import card_facts
    from reasrm.publishing.clean_folder import write_clean_folder
    from reasrm.publishing.lineage import checkpoint_names, lineage, read_lock
    from reasrm.publishing.model_card import model_card
    from reasrm.publishing.project_state import project_root, project_state

    root = project_root()
    if folder is not None and folder.resolve().is_relative_to((root / "data").resolve()):
        raise StageError(f"{folder}: data/ holds what stages make; name a folder elsewhere with --folder")
    lock, name = read_lock(root), Path(checkpoint).name
    made = checkpoint_names(lock)
    if name not in made:
        raise StageError(
            f"no stage in dvc.lock has made data/checkpoints/{name}; there are {', '.join(made) or 'none'}: train it "
            f"with `reasrm run`"
        )
    state = project_state(root, made[name], scored=any((root / "data/scores").glob("*.json")))
    if state.stale and not stale:
        why = "; ".join(f"{one} ({reason})" for one, reason in list(state.stale.items())[:3])
        raise StageError(
            f"{name} is out of date: {why}. `reasrm run --to {made[name]}` makes it anew; --stale publishes it as it "
            f"is, and the card says so"
        )
    facts = card_facts(root, name, lineage(lock, made[name]), state)
    card = model_card(facts, licence, dtype or facts.dtype)
    to = folder if folder is not None else root / PUBLISHED / name
    private = [path for path in (root, Path.home()) if path != Path("/")]
    left_out = write_clean_folder(
        root / "data/checkpoints" / name, to, card, dtype or facts.dtype, facts.base.licence_files, private
    )
    scores = f"scores of {', '.join(facts.scores)}" if facts.scores else "no scores"
    say(f"{to}: {len(list(to.iterdir()))} files, {scores}, licence {licence or facts.base.licence}")
    if left_out:
        say(f"left out: {', '.join(left_out)}")
    return to


def _exit(why: object, code: int) -> None:
    say_error(COMMAND, why)
    raise typer.Exit(int(code))
