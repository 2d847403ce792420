"""The most urgent ready stage first, never more at once than the machine holds, nothing below a failure."""

from collections.abc import Mapping
from threading import Event, Lock, Thread

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.dvc_graph import Pipeline, Stage
from flows.running.stage_outcome import UP_TO_DATE, StageOutcome, StageRun, run_below
from flows.running.stage_slots import Capacity, StageSlots, remaining_seconds

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


class Stages:
    """Runs a pipeline with a thread per stage, as Prefect does: each waits for its parents, then for a place."""

    def __init__(
        self,
        pipeline: Pipeline,
        capacity: Capacity,
        outcomes: Mapping[str, StageOutcome] | None = None,
        seconds: Mapping[str, float] | None = None,
    ) -> None:
        """Run all to the end."""
        self.started: list[str] = []
        self.runs: dict[str, StageRun] = {}
        self.most_at_once = 0
        self.gpus_in_use: list[str] = []
        self._pipeline, self._outcomes = pipeline, outcomes or {}
        self._running, self._lock = 0, Lock()
        urgency = remaining_seconds(pipeline, set(pipeline.stages), seconds or {})
        self._slots = StageSlots(capacity, pipeline, urgency, self._is_ready)
        self._ended = {name: Event() for name in pipeline.stages}
        threads = [Thread(target=self._run, args=(name,)) for name in reversed(pipeline.stages)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()

    def _is_ready(self, name: str) -> bool:
        parents = self._pipeline.stages[name].parents
        return all(parent in self.runs and self.runs[parent].outcome in UP_TO_DATE for parent in parents)

    def _run(self, name: str) -> None:
        parents = self._pipeline.stages[name].parents
        for parent in parents:
            assert self._ended[parent].wait(60)
        if lost := run_below((parent, self.runs[parent]) for parent in parents):
            self.runs[name] = lost
        else:
            with self._slots.hold(name) as gpus:
                assert gpus is not None
                with self._lock:
                    assert not set(gpus) & set(self.gpus_in_use)
                    self.gpus_in_use += gpus
                    self.started.append(name)
                    self._running += 1
                    self.most_at_once = max(self.most_at_once, self._running)
                with self._lock:
                    self._running -= 1
                    self.gpus_in_use = [gpu for gpu in self.gpus_in_use if gpu not in gpus]
                self.runs[name] = StageRun(self._outcomes.get(name, StageOutcome.COMPLETED))
        self._slots.withdraw(name)
        self._ended[name].set()


def test_the_longest_path_starts_first() -> None:
    started = Stages(CHAIN, Capacity(jobs=1)).started
    assert started.index("sft") < started.index("scalar")


def test_known_durations_decide_which_path_is_longest() -> None:
    seconds = {"pairs": 1.0, "base": 1.0, "scalar": 90.0, "sft": 2.0, "grpo": 3.0, "report": 1.0}
    assert remaining_seconds(CHAIN, set(CHAIN.stages), seconds)["scalar"] == 91.0
    started = Stages(CHAIN, Capacity(jobs=1), seconds=seconds).started
    assert started.index("scalar") < started.index("sft")


def test_below_a_failure_all_is_skipped_and_the_rest_goes_on() -> None:
    stages = Stages(CHAIN, Capacity(jobs=2), {"sft": StageOutcome.FAILED})
    assert "scalar" in stages.started
    skipped = {name: run.tail for name, run in stages.runs.items() if run.outcome is StageOutcome.SKIPPED}
    assert skipped == {"grpo": "below sft", "report": "below sft"}


def test_below_a_stop_nothing_failed() -> None:
    runs = Stages(CHAIN, Capacity(jobs=2), {"sft": StageOutcome.STOPPED}).runs
    assert runs["grpo"] == runs["report"] == StageRun(StageOutcome.WAITING, tail="below sft")


def test_a_failure_counts_more_than_a_stop() -> None:
    parents = [("a", StageRun(StageOutcome.STOPPED)), ("b", StageRun(StageOutcome.FAILED))]
    assert run_below(parents) == StageRun(StageOutcome.SKIPPED, tail="below b")
    assert run_below([("a", StageRun(StageOutcome.RESTORED))]) is None


def independent(*names: str, limit: str | None = "gpu") -> Pipeline:
    return Pipeline({name: Stage(name, (), limit=limit) for name in names})


def test_gpus_are_given_out_once_and_given_back() -> None:
    pipeline = Pipeline({**independent("sft", "grpo").stages, "score": Stage("score", ())})
    slots = StageSlots(Capacity(8, ("0", "1", "2"), 2), pipeline, dict.fromkeys(pipeline.stages, 1.0), lambda _: True)
    with slots.hold("sft") as first:
        assert first == ("0", "1")
        with slots.hold("score") as none:
            assert none == ()
        waiting = Thread(target=lambda: slots.hold("grpo").__enter__())
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
    waiting.join(60)
    assert not waiting.is_alive()


def test_without_gpus_the_limit_is_the_number_of_jobs() -> None:
    pipeline = independent("a", "b", "c")
    slots = StageSlots(Capacity(jobs=2), pipeline, dict.fromkeys(pipeline.stages, 1.0), lambda _: True)
    given: list[object] = []

    def third() -> None:
        with slots.hold("c") as gpus:
            given.append(gpus)

    with slots.hold("a") as first, slots.hold("b") as second:
        assert first == second == ()
        waiting = Thread(target=third)
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
        slots.close()
        waiting.join(60)
    assert given == [None]


def test_a_more_urgent_stage_that_is_ready_goes_first_though_another_asks_before_it() -> None:
    pipeline = independent("first", "long", "short", limit=None)
    ready = {"first"}
    slots = StageSlots(
        Capacity(jobs=1), pipeline, {"first": 9.0, "long": 5.0, "short": 1.0}, lambda name: name in ready
    )
    started: list[str] = []

    def ask(name: str) -> None:
        with slots.hold(name):
            started.append(name)

    with slots.hold("first"):
        short = Thread(target=ask, args=("short",))
        short.start()
        ready.update({"long", "short"})
    short.join(0.2)
    assert started == []
    ask("long")
    short.join(60)
    assert started == ["long", "short"]


def test_a_stage_that_is_withdrawn_keeps_nobody_waiting() -> None:
    pipeline = independent("lost", "other", limit=None)
    slots = StageSlots(Capacity(jobs=1), pipeline, {"lost": 9.0, "other": 1.0}, lambda _: True)
    slots.withdraw("lost")
    with slots.hold("other") as gpus:
        assert gpus == ()


@settings(max_examples=50)
@given(st.data())
def test_every_graph_is_run_once_in_order_within_its_places(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    stages = {}
    for number in range(count):
        above = data.draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        parents = tuple(f"s{parent}" for parent in sorted(above))
        stages[f"s{number}"] = Stage(f"s{number}", parents, limit=data.draw(st.sampled_from([None, "gpu"])))
    jobs = data.draw(st.integers(1, 4))
    pipeline = Pipeline(stages)
    broken = data.draw(st.sets(st.sampled_from(sorted(stages)), max_size=2))
    run = Stages(pipeline, Capacity(jobs, ("0", "1")), dict.fromkeys(broken, StageOutcome.FAILED))
    assert run.most_at_once <= jobs
    assert len(run.started) == len(set(run.started))
    assert run.runs.keys() == stages.keys()
    for name, one in run.runs.items():
        below_broken = any(name in pipeline.below([cause]) - {cause} for cause in broken)
        assert (one.outcome is StageOutcome.SKIPPED) == below_broken
        for parent in stages[name].parents:
            assert name not in run.started or run.started.index(parent) < run.started.index(name)
