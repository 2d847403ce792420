"""Which profiles fit which GPUs, by the formulas of `reasrm plan`: a table in Markdown, nothing is run.

    python -m benchmarks.plan_profiles

A cell says `fits` with the most GiB that a stage needs on one GPU, else the first stage that does not fit with what it
needs of what there is, or the number of GPUs that the profile's launch wants.
"""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from flows.settings.profile import ProfileChoice, compose, named_choice
from flows.settings.profile_layers import parsed
from reasrm.preflight.devices import described_device
from reasrm.preflight.plan import Wanted, estimates

ROOT = Path(__file__).resolve().parents[1]
DEVICES = ("24gb", "80gb", "80gb:8", "80gb:32")


class Row(NamedTuple):
    """One profile with its overlays."""

    stack: str
    model: str = ""
    """Where the profile leaves it to the user: a known one's hub id."""

    @property
    def title(self) -> str:
        """As the table names it."""
        return f"`{self.stack}`" + (f", {self.model.partition('/')[2]}" if self.model else "")


ROWS = (
    Row("qwen3-1.7b +lora +24gb"),
    Row("rm-r1-7b +24gb +qlora"),
    Row("qwen3-1.7b"),
    Row("pretrained", "Qwen/Qwen2.5-3B-Instruct"),
    Row("pretrained", "Qwen/Qwen3-4B"),
    Row("pretrained +lora +one-gpu", "Qwen/Qwen3-8B"),
    Row("rm-r1-7b +lora +one-gpu"),
    Row("rm-r1-14b +lora +one-gpu"),
    Row("rm-r1-32b +one-gpu +qlora"),
    Row("pretrained +eight-gpus", "Qwen/Qwen3-8B"),
    Row("pretrained +eight-gpus", "Qwen/Qwen2.5-14B-Instruct"),
    Row("rm-r1-7b"),
    Row("rm-r1-7b +lora +eight-gpus"),
    Row("rm-r1-7b-deepseek"),
    Row("rm-r1-14b"),
    Row("rm-r1-14b-deepseek"),
    Row("rm-r1-32b"),
    Row("rm-r1-32b-deepseek"),
    Row("qwen3-1.7b +lora +24gb +policy-one-gpu"),
    Row("pretrained +lora +one-gpu +policy-one-gpu", "Qwen/Qwen3-8B"),
    Row("rm-r1-7b +policy-eight-gpus"),
    Row("pretrained +eight-gpus +policy-eight-gpus", "Qwen/Qwen2.5-14B-Instruct"),
)


def planned(stack: str, device: str, model: str = "") -> list[dict[str, Any]]:
    """The estimates of the stages of a profile with overlays, in a project in which no stage has run.

    Args:
        stack: as behind `reasrm profile use`.
        device: as behind `reasrm plan --device`.
        model: in place of the profile's base.
    """
    named = named_choice(stack.split())
    base = (ROOT / "params.yaml").read_text(encoding="utf-8")
    settings = parsed(compose(ROOT, ProfileChoice(named.name, named.overlays), base), stack)
    with tempfile.TemporaryDirectory() as folder:
        stages: list[dict[str, Any]] = estimates(Path(folder), settings, Wanted(described_device(device), model=model))[
            "stages"
        ]
    return stages


def cell(stages: list[dict[str, Any]]) -> str:
    """What the table says of a profile on a device."""
    for stage in stages:
        memory = stage["memory"]
        if stage["problems"]:
            wanted = next((one for one in stage["problems"] if one.startswith("launch.processes")), "")
            return f"wants {wanted.split()[1].rstrip(':')} GPUs" if wanted else stage["problems"][0]
        if stage["fits"] is False:
            return f"{stage['stage']} {memory['needs_gib']:.1f} of {memory['usable_gib']:.1f}"
    return f"fits, {max(stage['memory']['needs_gib'] for stage in stages if stage['memory']):.1f}"


def main() -> None:
    """Print the table."""
    print(f"| profile | {' | '.join(DEVICES)} |\n|---|{'---|' * len(DEVICES)}")
    for row in ROWS:
        cells = [cell(planned(row.stack, device, row.model)) for device in DEVICES]
        print(f"| {row.title} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
