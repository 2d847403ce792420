"""`reasrm doctor` shows where paid replies are kept, and which would be paid again."""

from pathlib import Path

import pytest

from flows.planning.doctor import Health, _kept


def test_the_places_and_what_is_not_in_them_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("REASRM_LEDGERS", "REASRM_WORK"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "ledgers").mkdir()
    for name in ("distill_traces-first.jsonl", "judge-base.jsonl"):
        (tmp_path / "ledgers" / name).write_text("{}\n")
    ledgers, work = _kept(tmp_path)
    assert ledgers.text.startswith(f"{tmp_path / 'ledgers'} (the checkout's own): 2 ledgers")
    assert work.text == f"{tmp_path / 'work'} (the checkout's own)"

    monkeypatch.setenv("REASRM_LEDGERS", str(tmp_path / "paid"))
    ledgers, note, _ = _kept(tmp_path)
    assert ledgers.text.startswith(f"{tmp_path / 'paid'} (REASRM_LEDGERS): 0 ledgers")
    assert note.health is Health.NOTE
    assert note.text.startswith("distill_traces-first.jsonl of ")

    monkeypatch.setenv("REASRM_LEDGERS", "paid")
    (refused,) = _kept(tmp_path)
    assert refused.health is Health.BAD


def test_an_experiment_names_its_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REASRM_LEDGERS", raising=False)
    ledgers, _ = _kept(tmp_path / ".dvc/tmp/exps/t")
    assert ledgers.text.startswith(f"{tmp_path / 'ledgers'} (the project's whose experiment this is)")
