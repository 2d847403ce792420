"""What `import reasrm` gives: every name that README and docs use, and nothing heavy before its use."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import reasrm
from reasrm.datasets.origins import DataOrigin, as_written
from reasrm.records.jsonl import write_records
from reasrm.records.pair import Role
from reasrm.runtime.outputs import write_json
from tests.fixtures.judge_server import judge_server
from tests.scoring.outcome_sets import reward_bench, rm_bench, write_rows

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/python.md")
SERVED = "http://127.0.0.1:8000/v1"
EXPECTED = {
    "README.md": ("A\n2 + 2 = 4. <answer>[[A]]</answer>", "1.0 [", "Verdict(side=<Side.A"),
    "docs/python.md": (
        "A True\nA A ",
        "A \nB \n",
        "True\nTrue\n",
        "1.0 [",
        "0.33333333333333337 [",
        "B\nno verdict: only_quoted\n",
        "sum | two and two | 4\n",
        "pairs | some/set | not known | mit\n",
    ),
}
"""What each example of a page prints here."""


def examples(page: str) -> list[str]:
    """The Python examples of a page but those that `commands/test_judge_kinds.py` runs, one per kind of judge."""
    found = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    return [one for one in found if "judgment = judge_pair(" not in one]


@pytest.mark.parametrize("page", PAGES)
def test_each_example_is_tested(page: str) -> None:
    assert len(examples(page)) == len(EXPECTED[page])


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


@pytest.mark.parametrize(
    ("page", "number"), [(page, number) for page in PAGES for number in range(len(EXPECTED[page]))]
)
def test_the_examples_run(
    page: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As they stand there, but for the address of the served model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    write_rows(tmp_path / "outcomes.jsonl", ({**row, "correct": 1} for row in rm_bench()))
    write_rows(tmp_path / "mine.jsonl", ({**row, "correct": 1} for row in reward_bench()))
    write_rows(tmp_path / "theirs.jsonl", ({**row, "correct": int(row["id"] > 0)} for row in reward_bench()))
    (tmp_path / "data/pairs").mkdir(parents=True)
    question = (reasrm.Message(role=Role.USER, content="two and two"),)
    pair = reasrm.PreferencePair(prompt=question, chosen="4", rejected="5", source="sum")
    write_records(tmp_path / "data/pairs/distill.jsonl", [pair])
    published = DataOrigin(name="some/set", revision="not known", licence="mit")
    write_json(tmp_path / "data/pairs/funnel.json", as_written((published,)))
    with judge_server(right_is_four) as url:
        exec(compile(examples(page)[number].replace(SERVED, url), f"{page}, example {number + 1}", "exec"), {})
    assert EXPECTED[page][number] in capsys.readouterr().out
