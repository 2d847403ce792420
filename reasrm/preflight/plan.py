"""All stages of a project on one device, as JSON: what `reasrm plan`, `run` and `doctor` show."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from reasrm.preflight.advice import Change, changes_to_fit
from reasrm.preflight.base_model import TRAINED_HERE, base_model
from reasrm.preflight.devices import GIB, Device
from reasrm.preflight.disk import free_bytes, output_copies
from reasrm.preflight.formulas.work import CPU_SHARE, MEMORY_SHARE, TRAINING_SHARE
from reasrm.preflight.model_checks import check_model
from reasrm.preflight.row_lengths import RowLengths, made_by, row_lengths
from reasrm.preflight.stage_estimate import Project, StageEstimate, estimate_stage
from reasrm.preflight.stage_settings import JudgeNeeds, StageSettings, stages_with_models
from reasrm.records.jsonl import explain
from reasrm.runtime.params import PARAMS_FILE, ParamsError
from reasrm.runtime.yaml_files import read_yaml
from reasrm.training.monitoring.settings import Housekeeping

MARGIN = 1.2
"""A stage surely does not fit where it needs more than this many times what there is: the formulas' own error
(benchmarks/README.md)."""


UNMADE = "tokens, hours and rows are not known before the data are made; --rows measures those that are there now"


class Wanted(NamedTuple):
    """What is estimated."""

    device: Device
    stages: tuple[str, ...] = ()
    """Names as the pipeline has them; none for all."""
    model: str = ""
    """In place of the base that params.yaml names."""
    measure: bool = False
    """Tokenise all rows."""
    check: bool = False
    """Look at the base model's template and ask accelerate (`model_checks`)."""
    remade: tuple[str, ...] = ()
    """Stages whose data will be made anew: those that are there now say nothing of their lengths."""


def preflight(root: Path, wanted: Wanted) -> dict[str, Any]:
    """What each stage of the project in `root` needs on a device.

    Raises:
        StageError: params.yaml cannot be read, or the base model's shape is unknown.
    """
    params = read_yaml(root / PARAMS_FILE)
    return estimates(root, params if isinstance(params, Mapping) else {}, wanted)


def estimates(root: Path, params: Mapping[str, Any], wanted: Wanted) -> dict[str, Any]:
    """As `preflight`, with the document of params.yaml.

    Raises:
        StageError: the base model's shape is unknown.
        ParamsError: section `training_housekeeping` cannot be read.
    """
    base = base_model(root, params, wanted.model)
    is_miniature = not wanted.model and params["base_model"]["source"] in TRAINED_HERE
    keeping = _housekeeping(params)
    project = Project(root, base, wanted.device, output_copies(root), keeping.keep_checkpoints)
    tokenizers = _Tokenizers(project) if wanted.measure else None
    stages, resume, outputs, unmade = [], 0.0, 0.0, False
    for stage in stages_with_models(params, published=bool(wanted.model)):
        if wanted.stages and stage.stage not in wanted.stages:
            continue
        tokenizer = tokenizers.of(stage) if tokenizers else None
        remade = made_by(stage) in wanted.remade and not wanted.measure
        unmade |= remade
        # The miniature's template makes one token of a whole instruction, so characters say nothing of its lengths.
        rows = None if remade or (is_miniature and tokenizer is None) else row_lengths(root, stage, tokenizer)
        estimate = estimate_stage(project, stage, rows)
        stages.append(_stage_document(estimate, changes_to_fit(project, stage, estimate, rows)))
        if keeping.prune_work:  # then those of one stage at a time are there
            resume = max(resume, estimate.disk.resume)
        else:
            resume += estimate.disk.resume
        outputs += estimate.disk.output
    free = free_bytes(root)
    return {
        "model": {"name": base.name, "parameters": base.shape.parameters, "positions": base.shape.positions},
        "device": _device_document(wanted.device),
        "stages": stages,
        "disk": {
            "outputs_gib": _gib(outputs),
            "resume_gib": _gib(resume),
            "free_gib": _gib(free),
            "fits": outputs + resume <= free,
        },
        "assumptions": [*_assumptions(wanted.device), *([UNMADE] if unmade else [])],
        "checks": [check._asdict() for check in check_model(base)] if wanted.check else [],
    }


