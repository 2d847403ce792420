"""The plan of the real pipeline, as if everything had run: which edit reruns what, and why."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.dvc_graph import read_pipeline
from flows.planning.plan import make_plan, preflight_of
from flows.planning.preflight import PreflightRequest
from flows.planning.rerun_reasons import RerunCause, StageForecast, WillRun
from flows.running.stage_outcome import FlowError
from reasrm.runtime.yaml_files import read_yaml
from tests.flows.real_project import change_params, copy_pipeline, dvc
from tests.flows.toy_project import environment

pytestmark = [pytest.mark.slow]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real stages with stand-in outputs that DVC takes for theirs (`dvc commit`): nothing is trained."""
    root = tmp_path_factory.mktemp("plan") / "project"
    copy_pipeline(root)
    subprocess.run([sys.executable, "-m", "stages.fingerprint"], cwd=root, check=True, capture_output=True)
    for stage in read_yaml(root / "dvc.yaml")["stages"]:
        for path in outputs(root, stage):
            make(root / path)
    for part in ("distill", "reinforce", "dev"):
        (root / f"data/pairs/{part}.jsonl").write_text(f"{part}\n")
    done = dvc(root, "commit", "-f")
    assert done.returncode == 0, done.stderr
    return root


def outputs(root: Path, stage: str) -> list[str]:
    """The outputs of all variants of a stage, from dvc.yaml and params.yaml."""
    entry = read_yaml(root / "dvc.yaml")["stages"][stage]
    variants = list(read_yaml(root / "params.yaml")[f"{stage}_variants"]) if "foreach" in entry else [""]
    entry = entry.get("do", entry)
    paths = [*entry.get("outs", []), *entry.get("metrics", [])]
    return [path.replace("${key}", variant) for variant in variants for path in paths]


def make(path: Path) -> None:
    """A stand-in output: a folder with a file, or a file."""
    if path.exists():
        return
    if path.suffix:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path.name}\n")
    else:
        path.mkdir(parents=True)
        (path / "part").write_text(f"{path.name}\n")


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "project", symlinks=True)
    return tmp_path / "project"


def running(plan: list[StageForecast]) -> set[str]:
    return {one.stage for one in plan if one.will_run is not WillRun.NO}


def why(plan: list[StageForecast], stage: str) -> list[str]:
    return [
        reason.text
        for one in plan
        if one.stage == stage
        for reason in one.reasons
        if reason.cause is not RerunCause.ABOVE
    ]


def reaches_the_prompt(root: Path, stage: str) -> bool:
    path = root / "data/fingerprints" / f"{stage.partition('@')[0]}.json"
    return path.exists() and "reasrm.judging.chain_of_rubrics" in json.loads(path.read_text())["modules"]


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    text = path.read_text()
    assert change(text) != text
    path.write_text(change(text))


def test_when_all_has_run_nothing_would(project: Path) -> None:
    assert running(make_plan(project)) == set()


def test_a_learning_rate_reruns_its_stage_and_what_is_below_and_is_told_with_both_values(project: Path) -> None:
    pipeline = read_pipeline(project)
    before = read_yaml(project / "params.yaml")["grpo"]["learning_rate"]
    change_params(project, grpo={"learning_rate": 0.0123})
    plan = make_plan(project)
    assert running(plan) == pipeline.below(pipeline.matching(["grpo"]))
    assert why(plan, "grpo@full") == [f"params grpo.learning_rate {before} -> 0.0123"]
    assert why(plan, "judge@grpo-full") == []


def test_a_variants_parameter_reruns_that_variant_alone(project: Path) -> None:
    pipeline = read_pipeline(project)
    change_params(project, grpo_variants={"cold_start": {"prompt_variant": "rubrics"}})
    assert running(make_plan(project)) == pipeline.below(["grpo@cold_start"])


def test_a_comment_anywhere_reruns_only_the_fingerprints(project: Path) -> None:
    for path in (project / "stages").rglob("*.py"):
        rewrite(path, lambda text: text + "\n# a comment\n")
    plan = make_plan(project)
    assert running(plan) == {"fingerprint"}
    assert why(plan, "fingerprint") == ["stages changed"]


