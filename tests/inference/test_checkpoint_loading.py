"""A checkpoint with a part missing or broken is refused in one line that names the part, before anything is judged."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reasrm.evaluation.judge_opening import open_judge
from reasrm.evaluation.pairwise_judgment import judge_pair
from reasrm.runtime.stage_main import StageError


def without_tokenizer(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()


def without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def with_half_of_its_weights(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def with_broken_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def of_an_unknown_kind(folder: Path) -> None:
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"qwen3"', '"qwen99"'))


def without_config(folder: Path) -> None:
    (folder / "config.json").unlink()


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (without_tokenizer, r"no tokenizer there \(.*tokenizer\.json"),
        (without_weights, r"its model cannot be read \(.*model\.safetensors"),
        (with_half_of_its_weights, "its weights cannot be read"),
        (with_broken_config, r"its configuration cannot be read \(.*JSON"),
        (of_an_unknown_kind, "its configuration cannot be read .*`qwen99`"),
        (without_config, "no checkpoint there .*hf download"),
    ],
)
def test_a_broken_checkpoint_is_refused_by_the_part_that_is_broken(
    checkpoint: Path, tmp_path: Path, broken: Callable[[Path], None], said: str
) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(checkpoint, folder)
    broken(folder)
    with pytest.raises(StageError, match=said) as refused, open_judge(folder) as judge:
        judge_pair(judge, "the fox", a="the dog", b="the lazy dog")
    assert "\n" not in str(refused.value)
