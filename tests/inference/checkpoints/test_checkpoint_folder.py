"""A folder that cannot be run is refused by the file at fault and with a way out, on every way to a model."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reasrm.evaluation.scalar_judge import ScalarJudge
from reasrm.inference.checkpoints.checkpoint_folder import quantisation, require_checkpoint
from reasrm.inference.local_model import LocalModelSettings
from reasrm.inference.model_opening import EngineName, open_model
from reasrm.runtime.stage_main import ExitCode, StageError
from reasrm.training.published_model import require_trainable
from tests.fixtures.command_line import reasrm

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 123\n"
PAGE = "\n<!DOCTYPE html>\n<html><body>Log in</body></html>"


def holding(name: str, text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_text(text)

    return change


def with_config(**entries: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | entries))

    return change


def renamed(name: str, to: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / to).parent.mkdir(exist_ok=True)
        (folder / name).rename(folder / to)

    return change


def linked_to_nothing(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to("../../blobs/0123")


def an_adapter(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_text("")


def a_training(folder: Path) -> None:
    (folder / "checkpoint-500").mkdir()
    for file in [path for path in folder.iterdir() if path.is_file()]:
        file.rename(folder / "checkpoint-500" / file.name)


FAULTS = [
    (holding("model.safetensors", POINTER), r"weights cannot be read \(model\.safetensors is a Git LFS pointer"),
    (holding("config.json", POINTER), r"configuration cannot be read \(config\.json is a Git LFS pointer"),
    (holding("tokenizer.json", POINTER), r"tokenizer\.json is a Git LFS pointer"),
    (holding("chat_template.jinja", POINTER), r"chat_template\.jinja is a Git LFS pointer"),
    (holding("config.json", PAGE), r"config\.json is a web page"),
    (holding("model.safetensors", PAGE), r"model\.safetensors is a web page"),
    (holding("model.safetensors", ""), r"model\.safetensors is empty"),
    (holding("tokenizer_config.json", ""), r"tokenizer_config\.json is empty"),
    (holding("config.json", "[1]"), r"config\.json is no JSON object"),
    (holding("config.json", "{}"), "its configuration cannot be read"),
    (holding("tokenizer.json", '{"a": 1}'), "its tokenizer cannot be read"),
    (renamed("tokenizer.json", "kept/tokenizer.json"), r"no tokenizer there \(tokenizer\.json"),
    (renamed("model.safetensors", "pytorch_model.bin"), r"there is pytorch_model\.bin, pickles, .* save them as safe"),
    (renamed("model.safetensors", "model-Q4.gguf"), r"there is model-Q4\.gguf, GGUF: .* --base-url"),
    (renamed("model.safetensors", "consolidated.safetensors"), "its publisher's own layout"),
    (renamed("model.safetensors", "other.safetensors"), r"safetensors of other names"),
    (linked_to_nothing, r"model\.safetensors is a link to \.\./\.\./blobs/0123, which is not there"),
    (an_adapter, "an adapter alone: merge it into its base"),
    (holding("adapter_config.json", "{}"), r"an adapter \(adapter_config\.json\), no whole model: merge it"),
    (a_training, r"checkpoint-500/config\.json, folders of a training: name one of them"),
    (with_config(model_type="foo", auto_map={"AutoConfig": "x.Y"}), "`foo` models need code of their own"),
    (with_config(architectures=7, num_hidden_layers=None), "its configuration cannot be read"),
    (with_config(hidden_size="wide"), "its configuration cannot be read .*hidden_size"),
    (with_config(vocab_size=64), r"its tokenizer gives ids up to \d+ .* and its model has 64 entries"),
    (with_config(quantization_config={"quant_method": "aqlm"}), r"quantised \(aqlm\) and cannot be "),
    (with_config(quantization_config={"quant_method": "of_tomorrow"}), r"quantised \(of_tomorrow\) and cannot be "),
]


@pytest.fixture
def folder(checkpoint: Path, tmp_path: Path) -> Path:
    return shutil.copytree(checkpoint, tmp_path / "ck")


@pytest.mark.parametrize(("change", "said"), FAULTS, ids=[said[:40] for _, said in FAULTS])
def test_it_is_refused_wherever_a_checkpoint_is_opened(
    folder: Path, settings: LocalModelSettings, change: Callable[[Path], None], said: str
) -> None:
    change(folder)
    local = settings.model_copy(update={"checkpoint": folder})
    opened: list[Callable[[], object]] = [
        lambda: open_model(EngineName.TRANSFORMERS, local),
        lambda: open_model(EngineName.VLLM, local),
        lambda: ScalarJudge(local),
        lambda: require_trainable(folder, str(folder)),
    ]
    for opening in opened:
        with pytest.raises(StageError, match=said) as refused:
            opening()
        assert "\n" not in str(refused.value)
        assert str(folder) in str(refused.value)


@pytest.mark.parametrize("change", [FAULTS[0][0], FAULTS[12][0], an_adapter, a_training])
def test_the_command_says_it_in_one_line(
    folder: Path, capfd: pytest.CaptureFixture[str], change: Callable[[Path], None]
) -> None:
    change(folder)
    capfd.readouterr()
    assert reasrm("judge", "--prompt", "q", "--a", "x", "--b", "y", "--model", str(folder)) == ExitCode.FAILED
    said = capfd.readouterr().err
    assert said.startswith(f"reasrm judge: {folder}")
    assert said.count("\n") == 1


def test_a_whole_checkpoint_and_one_with_foreign_files_beside_it_pass(folder: Path) -> None:
    for name in ("README.md", "pytorch_model.bin", "model-Q4.gguf", "training_args.bin"):
        (folder / name).write_text(POINTER)
    with_config(auto_map={"AutoModel": "modeling_qwen.Model"})(folder)
    require_checkpoint(folder)
    require_trainable(folder, "a model")


def test_a_file_and_a_place_where_nothing_is_are_no_checkpoint(folder: Path) -> None:
    with pytest.raises(StageError, match=r"no checkpoint there .*; that is a file"):
        require_checkpoint(folder / "config.json")
    with pytest.raises(StageError, match=r"no checkpoint there .*hf download"):
        require_checkpoint(folder / "nothing")
    with pytest.raises(StageError, match=r"cannot be read \(File name too long\)"):
        require_checkpoint(folder / ("x" * 300))


def test_a_model_that_could_be_judged_with_but_not_trained_is_refused_for_training(folder: Path) -> None:
    with_config(quantization_config={"quant_method": "fp8", "dequantize": True})(folder)
    with pytest.raises(StageError, match=r"a model: its weights are quantised \(fp8\) and cannot be"):
        require_trainable(folder, "a model")
    assert quantisation({"quantization_config": None}) == ""


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (
            "{% for m in messages if m.role != 'system' %}<|user|>{{ m.content }}{% endfor %}",
            "drops the content of turn 1",
        ),
        ("{% for m in messages %}{{ m.content | upper }}{% endfor %}", "changes the content of turn 1"),
        ("{{ raise_exception('no') }}", "refuses a conversation of system, user: no;"),
        (" \n", "has no chat template"),
    ],
)
def test_base_model_refuses_a_template_that_does_not_render_a_judges_prompt(
    folder: Path, template: str, said: str
) -> None:
    (folder / "chat_template.jinja").write_text(template)
    with pytest.raises(StageError, match=f"^a model: .*{said}"):
        require_trainable(folder, "a model")


def test_base_model_takes_a_template_that_refuses_a_system_turn(folder: Path) -> None:
    template = (folder / "chat_template.jinja").read_text()
    refusing = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    (folder / "chat_template.jinja").write_text(refusing + template)
    require_trainable(folder, "a model")
