"""Which pairs a training learns from: those of the purposes that its settings name, dev never."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from reasrm.records.jsonl import write_records
from reasrm.records.pair import Message, PreferencePair, Purpose, Role
from reasrm.runtime.stage_main import StageError
from reasrm.training.training_pairs import TrainingPairs, pair_files, read_pairs

DISTILL, REINFORCE = Purpose.DISTILL, Purpose.REINFORCE


def pair(question: str) -> PreferencePair:
    return PreferencePair(
        prompt=(Message(role=Role.USER, content=question),), chosen="yes", rejected="no", source="test"
    )


def test_the_pairs_are_those_of_the_named_purposes_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for purpose, questions in {"distill": ["a", "b"], "reinforce": ["c"], "dev": ["d"]}.items():
        write_records(Path(f"data/pairs/{purpose}.jsonl"), map(pair, questions))
    assert [one.question for one in read_pairs([DISTILL, REINFORCE])] == ["a", "b", "c"]
    assert [one.question for one in read_pairs([REINFORCE])] == ["c"]
    assert pair_files([REINFORCE]) == (Path("data/pairs/reinforce.jsonl"),)


def test_files_without_a_pair_are_refused_unless_another_has_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_records(Path("data/pairs/distill.jsonl"), [])
    write_records(Path("data/pairs/reinforce.jsonl"), [pair("c")])
    assert len(read_pairs([DISTILL, REINFORCE])) == 1
    with pytest.raises(StageError, match=r"no pair to train on: data/pairs/distill\.jsonl .* gives distill none"):
        read_pairs([DISTILL])


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ([], "no purpose is named"),
        (["distil"], "'distill', 'reinforce'"),
        (["distill", "distill"], "named twice"),
        (["distill", "dev"], "nothing is trained on dev pairs"),
    ],
)
def test_wrong_purposes_are_refused(named: list[str], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        TypeAdapter(TrainingPairs).validate_python(named)
