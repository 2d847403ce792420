"""Revisions and licences: as they are written down, and as they are found again in a run's outputs."""

import json
from pathlib import Path

import pytest

from reasrm.datasets.hub import HubData, licence_of_card, origin, read_revisions, write_revision
from reasrm.datasets.origins import NOT_KNOWN, DataOrigin, OriginOf, as_written, read_origins
from reasrm.records.jsonl import BadRecordError
from reasrm.runtime.outputs import write_json
from reasrm.runtime.stage_main import StageError

SHA = "0123456789abcdef" * 2 + "01234567"
SET = HubData("some/set", ("*.jsonl",))
MIT = DataOrigin(name="some/set", revision=SHA, licence="mit")


def test_a_revision_by_hand_is_enough_and_what_the_card_says_stays(tmp_path: Path) -> None:
    file = tmp_path / "revisions.json"
    assert origin(SET, file) == DataOrigin(name="some/set", revision=NOT_KNOWN, licence=NOT_KNOWN)
    write_json(file, {"some/set": SHA})
    assert read_revisions(file) == {"some/set": SHA}
    write_revision(file, "some/set", SHA, "mit")
    assert origin(SET, file) == MIT
    write_revision(file, "some/set", SHA, NOT_KNOWN)  # offline, without the card
    assert origin(SET, file) == MIT


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlanguage:\n- en\nlicense: mit\n---\n# Card", "mit"),
        ("---\nlicense: other\nlicense_name: vezora\n---\n", "other, vezora"),
        ("---\nlicense: [cc-by-4.0, mit]\n---", "cc-by-4.0, mit"),
        ("---\ndataset_info: {}\n---\n", "not stated"),
        ("# A card without a head\n---\nlicense: mit\n---", "not stated"),
        ("---\nlicense: [unclosed\n---\n", "not stated"),
        (None, "not known"),
    ],
)
def test_the_licence_is_what_the_head_of_the_card_says(tmp_path: Path, card: str | None, licence: str) -> None:
    if card is not None:
        (tmp_path / "README.md").write_text(card, encoding="utf-8")
    assert licence_of_card(tmp_path / "README.md") == licence


@pytest.mark.parametrize("written", ["main", SHA[:12], 7, {"licence": "mit"}, SHA.upper()])
def test_what_may_move_is_no_revision(tmp_path: Path, written: object) -> None:
    (tmp_path / "revisions.json").write_text(json.dumps({"some/set": written}), encoding="utf-8")
    with pytest.raises(StageError, match=r"revisions\.json: `some/set` must name a full commit hash"):
        read_revisions(tmp_path / "revisions.json")


def test_the_outputs_say_where_they_are_from(tmp_path: Path) -> None:
    assert read_origins(tmp_path) == {}
    assert as_written(()) == {}
    write_json(tmp_path / "pairs/funnel.json", {"rows_in": 1, **as_written((MIT,))})
    write_json(tmp_path / "benchmarks/completeness.json", {"rmb": as_written((MIT,)), "own": {"source": "files"}})
    assert read_origins(tmp_path) == {OriginOf.BENCHMARK: (MIT,), OriginOf.PAIRS: (MIT,)}
    write_json(tmp_path / "traces/first.metrics.json", {"origins": [{"name": "x"}]})
    with pytest.raises(BadRecordError, match=r"first\.metrics\.json: `origins`"):
        read_origins(tmp_path)
