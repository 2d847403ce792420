"""A published model is copied without code, whole, and only at a pinned commit."""

from pathlib import Path

import pytest

from reasrm.training.published_model import NoWeightsError, UnpinnedModelError, copy_from_folder, fetch_from_hub


def test_weights_and_settings_are_copied_and_code_and_pickles_are_not(tmp_path: Path) -> None:
    source = tmp_path / "model"
    source.mkdir()
    for name in ("model.safetensors", "config.json", "tokenizer.json", "modeling.py", "pytorch_model.bin"):
        (source / name).write_text(name)
    copy_from_folder(source, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "config.json", "model.safetensors", "tokenizer.json",
    ]  # fmt: skip


def test_without_safetensors_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_text("x")
    with pytest.raises(NoWeightsError, match=r"no \*\.safetensors file"):
        copy_from_folder(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("revision", ["", "main", "A" * 40, "a" * 39])
def test_a_revision_that_may_move_is_refused(tmp_path: Path, revision: str) -> None:
    with pytest.raises(UnpinnedModelError, match=r"base_model\.revision .* is not a full commit id"):
        fetch_from_hub("owner/model", revision, tmp_path / "out")
