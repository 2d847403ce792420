"""What each row of an ablation was trained with: its trainings in their order, with steps and what a step counts.

The steps are those that were done, as each training's curves say; the rest are settings, which all seeds share.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

BASE = "base"
UNITS = {"sft": "traces", "answer_sft": "pairs", "scalar_rm": "pairs", "grpo": "replies"}
"""What the `batch_size` of a section of params.yaml counts."""
STARTS = {"sft": BASE, "scalar_rm": BASE}
"""What the trainings without variants start from."""


def trainings(params: Mapping[str, Any], judge: str, roots: Sequence[Path]) -> list[dict[str, Any]]:
    """A judge's trainings after the base model, the first first; empty of the base and of checkpoints from elsewhere.

    Args:
        params: the settings.
        judge: its key in `judge_variants`.
        roots: the workspaces in which it was trained, in the order of the seeds.

    Returns:
        `{training, steps, batch, of}` each: steps by seed, None where no curve was left; of GRPO also `questions`, the
        prompts of one step, and where settings name them `pairs`, the files that its data are from.
    """
    checkpoint = Path(str(params["judge_variants"][judge].get("checkpoint", "")))
    return list(_back_to_base(params, checkpoint.name, roots))[::-1]


def _back_to_base(params: Mapping[str, Any], name: str, roots: Sequence[Path]) -> Iterator[dict[str, Any]]:
    while (section := name.partition("-")[0]) in UNITS:
        variants = params.get(f"{section}_variants") or {}
        settings = {**(params.get(section) or {}), **(variants.get(name.partition("-")[2]) or {})}
        batch = settings.get("batch_size")
        found = {
            "training": name,
            "steps": [_steps(root, name) for root in roots],
            "batch": batch,
            "of": UNITS[section],
        }
        if settings.get("replies_per_prompt") and batch:
            found["questions"] = batch // settings["replies_per_prompt"]
        if settings.get("pairs"):
            found["pairs"] = list(settings["pairs"])
        yield found
        name = STARTS.get(section) or str(settings.get("start", BASE))


def _steps(root: Path, name: str) -> int | None:
    """The last step of a training."""
    file = root / "data/curves" / name / "metrics.json"
    return json.loads(file.read_text(encoding="utf-8")).get("step") if file.is_file() else None
