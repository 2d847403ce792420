"""Reading DVCLive's curves and choosing which of them stand in which plot."""

from pathlib import Path

import pytest

from reasrm.reporting.curves import (
    DEV_ACCURACY,
    REINFORCEMENT,
    BadCurveError,
    is_reinforcement,
    panel_curves,
    read_curves,
    read_warnings,
)
from reasrm.runtime.outputs import write_text


def curve(folder: Path, run: str, name: str, text: str) -> None:
    write_text(folder / run / "plots" / "metrics" / f"{name}.tsv", text)


def test_reads_steps_and_values_of_nested_metrics(tmp_path: Path) -> None:
    curve(tmp_path, "grpo-full", "train/completions/mean_length", "step\tmean_length\n1\t30.5\n2\t31\n")
    (found,) = read_curves(tmp_path)
    assert (found.run, found.metric) == ("grpo-full", "completions/mean_length")
    assert (found.steps, found.values) == ((1.0, 2.0), (30.5, 31.0))


def test_a_time_stamp_column_does_not_become_the_value(tmp_path: Path) -> None:
    curve(tmp_path, "sft", "train/loss", "timestamp\tstep\tloss\n1700000000\t1\t0.5\n")
    assert read_curves(tmp_path)[0].values == (0.5,)


def test_infinite_values_are_left_out(tmp_path: Path) -> None:
    curve(tmp_path, "sft", "train/loss", "step\tloss\n1\tnan\n2\t0.5\n3\tinf\n")
    assert read_curves(tmp_path)[0].steps == (2.0,)


@pytest.mark.parametrize("text", ["", "loss\n1\n", "step\tloss\n1\tmuch\n", "step\tloss\n1\n"])
def test_other_files_are_refused_with_file_and_line(tmp_path: Path, text: str) -> None:
    curve(tmp_path, "sft", "train/loss", text)
    with pytest.raises(BadCurveError, match=r"loss\.tsv line [12]"):
        read_curves(tmp_path)


def test_panels_take_one_curve_per_run_in_the_given_order(tmp_path: Path) -> None:
    for run in ("a", "b", "c"):
        curve(tmp_path, run, "train/reward", "step\treward\n1\t1\n")
    curves = read_curves(tmp_path)
    reward = next(panel for panel in REINFORCEMENT if panel.title == "Reward")
    assert [found.run for found in panel_curves(curves, reward, ("c", "a", "absent"))] == ["c", "a"]
    assert is_reinforcement(curves, "a")
    assert not is_reinforcement(curves, "absent")


def test_dev_accuracy_has_the_interval_that_its_pairs_give(tmp_path: Path) -> None:
    curve(tmp_path, "sft", "dev/accuracy", "step\taccuracy\n10\t0.5\n20\t0.8\n")
    curve(tmp_path, "old", "dev/accuracy", "step\taccuracy\n10\t0.5\n")
    curve(tmp_path, "sft", "dev/pairs", "step\tpairs\n10\t100\n20\t100\n")
    with_pairs, without = panel_curves(read_curves(tmp_path), DEV_ACCURACY, ("sft", "old"))
    assert with_pairs.n == 100
    assert with_pairs.intervals[1] == pytest.approx((0.7112, 0.8666), abs=1e-4)  # Wilson, 80 of 100
    assert (without.n, without.intervals) == (None, ())


def test_warnings_are_read_run_by_run_and_need_not_be_there(tmp_path: Path) -> None:
    curve(tmp_path, "base", "train/loss", "step\tloss\n1\t1\n")
    write_text(tmp_path / "sft/training.json", '{"warnings": []}')
    write_text(tmp_path / "grpo-full/training.json", '{"warnings": [{"kind": "kl", "text": "it moved"}]}')
    assert read_warnings(tmp_path) == (("grpo-full", "it moved"),)
    write_text(tmp_path / "sft/training.json", '{"warnings": [1]}')
    with pytest.raises(BadCurveError, match=r"sft/training\.json: not what a training writes"):
        read_warnings(tmp_path)
