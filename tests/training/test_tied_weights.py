"""A resumed trainer is silent about a tied head that the checkpoint lacks, and about nothing else."""

import logging
from pathlib import Path

import pytest

from reasrm.inference.checkpoint_loading import load_all_weights
from reasrm.training.tied_weights import TRAINER_LOGGER, tied_names, tied_weights_expected


@pytest.mark.slow
def test_only_the_tied_head_is_missing_in_silence(
    checkpoint: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForCausalLM, Trainer, TrainingArguments

    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    model = load_all_weights(AutoModelForCausalLM, checkpoint, "x")
    tied, other = {"lm_head.weight", "model.embed_tokens.weight"}, "model.norm.weight"
    assert tied_names(model) == tied
    trainer = Trainer(model, TrainingArguments(output_dir=str(tmp_path), use_cpu=True, report_to=[]))
    stored = {name: value for name, value in model.state_dict().items() if name != "lm_head.weight"}
    less = {name: value for name, value in stored.items() if name != other}
    with caplog.at_level(logging.WARNING, TRAINER_LOGGER):
        with tied_weights_expected(model):
            trainer._issue_warnings_after_load(model.load_state_dict(stored, strict=False))
            assert caplog.text == ""
            trainer._issue_warnings_after_load(model.load_state_dict(less, strict=False))
            assert other in caplog.text, "a weight that really lacks is told"
        caplog.clear()
        trainer._issue_warnings_after_load(model.load_state_dict(stored, strict=False))
        assert "missing keys" in caplog.text, "and afterwards everything is as before"
