"""`reasrm probe`: a served judge is probed over HTTP, resumed, kept within a budget; recorded replies need no judge."""

import json
from pathlib import Path
from typing import Any

import pytest

from reasrm.commands.named_judge import NamedJudge
from reasrm.probes.measures_file import MEASURES, read_measures
from reasrm.probes.measuring.question_values import QUESTION_VALUES, read_question_values
from reasrm.records.jsonl import read_records
from reasrm.records.judgment import Judgment
from reasrm.records.probe_row import ProbeRow
from reasrm.runtime.stage_main import ExitCode
from tests.fixtures.command_line import reasrm
from tests.fixtures.judge_server import Habit, first_is_best, honest, judge_server, served_file

PAIRS = 6
PLAIN, DRAWN = 2 * PAIRS, 3 * PAIRS
"""What the order probe needs: both orders of each pair, and three draws of each."""
ONE_DRAW = {"repeat_rate": 0, "net_flip_rate": 0}
"""Of a judge that never changes its mind."""


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Pairs in three formats, and a row that is none."""
    rows: list[dict[str, Any]] = [
        {"prompt": f"Which is {number}?", "chosen": f"the right {number}", "rejected": f"the other {number}"}
        for number in range(PAIRS - 2)
    ]
    rows.append({"question": "Which of Orca's?", "chosen": "the right one", "rejected": "the other"})
    asked = {"role": "user", "content": "Which of the turns?"}
    answers = {"chosen": "the right turn", "rejected": "the other turn"}
    rows.append({side: [asked, {"role": "assistant", "content": text}] for side, text in answers.items()})
    rows.append({"prompt": "Which is none?", "chosen": "alone"})
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


class Service:
    """What befalls the requests to a served judge: it counts replies, and fails after a number of them."""

    def __init__(self, replies: int = 10**9) -> None:
        self.left = replies
        self.replied = 0

    def fault(self, _: str, __: dict[str, Any]) -> tuple[int, str] | None:
        """As `judge_server` takes it."""
        if not self.left:
            return 503, "no"
        self.left -= 1
        self.replied += 1
        return None


def probed(folder: Path, habit: Habit, service: Service, *arguments: str) -> int:
    with judge_server(habit, service.fault) as url:
        return reasrm("probe", "--suite", "order", "--served", str(served_file(folder, url)), *arguments)


def figures(file: Path) -> dict[str, float]:
    return {one.name: one.value for one in read_measures(file).probes["order"].measures}


@pytest.mark.parametrize(
    ("habit", "expected"),
    [
        (first_is_best, {"consistent_accuracy": 0, "flip_rate": 1, "picked_a": 1} | ONE_DRAW | {"net_flip_rate": 1}),
        (honest, {"consistent_accuracy": 1, "flip_rate": 0, "picked_a": 0.5} | ONE_DRAW),
        (
            first_is_best,
            {"consistent_accuracy": 0, "flip_rate": 1, "picked_a": 1, "repeat_rate": 0, "net_flip_rate": 1},
        ),
    ],
)
def test_a_served_judge_is_told_by_what_it_does(
    tmp_path: Path, pairs: Path, habit: Habit, expected: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    out, service = tmp_path / "probed", Service()
    assert probed(tmp_path, habit, service, "--items", str(pairs), "--out", str(out)) == ExitCode.DONE
    assert service.replied == PLAIN + DRAWN
    assert figures(out / MEASURES) == expected
    printed = capsys.readouterr()
    assert f"{PAIRS} questions, {PLAIN} plain judgments; probes asked {DRAWN} judgments" in printed.out
    assert "1 row left out, no pair; the first: row 7" in printed.err
    assert len(list(read_records(out / "judgments.jsonl", Judgment))) == PLAIN
    assert len(list(read_records(out / "order.jsonl", ProbeRow))) == DRAWN
    assert len(read_question_values(out / QUESTION_VALUES).questions) == PAIRS


def test_a_run_that_was_stopped_goes_on_and_asks_nothing_twice(tmp_path: Path, pairs: Path) -> None:
    out, service = tmp_path / "probed", Service(PLAIN + 4)
    with judge_server(honest, service.fault) as url:
        command = ("probe", "--suite", "order", "--served", str(served_file(tmp_path, url)), "--items", str(pairs))
        assert reasrm(*command, "--out", str(out)) == ExitCode.STOPPED_RESUMABLE
        assert service.replied == PLAIN + 4
        assert not out.exists()
        service.left = 10**9
        for _ in range(2):
            assert reasrm(*command, "--out", str(out)) == ExitCode.DONE
            assert service.replied == PLAIN + DRAWN
    assert figures(out / MEASURES)["consistent_accuracy"] == 1


def test_what_it_takes_is_known_and_kept_to_before_anything_is_asked(
    tmp_path: Path, pairs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service, file = Service(), str(pairs)
    assert probed(tmp_path, honest, service, "--items", file, "--plan", "--json") == ExitCode.DONE
    plan = json.loads(capsys.readouterr().out)
    assert plan["probes"] == {"order": DRAWN}
    assert [plan[name] for name in ("pairs", "questions", "plain", "total", "ratio")] == [PAIRS, PAIRS, PLAIN, 30, 1.5]
    assert probed(tmp_path, honest, service, "--items", file, "--budget", "29") == ExitCode.USAGE
    assert "ask up to 30 judgments (12 plain, 18 of probes), more than --budget 29: --questions 5 fits" in (
        capsys.readouterr().err
    )
    assert probed(tmp_path, honest, service, "--items", file, "--budget", "4") == ExitCode.USAGE
    assert "not even one question fits" in capsys.readouterr().err
    assert service.replied == 0
    assert probed(tmp_path, honest, service, "--items", file, "--questions", "2", "--budget", "10") == ExitCode.DONE
    assert service.replied == 10


def test_an_interrupted_run_says_what_it_leaves(
    tmp_path: Path, pairs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the judge is being opened, before anything was asked: no file of replies is named."""

    def interrupted(_: NamedJudge) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "probed"
    with monkeypatch.context() as patched:
        patched.setattr(NamedJudge, "open_judge", interrupted)
        assert probed(tmp_path, honest, Service(), "--items", str(pairs), "--out", str(out)) == ExitCode.INTERRUPTED
    assert "interrupted; nothing had been asked" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.replies.jsonl"))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "give --items FILE, or --recorded PATH"),
        (["--recorded", "log"], 2, "--recorded and --format go together"),
        (["--recorded", "log", "--format", "rm_r1", "--model", "m"], 2, "need no judge"),
        (["--recorded", "log", "--format", "rm_r1", "--questions", "3"], 2, "leave --questions, --budget and --plan"),
        (["--recorded", "log", "--format", "rm_r1", "--items", "f"], 2, "only where --format is reasrm"),
        (["--recorded", "log", "--format", "rm_r1"], 1, "log: there is no such file or folder"),
        (["--items", "PAIRS", "--out", "PAIRS"], 2, "--out is a file or a device"),
        (["--items", "PAIRS", "--out", "."], 2, "--out is the folder that you are in, or one around it"),
        (["--items", "PAIRS", "--out", ""], 2, "--out is the folder that you are in, or one around it"),
        (["--items", "PAIRS", "--out", "/"], 2, "--out is the folder that you are in, or one around it"),
        (["--items", "."], 1, "is no file (a folder, a pipe or a device)"),
        (["--items", "PAIRS", "--resamples", "99"], 2, "100"),
        (["--items", "PAIRS", "--suite", "order,charm"], 1, "'charm' is no probe; there are all, order"),
        (["--items", "nowhere.jsonl"], 1, "nowhere.jsonl: there is no such file"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    pairs: Path,
    arguments: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(pairs.parent)
    assert reasrm("probe", *(str(pairs) if word == "PAIRS" else word for word in arguments)) == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert not printed.out


@pytest.mark.parametrize(
    ("holds", "named"),
    [
        (("probes/sft/measures.json", "checkpoints/sft/model.safetensors"), "data"),
        (("measures.json", "judgments.jsonl", "notes.txt"), "noted"),
        (("measures.json", "order.jsonl", "question_values.json"), "data/probes/sft"),
        (("measures.json", "judgments.jsonl", "GPT-4/measures.json"), "logs"),
    ],
)
def test_nothing_is_deleted_but_results_of_its_own(
    tmp_path: Path, pairs: Path, holds: tuple[str, ...], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A project's data, a model's folder of the pipeline, notes beside results: all stay, and nobody is asked."""
    out, service = tmp_path / named, Service()
    for name in holds:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("{}", encoding="utf-8")
    assert probed(tmp_path, honest, service, "--items", str(pairs), "--out", str(out)) == ExitCode.USAGE
    assert "holds something else than the results of an earlier" in capsys.readouterr().err
    assert not service.replied
    assert sorted(str(file.relative_to(out)) for file in out.rglob("*") if file.is_file()) == sorted(holds)


def test_a_link_to_a_folder_of_results_is_followed(tmp_path: Path, pairs: Path) -> None:
    link, folder = tmp_path / "link", tmp_path / "folder"
    link.symlink_to(folder)
    for _ in range(2):
        assert probed(tmp_path, honest, Service(), "--items", str(pairs), "--out", str(link)) == ExitCode.DONE
    assert link.is_symlink()
    assert figures(folder / MEASURES)["consistent_accuracy"] == 1
    assert (tmp_path / "folder.replies.jsonl").exists()


def test_pairs_of_the_same_answers_and_of_one_conversation_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No verdict on two answers that are the same is right; several pairs of one conversation are one question."""
    rows = [{"prompt": "Which?", "chosen": "the right one", "rejected": other} for other in ("one", "two")]
    rows.append({"prompt": "Which else?", "chosen": "the right one", "rejected": "the right one"})
    file = tmp_path / "few.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert probed(tmp_path, honest, Service(), "--items", str(file)) == ExitCode.DONE
    said = capsys.readouterr().err
    assert "1 row left out, no pair; the first: row 3: both answers are the same" in said
    assert "2 pairs of 1 different conversations; one pair of each is asked about" in said


def log_of(file: Path, *models: str) -> Path:
    """A log of some judges that judge the same conversation twice, with other answers, each in one order."""

    def turns(answer: str) -> list[dict[str, str]]:
        return [{"role": "user", "content": "Which?"}, {"role": "assistant", "content": answer}]

    rows = [
        {"benchmark": "reward_bench", "chosen": turns(f"right {number}"), "rejected": turns("wrong"), "result": 1}
        | {"model": model, "id": number, "chosen_in_b": in_b, "output": f"<answer>[[{'B' if in_b else 'A'}]]</answer>"}
        for model in models
        for number, in_b in enumerate((False, True))
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def test_recorded_replies_are_probed_without_a_judge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One order of each: nothing is known of flips, but of what was chosen. No two judges share a folder."""
    judges = ("../one", "two", "a b", "a/b", "A_b")
    log, out = log_of(tmp_path / "log.jsonl", *judges), tmp_path / "probed"
    command = ("probe", "--recorded", str(log), "--format", "rm_r1", "--out", str(out), "--json")
    for _ in range(2):
        assert reasrm(*command) == ExitCode.DONE
        found = json.loads(capsys.readouterr().out)
    assert set(found) == set(judges)
    assert {one["questions"] for one in found.values()} == {1}
    kept = {read_measures(file).judge["recorded"]: file.parent.name for file in out.glob("*/measures.json")}
    assert set(kept) == set(judges)
    assert (kept["../one"], kept["two"]) == ("_one", "two")
    assert [file.name for file in tmp_path.iterdir() if file.is_dir()] == ["probed"]


def test_a_folder_below_that_of_recorded_judges_is_not_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, notes = log_of(tmp_path / "log.jsonl", "judge"), tmp_path / "probed" / "judge" / "notes.txt"
    notes.parent.mkdir(parents=True)
    notes.touch()
    command = ("probe", "--recorded", str(log), "--format", "rm_r1", "--out", str(tmp_path / "probed"))
    assert reasrm(*command) == ExitCode.USAGE
    assert "holds something else" in capsys.readouterr().err
    assert notes.exists()
