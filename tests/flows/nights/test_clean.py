"""`reasrm clean`: which folders go, what never goes, and that nothing goes under a process that works."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.nights.clean import clean, old_folders
from flows.running.pipeline_run import RUN_LOCK
from flows.running.stage_outcome import BusyError
from reasrm.runtime.process_lock import hold
from reasrm.runtime.yaml_files import read_yaml, write_yaml
from tests.flows.toy_nights import BETTER, JUDGE, WORSE, git, make_nights_project, set_skill
from tests.flows.toy_project import environment


def resume_folder(root: Path, stage: str, key: str, age: float) -> Path:
    """A folder as `reasrm.runtime.work_folder` makes it, last changed `age` seconds ago."""
    folder = root / "work" / stage / f"{key:0>16}"
    folder.mkdir(parents=True)
    (folder / "checkpoint.bin").write_bytes(b"weights")
    for path in (folder / "checkpoint.bin", folder):
        os.utime(path, (2e9 - age, 2e9 - age))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for stage, keys in (("grpo-full", "abc"), ("sft", "d")):
        for age, key in enumerate(keys):
            resume_folder(tmp_path, stage, key, age)
    for kept in ("work/grpo-full/curves/x.tsv", "work/logs/sft.log", "work/ablations/table2/x", "ledgers/first.jsonl"):
        (tmp_path / kept).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / kept).write_text("kept\n")
    return tmp_path


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.suffix != ".lock"}


@pytest.mark.parametrize(("keep", "gone"), [(3, ""), (2, "c"), (1, "bc"), (0, "abcd")])
def test_the_newest_of_each_stage_stay_and_all_else_is_left_alone(root: Path, keep: int, gone: str) -> None:
    before = files(root)
    would = clean(root, keep, dry_run=True)
    assert files(root) == before
    assert clean(root, keep, dry_run=False) == would
    assert {one.path.name.strip("0") for one in would} == set(gone)
    assert all(one.bytes == len(b"weights") for one in would)
    assert before - files(root) == {str(one.path.relative_to(root) / "checkpoint.bin") for one in would}


def test_a_link_is_never_followed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    resume_folder(elsewhere, "policy", "f", 0)
    (root / "work/policy").symlink_to(elsewhere / "work/policy")
    (root / "work/sft" / f"{'e':0>16}").symlink_to(elsewhere / "work/policy" / f"{'f':0>16}")
    assert all("policy" not in str(one.path) and one.path.name.strip("0") != "e" for one in old_folders(root, 0))


@pytest.mark.parametrize("lock", [str(RUN_LOCK), "work/locks/grpo-full.lock", "work/locks/score.lock"])
def test_nothing_goes_while_a_run_or_a_stage_is_alive(root: Path, lock: str) -> None:
    before = files(root)
    program = (
        "import sys; from pathlib import Path; from reasrm.runtime.process_lock import hold\n"
        "with hold(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(root / lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(BusyError, match=f"process {other.pid}"):
        clean(root, 0, dry_run=False)
    assert files(root) == before
    other.communicate()
    assert clean(root, 0, dry_run=False)


def test_what_checkouts_share_is_cleaned_too_but_not_under_one_that_trains(
    root: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path_factory.mktemp("shared")
    folders = [resume_folder(shared, "grpo-full", key, age) for age, key in ((-1, "1"), (10, "2"), (11, "3"))]
    for folder in folders:
        (shared / "work" / "grpo-full" / f"{folder.name}.lock").write_text("")
    monkeypatch.setenv("REASRM_WORK", str(shared / "work"))
    with hold(folders[1].with_suffix(".lock")):
        gone = clean(root, 1, dry_run=False)
    assert {one.path.name.strip("0") for one in gone} == {"a", "b", "c", "3"}, "the newest of the stage is a shared one"
    assert [folder.is_dir() for folder in folders] == [True, True, False]
    assert {one.path for one in clean(root, 1, dry_run=False)} == {folders[1]}


def test_a_night_cleans_under_its_own_lock(root: Path) -> None:
    with hold(root / "work/locks/night.lock"):
        assert len(clean(root, 1, dry_run=False)) == 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_cache_keeps_workspace_tags_and_champion(tmp_path: Path, server_port: int) -> None:
    project = make_nights_project(tmp_path)

    def reasrm(*words: str) -> subprocess.CompletedProcess[str]:
        surroundings = environment() | {"PREFECT_SERVER_API_PORT": str(server_port)}
        command = [sys.executable, "-m", "reasrm.cli", *words]
        return subprocess.run(command, cwd=project, env=surroundings, capture_output=True, text=True, check=False)

    def cached() -> set[str]:
        return {path.parent.name + path.name for path in (project / ".dvc/cache/files/md5").glob("*/*")}

    assert reasrm("run").returncode == 0
    assert reasrm("promote", JUDGE).returncode == 0
    champion = json.loads((project / "champion.json").read_text())["judgments"]["md5"]
    for skill in (WORSE, BETTER):
        set_skill(project, skill)
        assert reasrm("run", "--to", f"judge@{JUDGE}").returncode == 0

    before = cached()
    done = reasrm("clean", "--cache")
    assert done.returncode == 1
    assert f"data/judgments/{JUDGE} ({champion})" in done.stderr
    assert "so the champion would be lost" in done.stderr
    assert cached() == before

    lock = (project / "dvc.lock").read_text()
    git(project, "add", "dvc.lock")
    git(project, "commit", "-q", "-m", "present")
    set_skill(project, 0.6)
    assert reasrm("run", "--to", f"judge@{JUDGE}").returncode == 0
    git(project, "commit", "-q", "-m", "champion's", "dvc.lock")
    git(project, "tag", "night-1")
    set_skill(project, BETTER)
    assert reasrm("run").returncode == 0

    shutil.copytree(project / "data", tmp_path / "data")
    done = reasrm("clean", "--cache", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "would remove 2 objects of DVC's cache" in done.stdout
    assert cached() == before | cached()
    everything = cached()
    done = reasrm("clean", "--cache")
    assert done.returncode == 0, done.stderr
    assert len(everything - cached()) == 2, "the worse judgments and their folder are in no tag"
    assert champion in cached()
    assert all(one in cached() for one in _judgments(lock))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_cache_keeps_a_champion_that_no_stage_makes_any_more(tmp_path: Path, server_port: int) -> None:
    """dvc.lock still has its hashes: of a variant that is gone, and as what the judge once read."""
    project = make_nights_project(tmp_path)
    cache = project / ".dvc/cache/files/md5"

    def reasrm(*words: str) -> subprocess.CompletedProcess[str]:
        surroundings = environment() | {"PREFECT_SERVER_API_PORT": str(server_port)}
        command = [sys.executable, "-m", "reasrm.cli", *words]
        return subprocess.run(command, cwd=project, env=surroundings, capture_output=True, text=True, check=False)

    assert reasrm("run").returncode == 0
    assert reasrm("promote", JUDGE).returncode == 0
    champion = json.loads((project / "champion.json").read_text())
    params = read_yaml(project / "params.yaml")
    write_yaml(project / "params.yaml", params | {"judge_variants": {"other": params["judge_variants"][JUDGE]}})
    before = sorted(cache.glob("*/*"))
    done = reasrm("clean", "--cache")
    assert done.returncode == 1, done.stdout
    assert f"data/judgments/{JUDGE} ({champion['judgments']['md5']}), which no stage makes any more" in done.stderr
    assert sorted(cache.glob("*/*")) == before

    write_yaml(project / "params.yaml", params | {"train": {"seed": 5, "steps": 2}})
    assert reasrm("run", "--to", "train").returncode == 0
    assert champion["checkpoint"]["md5"] in (project / "dvc.lock").read_text(), "as what was judged"
    before = sorted(cache.glob("*/*"))
    for option in ("--dry-run", "--cache"):
        done = reasrm("clean", "--cache", option)
        assert done.returncode == 1, done.stdout
        assert f"names data/checkpoint ({champion['checkpoint']['md5']}), which" in done.stderr
        assert sorted(cache.glob("*/*")) == before


def _judgments(lock: str) -> list[str]:
    """The hash of the judgments in the text of a dvc.lock."""
    from flows.nights.stored_outputs import Lock

    found = Lock(lock).output(f"data/judgments/{JUDGE}")
    assert found is not None
    return [found.md5]
