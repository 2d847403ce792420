"""The real pipeline in a folder of its own: the checkout's stages, nothing run yet."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from reasrm.runtime.yaml_files import read_yaml, write_yaml
from tests.flows.toy_project import environment

ROOT = Path(__file__).parents[2]
PARTS = ("reasrm", "stages", "flows", "locks", "revisions", "dvc.yaml", "params.yaml", ".dvcignore", ".gitignore")


def dvc(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run DVC in `root`."""
    command = [sys.executable, "-m", "dvc", *words]
    return subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, check=False)


def copy_pipeline(root: Path) -> None:
    """Make `root` a project of its own with the checkout's stages, parameters and locks."""
    root.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / part).exists():
            shutil.copy(ROOT / part, root / part)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    dvc(root, "init", "-q", "-f")
    for folder in ("raw", "probes", "policies"):  # what the checkout has of data/
        (root / "data" / folder).mkdir(parents=True)
        (root / "data" / folder / "README.md").write_text(f"{folder}\n")
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    for words in (["add", "."], [*identity, "commit", "-q", "-m", "pipeline"]):
        subprocess.run(["git", *words], cwd=root, check=True)


def change_params(root: Path, **sections: dict[str, Any]) -> None:
    """Set values in sections of params.yaml; a mapping among them is merged into what stands there."""
    path = root / "params.yaml"
    document = read_yaml(path)
    for section, values in sections.items():
        for key, value in values.items():
            found = document[section].get(key)
            document[section][key] = found | value if isinstance(found, dict) else value
    write_yaml(path, document)
