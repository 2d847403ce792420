"""A run whose stages lack a file or folder of the user's does not start: DVC would remove outputs before it looks."""

import shutil
from pathlib import Path

import pytest

from flows.dvc_graph import read_pipeline
from flows.running.pipeline_run import RunOptions, prepare
from flows.running.run_display import RunDisplay
from flows.running.stage_outcome import FlowError
from reasrm.runtime.yaml_files import read_yaml, write_yaml

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # DVC's own


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's pipeline with a folder as base model; neither the model nor the user's files are there."""
    from dvc.repo import Repo

    document = read_yaml(ROOT / "params.yaml")
    document["base_model"] |= {"source": "folder", "model": "models/smollm2", "reads": "models/smollm2"}
    write_yaml(tmp_path / "params.yaml", document)
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    for folder in ("reasrm", "stages", "locks"):
        (tmp_path / folder).mkdir()
    Repo.init(str(tmp_path), no_scm=True).close()
    return tmp_path


def start(project: Path, to: str) -> None:
    with RunDisplay(verbose=False) as display:
        prepare(RunOptions(project, to=(to,)), display)


def test_what_the_user_brings_is_told_from_what_stages_make(project: Path) -> None:
    stages = read_pipeline(project).stages
    assert stages["base_model"].inputs == ("models/smollm2",)
    assert stages["collect_pairs"].inputs == ("data/raw", "revisions/pairs.json")
    assert all(stages[name].inputs == () for name in ("sft", "score", "report", "grpo@full", "distill_traces@second"))


def test_a_model_that_is_not_there_is_named_with_the_command_that_makes_it(project: Path) -> None:
    with pytest.raises(FlowError, match=r"models/smollm2 is not there, .* reads it: `reasrm fetch smollm2`"):
        start(project, "base_model")
    (project / "models/smollm2").mkdir(parents=True)
    start(project, "base_model")


def test_other_files_of_the_user_are_named_too_and_only_where_they_are_read(project: Path) -> None:
    with pytest.raises(FlowError, match=r"data/raw is not there, and collect_benchmarks reads it: put it there"):
        start(project, "collect_pairs")
    start(project, "fingerprint")
