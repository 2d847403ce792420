"""What makes DVC rerun a judge, by the project's own dvc.yaml: also an edit of a published judge's prompt file."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reasrm.runtime.yaml_files import read_yaml, write_yaml
from stages.judge import JudgeParams

ROOT = Path(__file__).resolve().parents[2]
PROMPT = Path("prompts/mine.yaml")
OWN: dict[str, Any] = {"checkpoint": "served.yaml", "kind": "generative", "prompt": "full", "reads": "data/benchmarks"}
PUBLISHED = OWN | {"published_prompt": str(PROMPT), "reads": str(PROMPT)}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The project's pipeline with two judges that have just run."""
    from dvc.repo import Repo

    monkeypatch.chdir(tmp_path)
    document = read_yaml(ROOT / "params.yaml")
    document["judge_variants"] = {"own": OWN, "published": PUBLISHED}
    write_yaml(Path("params.yaml"), document)
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    for file in ("served.yaml", PROMPT, "data/benchmarks/rmb.jsonl", "data/fingerprints/judge.json"):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text("first\n", encoding="utf-8")
    for judge in document["judge_variants"]:
        Path(f"data/judgments/{judge}").mkdir(parents=True)
        Path(f"data/judgments/{judge}/rmb.jsonl").write_text("", encoding="utf-8")
    repo = Repo.init(str(tmp_path), no_scm=True)
    for judge in document["judge_variants"]:
        repo.commit(target=f"judge@{judge}", force=True)
    yield repo
    repo.close()


def stale(repo: Any) -> set[str]:
    """The judges that DVC would run again."""
    return {name for judge in ("own", "published") for name in repo.status(targets=[f"judge@{judge}"])}


def test_an_edited_prompt_file_reruns_its_judge_and_no_other(project: Any) -> None:
    assert stale(project) == set()
    PROMPT.write_text("second\n", encoding="utf-8")
    assert stale(project) == {"judge@published"}
    Path("data/benchmarks/rmb.jsonl").write_text("second\n", encoding="utf-8")
    assert stale(project) == {"judge@published", "judge@own"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"published_prompt": str(PROMPT)}, "reads is data/benchmarks, published_prompt is prompts/mine.yaml"),
        ({"reads": str(PROMPT)}, "reads is prompts/mine.yaml, published_prompt is null"),
        ({"published_prompt": "other.yaml", "reads": str(PROMPT)}, "published_prompt is other.yaml"),
    ],
)
def test_the_file_that_is_asked_from_is_the_one_that_dvc_sees(changes: dict[str, str], said: str) -> None:
    document = read_yaml(ROOT / "params.yaml")
    with pytest.raises(ValidationError, match=said):
        JudgeParams.model_validate(document["judge"] | OWN | changes)
    JudgeParams.model_validate(document["judge"] | OWN)
    JudgeParams.model_validate(document["judge"] | PUBLISHED)
