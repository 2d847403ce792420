"""What the page of policies says is what its figures say: what is shown, what is not, what cannot be compared."""

from pathlib import Path

import pytest

from reasrm.policy.measures.measures_file import PolicyMeasures
from reasrm.reporting.policy_figures.policy_sentences import findings
from reasrm.reporting.policy_figures.policy_tables import arm_table, difference_tables, seed_table, shortcut_table
from reasrm.reporting.policy_figures.policy_text import ArmView
from tests.policy.made_up_policies import Behaviour, MadeUpArm, made_up_prompts, score_to, write_arm

START = Behaviour(0.5, proxy=0.5)
ARMS = (
    MadeUpArm("good", {0: START, 10: Behaviour(0.7), 20: Behaviour(0.95, proxy=0.8, kl=1.5)}, exact=True),
    MadeUpArm("gamed", {0: START, 10: Behaviour(0.8, proxy=0.6), 20: Behaviour(0.4, 1.0, proxy=0.9)}, exact=True,
              tokens_per_step=300),
    MadeUpArm("equal", {0: START, 10: Behaviour(0.7), 20: Behaviour(0.95)}, exact=True, reward="verifier", judge=""),
    MadeUpArm("dear", {0: START, 20: START}, exact=True, seeds=(0,), tokens_per_step=900),
)  # fmt: skip


@pytest.fixture(scope="module")
def measures(tmp_path_factory: pytest.TempPathFactory) -> PolicyMeasures:
    """Of arms that do what their names say."""
    data: Path = tmp_path_factory.mktemp("policies")
    keys = [key for arm in ARMS for key in write_arm(data / "policies", arm, made_up_prompts(20))]
    return score_to(data, keys, "good")[0]


@pytest.fixture(scope="module")
def views(measures: PolicyMeasures) -> tuple[ArmView, ...]:
    """The arms as the page shows them."""
    return tuple(ArmView(arm.name, arm.name, "rewards", at, arm) for at, arm in enumerate(measures.arms))


def test_it_is_said_what_is_shown_and_what_is_not(measures: PolicyMeasures, views: tuple[ArmView, ...]) -> None:
    said = {one.question: " ".join(one.answers) for one in findings(views, measures, str)}
    gold = said["good: does it make a better policy?"]
    assert "After 20 updates, good is better than gamed: gold +55.0 points [" in gold
    assert "no difference in gold between good and equal is shown: +0.0 points" in gold
    assert "After 20 updates, good is better than dear: gold +45.0 points [" in gold
    assert "it is one training each, and of others nothing is known." in gold
    assert (
        "within the 2,000 tokens that every judge has spent, there is no check but the start of dear and gamed" in gold
    )
    gaming = said["Does a policy learn to please its judge?"]
    assert "more frequent under gamed (0.0 to 100.0 %, adjusted p < .001)." in gaming
    assert (
        "Over-optimisation is shown for gamed: from step 10, the best on one half of the prompts, to step 20" in gaming
    )
    assert "refusals of harm" in said["Is it as safe?"]
    assert said["Was it the same data and budget?"].startswith("Planned were 20 updates and no limit of judge tokens;")


def test_tables_hold_the_figures_and_a_dash_where_there_is_none(
    measures: PolicyMeasures, views: tuple[ArmView, ...]
) -> None:
    arms = arm_table(views, measures)
    cells = {row.label: dict(zip((name for name, _ in arms.columns), row.cells, strict=True)) for row in arms.rows}
    assert cells["good"]["judge tokens"][:2] == ("2,000", ("read 1,000", "written 1,000", "80 comparisons"))
    assert cells["equal"]["judge tokens"].value == "–"
    assert (cells["good"]["gold, percent"].value, cells["good"]["gold, percent"].shown) == ("95.0", True)
    assert (cells["dear"]["gold, percent"].value, cells["dear"]["gold, percent"].shown) == ("50.0", False)
    (updates,) = difference_tables(measures, str)
    assert [name for name, _ in updates.columns] == ["minus gamed", "minus equal", "minus dear"]
    assert next(row for row in updates.rows if row.label == "gold").cells[0].value == "+55.0"
    shortcuts = {row.label: [cell.value for cell in row.cells] for row in shortcut_table(views, measures).rows}
    assert shortcuts["carries a shortcut"] == ["0.0", "100.0", "0.0", "0.0"]
    assert "carries “layout”" not in shortcuts, "no answer of any arm carries it"
    assert [row.small for row in seed_table(views, measures).rows].count("from the least to the greatest") == 3
