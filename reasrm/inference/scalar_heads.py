"""Heads that turn a language model's last state into one score.

The library knows a single linear layer (`score.weight`: Skywork-Reward, our own ScalarRM). INF-ORM's has two layers and
a ReLU between them (its model card; tensors `score.0.*` and `score.2.*`). Its class is remote code, which never runs
here: the same shape is made of the library's own model.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reasrm.runtime.stage_main import StageError

TWO_LAYERS = frozenset({"score.0.weight", "score.0.bias", "score.2.weight", "score.2.bias"})


def is_two_layered(names: Iterable[str]) -> bool:
    """Whether a checkpoint with tensors of these `names` has a head of several layers."""
    return any(name in TWO_LAYERS for name in names)


def with_two_layers(checkpoint: Path) -> Any:
    """The library's sequence classifier for the architecture of `checkpoint`, with a head of two layers.

    Raises:
        StageError: the library has no sequence classifier for that architecture.
    """
    from torch import nn
    from transformers import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING, AutoConfig

    config = AutoConfig.from_pretrained(checkpoint, trust_remote_code=False)
    if type(config) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        raise StageError(f"{checkpoint}: transformers has no sequence classifier for `{config.model_type}` models")
    single: Any = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING[type(config)]

    def initialise(self: Any, config: Any) -> None:
        single.__init__(self, config)
        width = config.get_text_config().hidden_size
        self.score = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, config.num_labels))
        self.post_init()

    return type(f"TwoLayered{single.__name__}", (single,), {"__init__": initialise})