def test_a_word_of_the_prompt_is_the_reason_of_each_stage_that_reaches_it(project: Path) -> None:
    rewrite(project / "reasrm/judging/chain_of_rubrics.py", lambda text: text.replace("one serves", "one helps"))
    plan = make_plan(project)
    told = {one.stage for one in plan if why(plan, one.stage) == ["reasrm.judging.chain_of_rubrics changed"]}
    assert told == {name for name in read_pipeline(project).stages if reaches_the_prompt(project, name)}
    assert {"distill_traces@first", "grpo@full", "judge@base"} <= told
    assert "collect_benchmarks" not in running(plan)


def test_data_that_no_stage_makes_is_named(project: Path) -> None:
    rewrite(project / "data/raw/README.md", lambda text: text + "more\n")
    plan = make_plan(project)
    assert why(plan, "collect_benchmarks") == ["data data/raw changed"]


def test_a_missing_output_is_named_and_only_what_is_below_it_may_run(project: Path) -> None:
    pipeline = read_pipeline(project)
    shutil.rmtree(project / "data/checkpoints/sft")
    plan = make_plan(project)
    assert why(plan, "sft") == ["no output yet: data/checkpoints/sft"]
    assert running(plan) == pipeline.below(["sft"])


def test_the_plan_changes_nothing(project: Path) -> None:
    rewrite(project / "reasrm/judging/verdict.py", lambda text: text + "\nNEW = 1\n")

    def files() -> dict[str, int]:
        found = [path for path in project.rglob("*") if path.is_file() and ".dvc/tmp" not in str(path)]
        return {str(path): path.stat().st_mtime_ns for path in found if "__pycache__" not in str(path)}

    before = files()
    make_plan(project)
    after = files()
    assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} <= {
        str(project / "work/locks/fingerprint.lock")
    }


def test_the_command_says_what_would_run_and_why(project: Path) -> None:
    pipeline = read_pipeline(project)
    change_params(project, grpo={"learning_rate": 0.0123})
    command = [sys.executable, "-m", "reasrm.cli", "plan"]
    told = [
        subprocess.run([*command, *words], cwd=project, env=environment(), capture_output=True, text=True, check=True)
        for words in (["--json"], ["--to", "grpo@full"], ["--to", "sft"])
    ]
    document = json.loads(told[0].stdout)
    # the report shows all settings, so it follows every section
    assert {one["stage"] for one in document["stages"] if one["runs"] == "yes"} == pipeline.matching(["grpo", "report"])
    assert {one["stage"] for one in document["stages"] if one["runs"] != "no"} == pipeline.below(
        ["grpo@full", "grpo@cold_start", "grpo@cold_start_rubrics", "grpo@cold_start_rubrics_qc"]
    )
    assert "grpo.learning_rate" in told[1].stdout
    assert "0.0123" in told[1].stdout
    assert "judge" not in told[1].stdout
    assert "Nothing to run" in told[2].stdout


def test_the_command_says_whether_each_stage_fits_a_described_device(project: Path) -> None:
    def plan(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "reasrm.cli", "plan", *words]
        return subprocess.run(command, cwd=project, env=environment(), capture_output=True, text=True, check=False)

    assert json.loads(plan("--json").stdout)["preflight"] is None  # nothing would run
    large = plan("--device", "24gb:2", "--model", "Qwen/Qwen2.5-32B-Instruct", "--must-fit", "--json")
    assert large.returncode == 1
    found = json.loads(large.stdout)["preflight"]
    assert found["model"]["parameters"] == 32_763_876_352
    assert {one["stage"]: one["fits"] for one in found["stages"] if one["memory"]}["sft"] is False
    small = plan("--device", "cpu-8gb", "--must-fit")
    assert small.returncode == 0, small.stderr
    assert "too much" not in small.stdout
    (project / "data/raw/config.json").write_text('{"model_type": "mamba"}')
    unknown = plan("--model", "data/raw")
    assert (unknown.returncode, "model_type `mamba`" in unknown.stderr) == (1, True)
    wrong = plan("--device", "gtx9000")
    assert (wrong.returncode, "h100-80gb:8" in wrong.stderr) == (2, True)


def test_a_model_of_unknown_shape_keeps_nobody_from_the_plan(project: Path) -> None:
    stages = [StageForecast("sft", WillRun.YES, ())]
    change_params(project, base_model={"source": "hub", "model": "someone/mystery"})
    found, why = preflight_of(project, stages, PreflightRequest())
    assert (found, "someone/mystery" in why) == (None, True)
    with pytest.raises(FlowError, match="someone/mystery"):
        preflight_of(project, stages, PreflightRequest(), required=True)
