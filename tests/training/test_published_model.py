"""A published model is copied without code, whole, and only at a pinned commit."""

import os
import subprocess
import sys
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


def test_weights_in_bf16_stay_what_they_are(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    (tmp_path / "model").mkdir()
    save_file({"weight": torch.arange(8, dtype=torch.bfloat16)}, tmp_path / "model/model.safetensors")
    copy_from_folder(tmp_path / "model", tmp_path / "out")
    assert load_file(tmp_path / "out/model.safetensors")["weight"].dtype == torch.bfloat16
    copied, source = tmp_path / "out/model.safetensors", tmp_path / "model/model.safetensors"
    assert copied.read_bytes() == source.read_bytes()


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def cached_on_this_machine(cache: Path, model: Path) -> Path:
    """The hub's cache as a download of `model` and of some code leaves it: blobs, and a snapshot of links to them."""
    repository = cache / "models--owner--name"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    contents = {path.name: path.read_bytes() for path in model.iterdir()} | {"modeling.py": b"print()"}
    for number, (name, content) in enumerate(contents.items()):
        (repository / f"blobs/{number}").write_bytes(content)
        (snapshot / name).symlink_to(f"../../blobs/{number}")
    return snapshot


def fetch_offline(cache: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own, since the library reads its settings when it is imported."""
    program = (
        "import sys; from pathlib import Path; from reasrm.training.published_model import fetch_from_hub\n"
        "from reasrm.runtime.stage_main import StageError\n"
        f"try: fetch_from_hub('owner/name', {COMMIT!r}, Path({str(out)!r}))\n"
        "except StageError as error: sys.exit(str(error))"
    )
    surroundings = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache)}
    return subprocess.run(
        [sys.executable, "-c", program], env=surroundings, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_without_a_network_the_hubs_full_cache_is_enough(tmp_path: Path, checkpoint: Path) -> None:
    cached_on_this_machine(tmp_path / "cache", checkpoint)
    done = fetch_offline(tmp_path / "cache", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    copied = {path.name: path for path in (tmp_path / "out").iterdir()}
    assert sorted(copied) == sorted(path.name for path in checkpoint.iterdir())
    assert not any(path.is_symlink() for path in copied.values())
    assert all(path.read_bytes() == (checkpoint / name).read_bytes() for name, path in copied.items())


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["model.safetensors", "tokenizer.json", ""])
def test_without_a_network_and_the_whole_model_nothing_is_written(
    tmp_path: Path, checkpoint: Path, missing: str
) -> None:
    if missing:
        (cached_on_this_machine(tmp_path / "cache", checkpoint) / missing).unlink()
    done = fetch_offline(tmp_path / "cache", tmp_path / "out")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "owner/name" in line
    assert not (tmp_path / "out").exists()
