"""Reasons name the cause: the module, the parameter with both values, the data, the stage above."""

from flows.dvc_graph import Pipeline, Stage
from flows.planning.rerun_reasons import (
    RerunCause,
    RerunReason,
    WillRun,
    dvc_reasons,
    fingerprint_reasons,
    forecasts,
    params_reasons,
    reasons_text,
)

ENTRY = {"params": {"params.yaml": {"grpo": {"learning_rate": 0.0003, "beta": 0.0, "old": 1}}}}


def texts(reasons: object) -> list[str]:
    return [reason.text for reason in reasons]  # type: ignore[attr-defined]


def test_a_parameter_is_named_with_both_values() -> None:
    params = {"grpo": {"learning_rate": 0.0005, "beta": 0.0, "new": True}}
    changes = [{"changed deps": {"params.yaml": {"grpo": "modified"}}}]
    assert texts(dvc_reasons(changes, ENTRY, params)) == [
        "params grpo.learning_rate 0.0003 -> 0.0005",
        "params grpo.old 1 -> (absent)",
        "params grpo.new (absent) -> True",
    ]


def test_equal_lists_are_no_reason_and_a_list_is_shown_whole() -> None:
    assert list(params_reasons("a", {"x": [1, 2]}, {"x": [1, 2]})) == []
    assert texts(params_reasons("a", {"x": [1, 2]}, {"x": [2, 1]})) == ["params a.x [1, 2] -> [2, 1]"]


def test_a_module_a_file_and_a_library_are_told_apart() -> None:
    old = {
        "modules": {"reasrm.judging.prompt": "1", "stages.gone": "1"},
        "files": {"p.html": "1"},
        "libraries": {"trl": "1.15.0"},
    }
    new = {
        "modules": {"reasrm.judging.prompt": "2", "stages.new": "1"},
        "files": {"p.html": "2"},
        "libraries": {"trl": "1.16.0"},
    }
    assert texts(fingerprint_reasons(old, new)) == [
        "reasrm.judging.prompt changed",
        "stages.gone is not reached any more",
        "stages.new is reached now",
        "p.html changed",
        "library trl 1.15.0 -> 1.16.0",
    ]


def test_what_never_ran_has_no_output_yet() -> None:
    assert texts(dvc_reasons(["changed checksum"], None, {})) == ["no output yet"]
    gone = [{"changed outs": {"data/scores": "deleted"}}, {"changed deps": {"data/raw": "modified"}}]
    assert texts(dvc_reasons(gone, ENTRY, {})) == ["no output yet: data/scores", "data data/raw changed"]


def test_reasons_spread_downwards_but_not_through_the_fingerprints() -> None:
    pipeline = Pipeline(
        {
            "fingerprint": Stage("fingerprint", ()),
            "pairs": Stage("pairs", ("fingerprint",)),
            "sft": Stage("sft", ("fingerprint", "pairs")),
            "judge": Stage("judge", ("fingerprint", "sft")),
        }
    )
    why = RerunReason(RerunCause.CODE, "stages.sft", "stages.sft changed")
    plan = forecasts(
        pipeline, {"fingerprint": [RerunReason(RerunCause.SOURCES, "stages", "stages changed")], "sft": [why]}
    )
    assert {one.stage: one.will_run for one in plan} == {
        "fingerprint": WillRun.YES,
        "pairs": WillRun.NO,
        "sft": WillRun.YES,
        "judge": WillRun.MAYBE,
    }
    assert reasons_text(plan[2].reasons) == "stages.sft changed"
    assert reasons_text(plan[3].reasons) == "below sft"
