"""An untrained miniature, and dev pairs where the stages read them."""

from pathlib import Path

import pytest

from reasrm.miniature.tiny_model import TinyShape, new_model
from reasrm.records.jsonl import write_records
from reasrm.training.monitoring.dev_judging import DEV_PAIRS
from tests.fixtures.world import documents, tokenizer_of
from tests.training.monitoring.small_training import DEV, SHAPE
from tests.training.stage_runs import PARAMS


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    tokenizer = tokenizer_of(documents(64))
    new_model(tokenizer, TinyShape.model_validate(PARAMS["base_model"]["shape"] | SHAPE), 0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def dev_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_records(DEV_PAIRS, DEV)
