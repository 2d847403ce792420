"""Checkpoints behind the service: their words, their scores, and a kill among batches."""

import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from reasrm.runtime.stage_main import ExitCode
from tests.fixtures.serve_judge_process import serving, start
from tests.fixtures.tiny_prompts import sentence

pytestmark = pytest.mark.slow


def question(number: int, *answers: str) -> dict[str, Any]:
    return {"prompt": sentence(number, 3), "answers": list(answers) or [sentence(1, 4), sentence(2, 5)]}


def test_a_checkpoint_judges_the_words_it_knows(checkpoint: Path, tmp_path: Path) -> None:
    """Babble in an answer has no verdict; the same words in the question are the client's mistake."""
    ledger = tmp_path / "judged.jsonl"
    arguments = ("--model", str(checkpoint), "--ledger", str(ledger), "--max-new-tokens", "16")
    with serving(*arguments) as served:
        reply = served.ask("/compare", question(0)).json
        assert all(one["completion_tokens"] for one in reply["comparisons"])
        assert reply["judgment"]["orders"][0]["reply"]
        babble = served.ask("/compare", question(0, sentence(1, 4), "quixotic zebra")).json
        assert (babble["unreadable"], babble["judgment"], babble["rewards"]) == ({"unknown_words": 2}, None, [0, 0])
        refused = served.ask("/compare", {"prompt": "A quixotic zebra?", "answers": ["a", "b"]})
        assert (refused.status, refused.json["where"]) == (422, "prompt")
        assert "lacks" in refused.json["error"]
        assert ledger.read_bytes().count(b"\n") == 2
        served.process.send_signal(signal.SIGKILL)
        served.process.wait(20)
    with serving(*arguments) as served:
        again = served.ask("/compare", question(0)).json
        assert (again["judged"], again["kept"], again["comparisons"]) == (0, 2, reply["comparisons"])


def test_a_checkpoint_that_cannot_be_loaded_ends_the_service_in_one_line(checkpoint: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(checkpoint, broken)
    (broken / "model.safetensors").write_bytes(b"no weights")
    served = start("--model", str(broken))
    assert served.process.wait(60) == ExitCode.FAILED
    time.sleep(0.2)
    assert "Traceback" not in "".join(served.said)
    assert str(broken) in served.said[-1]


def test_a_service_that_is_still_loading_can_be_ended(checkpoint: Path) -> None:
    served = start("--model", str(checkpoint))
    assert served.ask("/compare", question(0)).status == 503
    assert served.end() == ExitCode.DONE


def test_a_judge_that_scores_gives_its_scores(checkpoint: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification

    folder = tmp_path / "scorer"
    torch.manual_seed(1)
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=1)
    shutil.copytree(checkpoint, folder)
    model.save_pretrained(folder)
    with serving("--model", str(folder), "--engine", "scalar") as served:
        asked = question(0, sentence(1, 4), sentence(2, 5), sentence(1, 4))
        own = served.ask("/compare", asked | {"scheme": "own_scores"}).json
        assert own["rewards"][0] == own["rewards"][2] != own["rewards"][1]
        assert own["unreadable"] == {}
        compared = served.ask("/compare", asked).json
        better = own["rewards"][0] > own["rewards"][1]
        assert compared["rewards"] == ([0.5, -1, 0.5] if better else [-0.5, 1, -0.5])
