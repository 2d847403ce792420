"""The toy project's parts: its pipeline, its parameters, the environment of its commands."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

TOY = Path(__file__).with_name("toy_stage.py")
FLOWS = Path(__file__).parents[2] / "flows"
Reasrm = Callable[..., subprocess.CompletedProcess[str]]

PIPELINE = {
    "a": {"cmd": "python toy_stage.py a 0.1 out/a a.in", "deps": ["a.in"], "outs": ["out/a"], "params": ["a"]},
    "b": {
        "foreach": "${b_variants}",
        "do": {
            "cmd": "python toy_stage.py b-${key} ${item.seconds} out/b-${key} out/a",
            "deps": ["out/a"],
            "outs": ["out/b-${key}"],
            "params": ["b_variants.${key}"],
        },
    },
    "c": {
        "cmd": "python toy_stage.py c 0.1 out/c out/b-slow out/b-fast",
        "deps": ["out/b-slow", "out/b-fast"],
        "outs": ["out/c"],
    },
    "d": {
        "cmd": "python toy_stage.py d 0.1 out/d out/b-fast",
        "deps": ["out/b-fast"],
        "outs": ["out/d"],
        "meta": {"limit": "gpu"},
    },
}
PARAMS = {
    "a": {"word": "x", "deep": {"rate": 0.0003}},
    "b_variants": {"slow": {"seconds": 1.5}, "fast": {"seconds": 0.1}},
}


def environment() -> dict[str, str]:
    """This interpreter first, no server but the one that a test names."""
    chosen = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return chosen | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}


def become_clone(root: Path) -> None:
    """Give the project the checkout's flows, without which `reasrm` knows no pipeline commands there."""
    (root / "flows").symlink_to(FLOWS, target_is_directory=True)
