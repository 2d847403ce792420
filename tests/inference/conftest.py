"""A tiny checkpoint made in the test: the miniature's own tokenizer and architecture, random weights."""

import os
from pathlib import Path
from typing import Any

import pytest

from stages.inference.engine import Sampling
from stages.inference.transformers_engine import Attention, Dtype, LocalModelSettings
from stages.judging.verdict import STOP
from tests.inference.taught_judge import teach
from tests.inference.tiny_prompts import sentence

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    from stages.miniature.tiny_model import train_tokenizer

    return train_tokenizer([sentence(start, 12) for start in range(40)], 400)


@pytest.fixture(scope="session")
def checkpoint(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from stages.miniature.tiny_model import TinyShape, new_model

    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    shape = TinyShape(
        hidden_size=32, layers=2, heads=2, intermediate_size=64, vocabulary=512, context=256, initial_std=0.4
    )
    new_model(tokenizer, shape, seed=1).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def taught_judge(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A judge that gives verdicts; half a minute of training."""
    return teach(tokenizer, tmp_path_factory.mktemp("taught") / "judge")


@pytest.fixture
def settings(checkpoint: Path) -> LocalModelSettings:
    return LocalModelSettings(
        checkpoint=checkpoint,
        dtype=Dtype.FLOAT32,
        attention=Attention.SDPA,
        batch_size=8,
        batch_tokens=400,
        max_context_tokens=256,
        threads=1,
    )


@pytest.fixture
def greedy() -> Sampling:
    return Sampling(max_new_tokens=24, temperature=0.0, top_p=1.0, seed=0, stop=STOP)
