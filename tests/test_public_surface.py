"""What `import reasrm` gives: every name that the README uses, and nothing heavy before its use."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import reasrm
from tests.fixtures.judge_server import judge_server
from tests.scoring.outcome_sets import reward_bench, rm_bench, write_rows

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
SERVED = "http://127.0.0.1:8000/v1"
EXPECTED = ("A\n2 + 2 = 4. <answer>[[A]]</answer>", "1.0 [", "Verdict(side=<Side.A")
"""What each snippet prints here."""


def test_each_snippet_of_the_readme_is_tested() -> None:
    assert len(SNIPPETS) == len(EXPECTED)


def test_every_public_name_is_there() -> None:
    assert sorted(dir(reasrm)) == sorted(reasrm.__all__)
    for name in reasrm.__all__:
        assert getattr(reasrm, name).__doc__


def test_another_name_is_refused_by_the_names_that_there_are() -> None:
    with pytest.raises(AttributeError, match=r"it has Comparison, .*score"):
        _ = reasrm.nothing_of_this_name


@pytest.mark.parametrize("used", ["", "; reasrm.score; reasrm.compare; reasrm.read_verdict", "; reasrm.judge"])
def test_the_core_loads_no_model_library(used: str) -> None:
    program = f"import sys, reasrm{used}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    heavy = {"torch", "transformers", "trl", "vllm", "prefect", "dvc", "datasets", "matplotlib"}
    assert not heavy & set(loaded.stdout.split())


def right_is_four(answers: dict[reasrm.Side, str]) -> str:
    side = next(side for side, text in answers.items() if "4" in text)
    return f"2 + 2 = 4. <answer>[[{side}]]</answer>"


@pytest.mark.parametrize("number", range(len(EXPECTED)))
def test_the_readmes_snippets_run(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As they stand there, but for the address of the served model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    write_rows(tmp_path / "outcomes.jsonl", ({**row, "correct": 1} for row in rm_bench()))
    write_rows(tmp_path / "mine.jsonl", ({**row, "correct": 1} for row in reward_bench()))
    write_rows(tmp_path / "theirs.jsonl", ({**row, "correct": int(row["id"] > 0)} for row in reward_bench()))
    with judge_server(right_is_four) as url:
        exec(compile(SNIPPETS[number].replace(SERVED, url), f"README snippet {number + 1}", "exec"), {})
    said = capsys.readouterr().out
    assert EXPECTED[number] in said
