"""Only a change of meaning reruns a stage, and exactly the stages that reach it (on a copy of the real sources)."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
Fingerprints = dict[str, dict[str, Any]]


def compute(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stages.fingerprint"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def fingerprints(root: Path) -> Fingerprints:
    done = compute(root)
    assert done.returncode == 0, done.stderr
    return {path.stem: json.loads(path.read_text()) for path in (root / "data/fingerprints").glob("*.json")}


def changed(before: Fingerprints, after: Fingerprints) -> set[str]:
    return {stage for stage in before.keys() | after.keys() if before.get(stage) != after.get(stage)}


def reaching(before: Fingerprints, module: str) -> set[str]:
    return {stage for stage, one in before.items() if module in one["modules"]}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sources")
    for folder in ("reasrm", "stages", "locks"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture(scope="module")
def before(sources: Path) -> Fingerprints:
    return fingerprints(sources)


@pytest.fixture
def project(sources: Path, tmp_path: Path) -> Path:
    shutil.copytree(sources, tmp_path / "project")
    return tmp_path / "project"


def test_every_stage_has_its_fingerprint(before: Fingerprints) -> None:
    stages = {
        path.stem: path for path in (ROOT / "stages").rglob("*.py") if path.stem not in {"__init__", "fingerprint"}
    }
    assert before.keys() == stages.keys()
    for stage, one in before.items():
        assert ".".join(stages[stage].relative_to(ROOT).with_suffix("").parts) in one["modules"]
        assert "stages" in one["modules"]


def test_a_stage_reaches_what_it_imports_inside_functions(before: Fingerprints) -> None:
    assert {"torch", "transformers"} <= before["judge"]["libraries"].keys()
    assert {"trl", "accelerate"} <= before["grpo"]["libraries"].keys()
    assert not {"torch", "transformers", "trl"} & before["score"]["libraries"].keys()


@pytest.mark.parametrize(
    ("stages", "needless"),
    [
        (
            ("base_model", "sft", "grpo", "answer_sft", "scalar_rm"),
            (
                "apis",
                "benchmarks",
                "commands",
                "data_quality",
                "datasets",
                "distillation",
                "evaluation",
                "reporting",
                "scoring",
            ),
        ),
        (("judge",), ("commands", "distillation", "miniature", "reporting", "scoring", "training")),
    ],
)
def test_hours_of_a_gpu_do_not_depend_on_what_cannot_change_their_result(
    before: Fingerprints, stages: tuple[str, ...], needless: tuple[str, ...]
) -> None:
    reached = {module for stage in stages for module in before[stage]["modules"]}
    assert not [module for module in reached if module.startswith(tuple(f"reasrm.{name}" for name in needless))]


def test_the_same_bytes_each_time(project: Path, before: Fingerprints) -> None:
    fingerprints(project)
    first = {path.name: path.read_bytes() for path in (project / "data/fingerprints").iterdir()}
    fingerprints(project)
    assert {path.name: path.read_bytes() for path in (project / "data/fingerprints").iterdir()} == first


def test_comments_docstrings_and_formatting_of_all_modules_make_nothing_stale(
    project: Path, before: Fingerprints
) -> None:
    paths = [path for folder in ("reasrm", "stages") for path in (project / folder).rglob("*.py")]
    assert len(paths) > 200
    for path in paths:
        text = path.read_text()
        path.write_text("# A new comment.\n" + text.replace('"""', '"""Said anew. ', 1) + "\n# The end.\n")
    ruff = [sys.executable, "-m", "ruff", "format", "-q", "--isolated", "--line-length", "70", "reasrm", "stages"]
    subprocess.run(ruff, cwd=project, check=True)
    assert changed(before, fingerprints(project)) == set()


def test_a_word_of_the_judges_prompt_makes_stale_exactly_the_stages_that_reach_it(
    project: Path, before: Fingerprints
) -> None:
    path = project / "reasrm/judging/chain_of_rubrics.py"
    text = path.read_text()
    assert "decide which one serves" in text
    path.write_text(text.replace("decide which one serves", "decide which one helps"))
    stale = changed(before, fingerprints(project))
    assert stale == reaching(before, "reasrm.judging.chain_of_rubrics")
    assert {"distill_traces", "sft", "grpo", "judge"} <= stale
    assert not {"collect_benchmarks", "score"} & stale


def test_a_declared_file_makes_stale_who_reads_it(project: Path, before: Fingerprints) -> None:
    path = project / "reasrm/reporting/paper_tables.json"
    path.write_text(path.read_text() + "\n")
    assert changed(before, fingerprints(project)) == {"report"}


def test_an_exempt_module_makes_nothing_stale(project: Path, before: Fingerprints) -> None:
    path = project / "reasrm/runtime/progress.py"
    path.write_text(path.read_text().replace("EVERY_SECONDS = 5.0", "EVERY_SECONDS = 6.0"))
    assert "reasrm.runtime.progress" in before["judge"]["exempt"]
    assert changed(before, fingerprints(project)) == set()


def test_another_library_than_the_locked_one_is_refused(project: Path) -> None:
    for path in (project / "locks").glob("*.txt"):
        path.write_text(path.read_text().replace("numpy==", "numpy==0.0.1"))
    done = compute(project)
    assert done.returncode == 1
    assert "`numpy`" in done.stderr
    assert "make install" in done.stderr


def test_a_missing_declared_file_is_refused(project: Path) -> None:
    (project / "reasrm/reporting/paper_tables.json").unlink()
    done = compute(project)
    assert done.returncode == 1
    assert "FINGERPRINTED_FILES names `paper_tables.json`" in done.stderr
