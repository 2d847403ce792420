"""What makes DVC rerun the stage `base_model`, by the project's own dvc.yaml: an edit of the folder of its model."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reasrm.runtime.yaml_files import read_yaml, write_yaml
from stages.base_model import BaseModelParams

ROOT = Path(__file__).resolve().parents[2]
DATA = "data/fingerprints/base_model.json"


@pytest.fixture(params=["models/mine", "outside"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The model's folder, in the project or elsewhere."""
    return str(tmp_path / "elsewhere") if request.param == "outside" else str(request.param)


@pytest.fixture
def project(tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The project's pipeline, whose base model is a folder and has just been copied."""
    from dvc.repo import Repo

    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    document = read_yaml(ROOT / "params.yaml")
    document["base_model"] |= {"source": "folder", "model": model, "reads": model}
    write_yaml(Path("params.yaml"), document)
    shutil.copy(ROOT / "dvc.yaml", root)
    for file in (Path(model, "config.json"), Path(DATA), Path("data/checkpoints/base/x"), Path("data/curves/base/x")):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("first\n", encoding="utf-8")
    repo = Repo.init(str(root), no_scm=True)
    repo.commit(target="base_model", force=True)
    yield repo
    repo.close()


def test_an_edited_file_of_the_folder_reruns_it(project: Any, model: str) -> None:
    assert not project.status(targets=["base_model"])
    Path(model, "config.json").write_text("second\n", encoding="utf-8")
    assert list(project.status(targets=["base_model"])) == ["base_model"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"source": "folder", "model": "models/mine"}, f"reads is {DATA}, .* source folder .* made from models/mine"),
        ({"source": "folder", "model": "models/mine", "reads": "models"}, "reads is models, .* from models/mine"),
        ({"source": "folder", "model": "", "reads": DATA}, f"reads is {DATA}"),
        ({"source": "pairs"}, f"reads is {DATA}, .* source pairs .* made from data/pairs"),
        ({"source": "world", "reads": "data/raw"}, f"reads is data/raw, .* source world .* made from {DATA}"),
        ({"source": "hub", "model": "owner/name", "reads": "owner/name"}, f"made from {DATA}"),
    ],
)
def test_what_it_is_made_from_is_what_dvc_sees(changes: dict[str, str], said: str) -> None:
    section = read_yaml(ROOT / "params.yaml")["base_model"]
    with pytest.raises(ValidationError, match=said):
        BaseModelParams.model_validate(section | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"source": "folder", "model": "models/mine/", "reads": "models/mine"},
        {"source": "pairs", "reads": "data/pairs"},
        {"source": "hub", "model": "owner/name", "revision": "a" * 40},
    ],
)
def test_every_source_can_be_said(changes: dict[str, str]) -> None:
    BaseModelParams.model_validate(read_yaml(ROOT / "params.yaml")["base_model"] | changes)
