"""Stored figures: what they say of GRPO is computed from them."""

from reasrm.reporting.stored_runs import StoredRun, other_seeds, second_ladder, stored_gain, stored_ladders


def run(model: str, accuracy: float) -> StoredRun:
    return StoredRun(
        ladder="x", seed=0, model=model, accuracy=accuracy, n=9, ci95=(0, 1), command="c", measured_on="today"
    )


def test_a_loss_is_called_a_loss_and_a_gain_a_gain() -> None:
    runs = (run("sft", 0.9742), run("grpo", 0.9548))
    assert stored_gain(runs, "sft", "grpo", "GRPO") == "Here GRPO loses: 95.5 against 97.4 before, -1.9 points."
    assert "gains" in stored_gain(runs, "grpo", "sft", "SFT")
    assert stored_gain(runs, "sft", "absent", "X") == ""


def test_one_row_per_ladder_and_seed() -> None:
    for runs in (second_ladder(), other_seeds()):
        (ladder,) = stored_ladders(runs)
        assert [found.model for found in runs] == list(ladder.accuracies)
