"""The measurement of benchmarks/reward_terms.py: arms differ in what they say, and a planted effect is found."""

import pytest

from benchmarks.grpo_runs import changed_params
from benchmarks.reward_terms import ARMS, CONTRASTS, print_tables


def test_each_arm_is_a_training_that_the_settings_allow_and_each_difference_one_change() -> None:
    params = {name: changed_params(changes | {"seed": 1}) for name, changes in ARMS.items()}
    assert all(one.rewards["verdict"] == 1.0 for one in params.values())
    assert {name for one in params.values() for name in one.rewards} == {
        "verdict",
        "consistency",
        "grounded",
        "concise",
    }
    for first, second in CONTRASTS:
        one, other = (params[name].model_dump() for name in (first, second))
        changed = {name for name in one if one[name] != other[name]}
        assert changed == {"orders" if first == "verdict, both orders" else "rewards"}


def test_a_planted_effect_stands_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """With `concise` ten of 200 pairs are judged worse, in four tokens less; with `grounded` all replies are."""
    lines = []
    for name in ARMS:
        marks = ("1" * (170 if "concise" in name else 180)).ljust(200, "0")
        quoted = ("1" * (200 if "grounded" in name else 100)).ljust(200, "0")
        measured = {"accuracy": 0.9, "without_signal": 0.3, "cpu_seconds": 60}
        tokens = [44.0 if "concise" in name else 48.0] * 200
        judged = {"dev": dict.fromkeys("AB", marks), "grounded": dict.fromkeys("AB", quoted), "reply_tokens": tokens}
        lines += [{"name": name, "seed": seed} | measured | judged for seed in (0, 1)]
    print_tables(lines)
    rows = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()]
    found = {row[0]: row[1:] for row in rows if " - " in row[0]}
    assert len(found) == len(CONTRASTS)
    accuracy, same, grounded, length, p = found["verdict + concise - verdict"]
    assert accuracy.startswith("-0.050 [-0.0")
    assert (same, grounded, length) == ("+0.000 [+0.000, +0.000]", "+0.000 [+0.000, +0.000]", "-4.0 [-4.0, -4.0]")
    assert float(p) == pytest.approx(4 * 2 * 0.5**10, rel=0.01), "ten of ten pairs, among four differences"
    assert found["verdict + grounded - verdict"][2].startswith("+0.500 [+0.4")
    print_tables([line | ({"failed": "no signal"} if line["name"] == "verdict" else {}) for line in lines])
    told = capsys.readouterr().out
    assert "verdict: no signal" in told
    assert "verdict + consistency, both orders - verdict, both orders" in told
    assert "verdict + concise - verdict" not in told
