"""The stop where sampled replies are not the trainer's: what it reads, and what it says."""

from types import SimpleNamespace

import pytest

from reasrm.training.monitoring.logprob_gap import MAX, MEAN, LogprobGapError, StopOnLogprobGap


def check(watch: StopOnLogprobGap, step: int) -> None:
    watch.on_pre_optimizer_step(None, SimpleNamespace(global_step=step), None)


def watching(means: list[float], largest: list[float]) -> tuple[StopOnLogprobGap, dict[str, list[float]]]:
    measured = {MEAN: means, MAX: largest}
    return StopOnLogprobGap("grpo-full", 1e-4, SimpleNamespace(_metrics={"train": measured})), measured


def test_every_generation_counts_and_what_stops_is_named() -> None:
    watch, measured = watching([4e-7], [1e-5])
    check(watch, 0)
    measured[MEAN] += [4e-7, 2.1e-3, 4e-7]
    measured[MAX] += [1e-5, 0.05, 1e-5]
    with pytest.raises(LogprobGapError) as caught:
        check(watch, 3)
    said = str(caught.value)
    assert said.startswith("grpo-full: step 4: ")
    for part in ("2.10e-03", "5.00e-02", "1e-04", "stale", "number format", "template", "top_p"):
        assert part in said


def test_no_number_is_no_agreement() -> None:
    watch, _ = watching([float("nan")], [0.0])
    with pytest.raises(LogprobGapError, match="nan"):
        check(watch, 0)


def test_steps_without_a_generation_pass_but_a_run_without_any_comparison_stops() -> None:
    watch, measured = watching([4e-7], [1e-5])
    check(watch, 0)
    measured[MEAN], measured[MAX] = [], []  # after TRL has logged
    check(watch, 1)
    with pytest.raises(LogprobGapError, match="did not compare"):
        check(watching([], [])[0], 0)
