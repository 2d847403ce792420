"""The card says what the pipeline left, shows texts of others as they are, and its code runs."""

from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st

from reasrm.publishing.card_facts import CardFacts, card_facts
from reasrm.publishing.lineage import checkpoint_names, lineage, read_lock
from reasrm.publishing.markdown import block, code, plain, table
from reasrm.publishing.model_card import model_card
from reasrm.publishing.project_state import ProjectState
from reasrm.runtime.stage_main import StageError
from tests.publishing.finished_project import write_project

CURRENT = ProjectState({}, scores_are_current=True, commit="c0ffee", has_edits=False, committed_on="2026-01-02")


@pytest.fixture(scope="module")
def project(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    write_project(root, checkpoint)
    return root


def facts(project: Path, state: ProjectState = CURRENT) -> CardFacts:
    return card_facts(project, "sft", lineage(read_lock(project), "sft"), state)


def test_the_lineage_is_what_a_checkpoint_was_made_from_and_no_more(project: Path) -> None:
    lock = read_lock(project)
    assert checkpoint_names(lock) == {"base": "base_model", "sft": "sft"}
    assert [one.name for one in lineage(lock, "sft")] == ["collect_pairs", "filter_traces", "base_model", "sft"]
    assert [one.name for one in lineage(lock, "base_model")] == ["base_model"]


def test_the_card_holds_figures_data_lineage_and_the_bases_licence(project: Path) -> None:
    text = model_card(facts(project), "", "float32")
    metadata = ModelCard(text).data.to_dict()
    assert metadata["license"] == "apache-2.0"
    assert metadata["base_model"] == "someone/chat"
    assert metadata["pipeline_tag"] == "text-generation"
    (result,) = metadata["model-index"][0]["results"]
    assert result["metrics"][0]["value"] == 0.8
    assert "| all questions, accuracy | 75.0 | 61.0 to 89.0 | 40 |" in text
    assert "`train.loss` | 0.25" in text
    assert "5 kept of 6" in text
    assert "Published from commit `c0ffee`, nothing uncommitted." in text
    for stage in facts(project).stages:
        for file in (*stage.inputs, *stage.outputs):
            assert f"| `{file.path}` | `{file.md5}` |" in text
    assert str(project) not in text


def test_names_of_others_break_neither_metadata_nor_markdown(project: Path) -> None:
    text = model_card(facts(project), "", "float32")
    assert "<script>" not in text
    assert "\u202e" not in text
    assert ModelCard(text).data.to_dict()["license"] == "apache-2.0"
    (row,) = [line for line in text.splitlines() if "alert" in line]
    assert row.replace(r"\|", "").count("|") == 5
    assert text.count("\n---\n") == 1


def test_what_was_changed_since_is_not_told_of_the_checkpoint(checkpoint: Path, tmp_path: Path) -> None:
    write_project(tmp_path, checkpoint)
    (tmp_path / "data/curves/sft/metrics.json").write_text("{}")
    (tmp_path / "data/pairs/funnel.json").write_text('{"by_source": {"brought-later": {}}}')
    stale = ProjectState({"sft": "changed"}, scores_are_current=False, commit="", has_edits=False, committed_on="")
    text = model_card(facts(tmp_path, stale), "mit", "bfloat16")
    assert "**Out of date when published.**" in text
    assert ModelCard(text).data.to_dict()["license"] == "mit"
    assert not any(part in text for part in ("brought", "train.loss", "75.0"))
    (tmp_path / "data/checkpoints/sft/generation_config.json").write_text("{}")
    with pytest.raises(StageError, match=r"data/checkpoints/sft is not what dvc\.lock says that sft wrote"):
        facts(tmp_path)


@given(st.text(max_size=60))
def test_any_text_stays_in_its_place(text: str) -> None:
    rows = table(["a", "b"], [[plain(text), code(text)]]).splitlines()
    assert len(rows) == 3
    assert rows[2].replace(r"\|", "").count("|") == 3
    lines = block(text).splitlines()
    assert lines[0] == lines[-1]
    assert lines.count(lines[0]) == 2
