"""Replies given again from a ledger: those of one judge, drawn in the same way, and of prompts that did not fit."""

import json
from pathlib import Path

import pytest

from reasrm.inference.engine import Engine, Prompt, Sampling
from reasrm.inference.prompt_run import ask_all, note_unasked
from reasrm.inference.replay_engine import ReplayEngine
from reasrm.inference.scripted_engine import ScriptedEngine
from reasrm.records.ledger import FINAL, Ledger
from reasrm.records.reply import Finish, Reply
from reasrm.runtime.progress import ProgressLine
from reasrm.runtime.stage_main import StageError
from tests.fixtures.tiny_prompts import sentence, user

PROMPTS = [Prompt(user(sentence(start, 4))) for start in range(6)]


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("ledgers/judge-gone.jsonl")


def says(text: str) -> ScriptedEngine:
    return ScriptedEngine(lambda _: text, text)


def ask(engine: Engine, prompts: list[Prompt], sampling: Sampling, path: Path) -> dict[str, Reply]:
    with Ledger(path) as ledger:
        return ask_all(engine, prompts, sampling, ledger, ProgressLine("test"))


def identity_of(engine: Engine) -> Path:
    file = Path("data/judgments/gone/identity.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"asked": 6, "engine": engine.identity()}), encoding="utf-8")
    return file


def test_the_only_judge_of_a_ledger_is_replayed(ledger: Path, greedy: Sampling) -> None:
    first = ask(says("yes"), PROMPTS, greedy, ledger)
    replay = ReplayEngine(ledger)
    assert replay.identity()["replayed"] == {"engine": "scripted", "script": "yes"}
    assert ask(replay, PROMPTS, greedy, Path("other.jsonl")) == first
    with pytest.raises(StageError, match=r"never asked.*other prompts"):
        list(replay.generate([Prompt(user("never asked"))], greedy))


def test_judges_of_one_name_are_never_mixed(ledger: Path, greedy: Sampling) -> None:
    """A checkpoint that was trained again, and killed half-way through its judging."""
    old, new = says("old"), says("new")
    ask(old, PROMPTS, greedy, ledger)
    ask(new, PROMPTS[:3], greedy, ledger)
    with pytest.raises(StageError, match=r"2 engines(.|\n)*old(.|\n)*new"):
        ReplayEngine(ledger)
    replayed = ask(ReplayEngine(identity_of(old)), PROMPTS, greedy, Path("other.jsonl"))
    assert {reply.text for reply in replayed.values()} == {"old"}
    with pytest.raises(StageError, match="other prompts"):
        ask(ReplayEngine(identity_of(new)), PROMPTS, greedy, Path("third.jsonl"))


def test_a_judge_that_was_never_asked_is_refused(ledger: Path, greedy: Sampling) -> None:
    ask(says("old"), PROMPTS, greedy, ledger)
    with pytest.raises(StageError, match=r"no replies of the engine(.|\n)*old"):
        ReplayEngine(identity_of(says("new")))
    broken = Path("data/judgments/gone/identity.json")
    broken.write_text("{}", encoding="utf-8")
    with pytest.raises(StageError, match=r"identity\.json"):
        ReplayEngine(broken)
    with pytest.raises(StageError, match="no ledger"):
        ReplayEngine(Path("absent.jsonl"))


def test_another_way_of_drawing_is_another_reply(ledger: Path, greedy: Sampling) -> None:
    ask(says("long"), PROMPTS, greedy, ledger)
    short = greedy.model_copy(update={"max_new_tokens": 2})
    with pytest.raises(
        StageError, match=r'with the sampling \{"max_new_tokens":2.*recorded are: \{"max_new_tokens":24'
    ):
        list(ReplayEngine(ledger).generate(PROMPTS, short))


def test_what_did_not_fit_does_not_fit_again(ledger: Path, greedy: Sampling) -> None:
    judge = says("yes")
    first = ask(judge, PROMPTS[:4], greedy, ledger)
    with Ledger(ledger) as kept:
        note_unasked(judge, PROMPTS[4:], Finish.TOO_LONG, greedy, kept)
        entries = len(kept)
        note_unasked(judge, PROMPTS[4:], Finish.TOO_LONG, greedy, kept)
        note_unasked(judge, [], Finish.TOO_LONG, greedy, kept)
        assert len(kept) == entries
    replayed = ask(ReplayEngine(ledger), PROMPTS, greedy, Path("other.jsonl"))
    assert {key: replayed[key] for key in first} == first
    assert [replayed[prompt.key].finish for prompt in PROMPTS[4:]] == [Finish.TOO_LONG] * 2


def test_a_ledger_that_names_no_engine_is_refused(ledger: Path) -> None:
    with Ledger(ledger) as kept:
        kept.append("00" * 32, FINAL, {"seed": 0, "prompts": [], "replies": []})
    with pytest.raises(StageError, match=r"line 1.*names no engine"):
        ReplayEngine(ledger)
