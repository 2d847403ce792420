"""The wheel, installed into an empty environment, works outside of any clone; it holds the library and nothing else."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.fixtures.judge_server import judge_server
from tests.scoring.outcome_sets import rm_bench, write_rows

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of what git knows, so that nothing that merely lies about gets in."""
    folder = tmp_path_factory.mktemp("wheel")
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "source" / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*command, str(folder / "source")], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that holds the wheel and what it needs, at the locked versions."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    pip = [str(environment / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    locked = [line for line in (ROOT / "locks/cpu.txt").read_text().splitlines() if not line.startswith("torch==")]
    constraints = environment / "constraints.txt"
    constraints.write_text("\n".join(locked))
    subprocess.run([*pip, "-c", str(constraints), str(wheel)], check=True)
    return environment / "bin"


def run(program: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OPENAI"))}
    return subprocess.run(
        [str(program), *arguments], cwd=folder, env=surroundings, capture_output=True, text=True, check=False
    )


def test_it_holds_the_library_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"reasrm"}
    assert "reasrm/py.typed" in names
    assert "reasrm/reporting/templates/page.css" in names


def test_it_is_light(installed: Path, tmp_path: Path) -> None:
    listed = run(installed / "python", "-m", "pip", "list", "--format", "json", folder=tmp_path).stdout
    heavy = {"torch", "transformers", "trl", "vllm", "prefect", "dvc", "datasets", "matplotlib"}
    assert not heavy & {one["name"].lower() for one in json.loads(listed)}


def test_the_commands_are_there(installed: Path, tmp_path: Path) -> None:
    helped = run(installed / "reasrm", "--help", folder=tmp_path)
    assert helped.returncode == 0
    for command in ("judge", "probe", "score", "compare", "oracle", "fetch"):
        assert f" {command} " in helped.stdout
        assert run(installed / "reasrm", command, "--help", folder=tmp_path).returncode == 0
    assert " run " not in helped.stdout
    outside = run(installed / "reasrm", "run", folder=tmp_path)
    assert outside.returncode == 2
    assert "works in a clone" in outside.stderr


def test_outcomes_are_scored_and_compared(installed: Path, tmp_path: Path) -> None:
    file = write_rows(tmp_path / "outcomes.jsonl", ({**row, "correct": 1} for row in rm_bench()))
    scored = run(
        installed / "reasrm", "score", "--benchmark", "rm_bench", "--outcomes", str(file), "--json", folder=tmp_path
    )
    assert json.loads(scored.stdout)["score"] == 1.0, scored.stderr
    words = ("compare", str(file), str(file), "--benchmark", "rm_bench", "--json")
    compared = run(installed / "reasrm", *words, folder=tmp_path)
    assert compared.returncode == 0, compared.stderr
    program = f"import reasrm; print(reasrm.score('rm_bench', {str(file)!r})['score'])"
    assert run(installed / "python", "-c", program, folder=tmp_path).stdout.strip() == "1.0"


def test_a_served_model_judges(installed: Path, tmp_path: Path) -> None:
    with judge_server(
        lambda answers: f"<answer>[[{next(s for s, text in answers.items() if '4' in text)}]]</answer>"
    ) as url:
        words = ("--base-url", url, "--model", "m", "--prompt", "2 + 2?", "--a", "4", "--b", "5", "--json")
        judged = run(installed / "reasrm", "judge", *words, folder=tmp_path)
    assert judged.returncode == 0, judged.stderr
    assert json.loads(judged.stdout)["verdict"] == "A"


def test_a_served_model_is_probed(installed: Path, tmp_path: Path) -> None:
    row = {"prompt": "2 + 2?", "chosen": "4", "rejected": "5"}
    (tmp_path / "pairs.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    with judge_server(lambda answers: "<answer>[[A]]</answer>") as url:
        words = ("probe", "--items", "pairs.jsonl", "--base-url", url, "--model", "m", "--out", "probed", "--json")
        probed = run(installed / "reasrm", *words, folder=tmp_path)
    assert probed.returncode == 0, probed.stderr
    figures = {one["name"]: one["value"] for one in json.loads(probed.stdout)["probes"]["order"]["measures"]}
    assert figures["picked_a"] == figures["flip_rate"] == 1.0
    assert (tmp_path / "probed/measures.json").is_file()


def test_a_checkpoint_names_the_extra_that_it_needs(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").write_text("{}")
    words = ("judge", "--model", "model", "--prompt", "x", "--a", "y", "--b", "z")
    refused = run(installed / "reasrm", *words, folder=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.strip().endswith("pip install 'reasrm[local]'")
    assert "Traceback" not in refused.stderr
    program = "import reasrm; reasrm.judge('x', 'y', 'z', model='model')"
    assert "MissingExtraError" in run(installed / "python", "-c", program, folder=tmp_path).stderr
