"""Whether a folder holds a checkpoint that can be run here, seen from its files before anything is loaded.

What stops a run later with a library's traceback, or after an hour of loading, is refused here in one line that names
the file and the way out: a folder of another kind (an adapter, GGUF, a training's run), files that only stand in for
others (Git LFS pointers, web pages, broken links), code that would have to be run, quantised weights that this machine
cannot run, weights cut short.
"""

import json
from pathlib import Path
from typing import Any

from reasrm.inference.checkpoints.stored_file import WAY_OUT, fault_of
from reasrm.inference.checkpoints.weight_files import other_forms, require_weights
from reasrm.runtime.stage_main import StageError

CONFIG = "config.json"
SETTINGS_FILES = (
    "generation_config.json", "tokenizer_config.json", "tokenizer.json", "tokenizer.model", "vocab.json",
    "merges.txt", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "chat_template.json",
)  # fmt: skip
"""Small files that the libraries read where they are there."""
ADAPTER = "adapter_config.json"
FINGERPRINT_EXEMPT = "it only refuses checkpoints that cannot be run"


def require_checkpoint(checkpoint: Path) -> None:
    """Do nothing if `checkpoint` is the folder of a checkpoint that can be run.

    Raises:
        StageError: it is none; says which file is at fault and what to do.
    """
    try:
        _require_folder(checkpoint)
        config = read_config(checkpoint)
        _refuse_adapter(checkpoint)
        _refuse_remote_code(checkpoint, config)
        _require_whole_settings(checkpoint)
        require_weights(checkpoint)
    except OSError as error:
        raise StageError(f"{checkpoint}: cannot be read ({error.strerror}); check its path and its rights") from error
    _require_runnable_weights(checkpoint, config)


def read_config(checkpoint: Path) -> dict[str, Any]:
    """The configuration of `checkpoint` as it is stored.

    Raises:
        StageError: it is no JSON object.
    """
    file = checkpoint / CONFIG
    problem = fault_of(file)
    if not problem:
        try:
            config = json.loads(file.read_bytes())
            if isinstance(config, dict):
                return config
            problem = "is no JSON object"
        except (ValueError, RecursionError) as error:
            problem = f"is no JSON: {str(error)[:100]!a}"
    raise StageError(f"{checkpoint}: its configuration cannot be read ({CONFIG} {problem}); {WAY_OUT}")


def quantisation(config: dict[str, Any]) -> str:
    """How the weights are quantised (`fp8`, `gptq`, ...), as the configuration says; empty if they are not."""
    found = config.get("quantization_config") or config.get("compression_config") or {}
    return str(found.get("quant_method") or "an unnamed method") if isinstance(found, dict) and found else ""


def _require_folder(checkpoint: Path) -> None:
    if (checkpoint / CONFIG).is_file() or (checkpoint / CONFIG).is_symlink():
        return
    forms = "that is a file" if checkpoint.is_file() else other_forms(checkpoint)
    instead = f"; {forms}" if forms else ""
    raise StageError(
        f"{checkpoint}: no checkpoint there (a folder with config.json{instead}); `reasrm run` trains "
        f"data/checkpoints/grpo-full, and `hf download NAME --local-dir FOLDER` gets a published model"
    )


def _require_whole_settings(checkpoint: Path) -> None:
    for name in SETTINGS_FILES:
        file = checkpoint / name
        if (file.exists() or file.is_symlink()) and (problem := fault_of(file)):
            raise StageError(f"{checkpoint}: {name} {problem}; {WAY_OUT}")


def _refuse_adapter(checkpoint: Path) -> None:
    """Refuse an adapter's folder: the library would fetch the base that it names, and judge with that."""
    if (checkpoint / ADAPTER).exists():
        raise StageError(
            f"{checkpoint}: an adapter ({ADAPTER}), no whole model: merge it into its base (peft's `merge_and_unload`) "
            f"and save the result; if the weights here are merged already, remove {ADAPTER}"
        )


def _refuse_remote_code(checkpoint: Path, config: dict[str, Any]) -> None:
    if not config.get("auto_map"):
        return
    from transformers import CONFIG_MAPPING

    if config.get("model_type") not in CONFIG_MAPPING:
        raise StageError(
            f"{checkpoint}: its configuration cannot be read (`{str(config.get('model_type'))[:60]}` models need code "
            f"of their own, `auto_map` in {CONFIG}, and code of others never runs here); serve it and judge by "
            "--base-url, or take a model of a kind that the installed transformers knows"
        )


def _require_runnable_weights(checkpoint: Path, config: dict[str, Any]) -> None:
    """Refuse quantised weights that the library cannot run on this machine, by its own words."""
    if not quantisation(config):
        return
    from transformers.quantizers import AutoHfQuantizer

    stored = config.get("quantization_config") or config["compression_config"]
    try:
        AutoHfQuantizer.from_config(stored, pre_quantized=True).validate_environment(weights_only=True)
    except Exception as error:
        said = next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
        raise StageError(
            f"{checkpoint}: its weights are quantised ({quantisation(config)}) and cannot be run here: {said}; "
            "take the weights that are not quantised, or serve it and judge by --base-url"
        ) from error
