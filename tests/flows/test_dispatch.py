"""Parents first, the longest path first, never more at once than the machine holds, nothing below a failure."""

from queue import SimpleQueue

from hypothesis import given
from hypothesis import strategies as st

from flows.dispatch import Dispatch, Slots, urgency
from flows.graph import Pipeline, Stage
from flows.outcome import Outcome, StageRun

CHAIN = Pipeline(
    {
        "pairs": Stage("pairs", ()),
        "base": Stage("base", ("pairs",)),
        "scalar": Stage("scalar", ("base",), limit="gpu"),
        "sft": Stage("sft", ("base",), limit="gpu"),
        "grpo": Stage("grpo", ("sft",), limit="gpu"),
        "report": Stage("report", ("scalar", "grpo")),
    }
)


def carry_out(
    pipeline: Pipeline, slots: Slots, outcomes: dict[str, Outcome], seconds: dict[str, float] | None = None
) -> tuple[list[str], dict[str, StageRun], int]:
    """Run with one stage ending at a time, the longest-running first: order of starts, outcomes, most at once."""
    names = set(pipeline.stages)
    dispatch = Dispatch(pipeline, set(names), slots, urgency(pipeline, names, seconds or {}))
    started: list[str] = []
    running: list[str] = []
    most = 0
    ended: SimpleQueue[str] = SimpleQueue()

    class OneAtATime(SimpleQueue[str]):
        def get(self, block: bool = True, timeout: float | None = None) -> str:
            nonlocal most
            most = max(most, len(running))
            name = running.pop(0)
            dispatch.runs[name] = StageRun(outcomes.get(name, Outcome.COMPLETED))
            return name

    def start(name: str, gpus: tuple[str, ...]) -> None:
        assert all(parent not in running and parent in started for parent in pipeline.stages[name].parents)
        started.append(name)
        running.append(name)

    ended = OneAtATime()
    dispatch.go(start, lambda name, run: None, ended)
    return started, dispatch.runs, most


def test_the_longest_path_starts_first() -> None:
    started, _, _ = carry_out(CHAIN, Slots(jobs=1), {})
    assert started.index("sft") < started.index("scalar")


def test_known_durations_decide_which_path_is_longest() -> None:
    seconds = {"pairs": 1.0, "base": 1.0, "scalar": 90.0, "sft": 2.0, "grpo": 3.0, "report": 1.0}
    assert urgency(CHAIN, set(CHAIN.stages), seconds)["scalar"] == 91.0
    started, _, _ = carry_out(CHAIN, Slots(jobs=1), {}, seconds)
    assert started.index("scalar") < started.index("sft")


def test_below_a_failure_all_is_skipped_and_the_rest_goes_on() -> None:
    started, runs, _ = carry_out(CHAIN, Slots(jobs=2), {"sft": Outcome.FAILED})
    assert "scalar" in started
    assert {name: run.outcome for name, run in runs.items() if run.outcome is Outcome.SKIPPED}.keys() == {
        "grpo",
        "report",
    }


def test_below_a_stop_nothing_failed() -> None:
    _, runs, _ = carry_out(CHAIN, Slots(jobs=2), {"sft": Outcome.STOPPED})
    assert runs["grpo"].outcome is Outcome.WAITING
    assert runs["report"].outcome is Outcome.WAITING


def test_gpus_are_handed_out_once_and_given_back() -> None:
    slots = Slots(jobs=8, gpus=("0", "1", "2"), gpus_per_stage=2)
    assert slots.take("sft", "gpu") == ("0", "1")
    assert slots.take("grpo", "gpu") is None
    assert slots.take("score", None) == ()
    slots.release("sft")
    assert len(slots.take("grpo", "gpu") or ()) == 2


def test_without_gpus_the_limit_is_the_number_of_jobs() -> None:
    slots = Slots(jobs=2)
    assert slots.take("a", "gpu") == ()
    assert slots.take("b", "gpu") == ()
    assert slots.take("c", "gpu") is None


@given(st.data())
def test_every_graph_is_run_once_in_order_within_its_slots(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    stages = {}
    for number in range(count):
        above = data.draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        parents = tuple(f"s{parent}" for parent in sorted(above))
        stages[f"s{number}"] = Stage(f"s{number}", parents, limit=data.draw(st.sampled_from([None, "gpu"])))
    jobs = data.draw(st.integers(1, 4))
    pipeline = Pipeline(stages)
    broken = data.draw(st.sets(st.sampled_from(sorted(stages)), max_size=2))
    started, runs, most = carry_out(pipeline, Slots(jobs, gpus=("0", "1")), dict.fromkeys(broken, Outcome.FAILED))
    assert most <= jobs
    assert len(started) == len(set(started))
    assert runs.keys() == stages.keys()
    for name, run in runs.items():
        below_broken = any(name in pipeline.below([one]) - {one} for one in broken)
        assert (run.outcome is Outcome.SKIPPED) == below_broken