def _housekeeping(params: Mapping[str, Any]) -> Housekeeping:
    try:
        return Housekeeping.model_validate(params.get(Housekeeping.section))
    except ValidationError as error:
        raise ParamsError(f"{PARAMS_FILE}: section `{Housekeeping.section}`: {explain(error)}") from error


class _Tokenizers:
    """The tokenizer of each stage's model, each loaded once; None where its folder is not here."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._loaded: dict[Path, Any] = {}

    def of(self, stage: StageSettings) -> Any:
        """What a stage's rows are measured with: the judged checkpoint's own, else the base's."""
        from reasrm.inference.prompt_rendering import load_tokenizer

        folder = self._project.base.folder
        settings = stage.settings
        if isinstance(settings, JudgeNeeds) and (self._project.root / settings.checkpoint / "config.json").is_file():
            folder = self._project.root / settings.checkpoint
        if folder is None:
            return None
        if folder not in self._loaded:
            self._loaded[folder] = load_tokenizer(folder)
        return self._loaded[folder]


def _stage_document(estimate: StageEstimate, changes: Iterable[Change]) -> dict[str, Any]:
    memory, work = estimate.memory, estimate.work
    return {
        "stage": estimate.stage,
        "unknown": estimate.unknown or None,
        "fits": estimate.fits,
        "surely_not": bool(estimate.problems) or bool(memory and memory.peak > MARGIN * estimate.usable),
        "memory": None if memory is None else {
            "needs_gib": _gib(memory.peak),
            "usable_gib": _gib(estimate.usable),
            "phase": memory.largest,
            "parts_gib": {name: _gib(size) for name, size in memory.parts.items()},
        },
        "disk": {"resume_gib": _gib(estimate.disk.resume), "output_gib": _gib(estimate.disk.output)},
        "tokens": work.tokens if work else None,
        "hours": None if estimate.hours is None else [round(one, 3) for one in estimate.hours],
        "rows": _rows_document(estimate.rows, estimate.limit),
        "problems": list(estimate.problems),
        "notes": list(estimate.notes),
        "changes": [change._asdict() | {"gib": round(change.gib, 2)} for change in changes],
    }  # fmt: skip


def _rows_document(rows: RowLengths | None, limit: int) -> dict[str, Any] | None:
    if rows is None or not rows.longest:
        return None
    ordered = sorted(rows.longest)
    return {
        "rows": rows.rows,
        "measured": rows.measured,
        "limit": limit,
        "share_that_fits": round(rows.fitting(limit), 4),
        "unrenderable": rows.unrenderable,
        "tokens": {"median": ordered[len(ordered) // 2], "most": ordered[-1]},
    }


def _device_document(device: Device) -> dict[str, Any]:
    return {
        "name": device.name,
        "gpu": device.is_gpu,
        "count": device.count,
        "memory_gib": _gib(device.memory),
        "usable_gib": _gib(device.usable),
    }


def _assumptions(device: Device) -> list[str]:
    """What the figures rest on, in words."""
    said = ["memory for the longest sequences that the limits allow; formulas in docs/training.md"]
    if device.peak_flops is None:
        return [*said, "hours unknown: no throughput is known for this device"]
    if device.is_gpu:
        return [
            *said,
            f"hours at {TRAINING_SHARE[1]:.0%} to {TRAINING_SHARE[0]:.0%} of {device.peak_flops / 1e12:.0f} TFLOP/s "
            f"per GPU and {MEMORY_SHARE[1]:.0%} to {MEMORY_SHARE[0]:.0%} of its memory's speed, replies of full length",
        ]
    return [
        *said,
        f"hours at {CPU_SHARE[1]:.0%} to {CPU_SHARE[0]:.0%} of {device.peak_flops / 1e9:.0f} GFLOP/s, measured on one "
        "product of large matrices; replies of full length",
    ]


def _gib(size: float) -> float:
    return round(size / GIB, 2)
