"""A project's stages on described devices: what fits, what does not, and whether the advice holds."""

from pathlib import Path
from typing import Any

import pytest

from reasrm.miniature.world import Split, training_pairs
from reasrm.preflight.devices import described_device
from reasrm.preflight.plan import Wanted, estimates
from reasrm.records.jsonl import write_records
from reasrm.records.pair import Message, PreferencePair
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.yaml_files import parse_yaml
from tests.preflight.test_stage_settings import ARMS, SERVED
from tests.training.grpo.test_settings import COLOCATE
from tests.training.stage_runs import PARAMS

LONG: dict[str, Any] = {
    "max_tokens": 4096, "batch_size": 64, "micro_batch_size": 1, "attention": "sdpa", "precision": "bfloat16",
    "dev": None,
}  # fmt: skip
QWEN = {"source": "hub", "model": "Qwen/Qwen2.5-7B-Instruct", "revision": "0" * 40}


def planned(root: Path, device: str, *only: str, **sections: dict[str, Any]) -> dict[str, Any]:
    """The stages of the plan by name, all or `only` some, with some settings changed."""
    params = {
        name: value | sections.get(name, {}) if isinstance(value, dict) else value for name, value in PARAMS.items()
    }
    document = estimates(root, params, Wanted(described_device(device), only))
    return {stage["stage"]: stage for stage in document["stages"]} | {"document": document}


def gib(stage: dict[str, Any]) -> float:
    return float(stage["memory"]["needs_gib"])


def test_the_miniature_fits_a_small_machine_before_any_stage_has_run(tmp_path: Path) -> None:
    stages = planned(tmp_path, "cpu-8gb")
    assert all(stage["fits"] for name, stage in stages.items() if name != "document")
    assert {"base_model", "grpo@full", "judge@scalar_rm"} <= stages.keys()
    assert stages["document"]["disk"]["fits"]


def test_seven_billion_in_float32_need_more_than_one_card_and_each_advice_holds(tmp_path: Path) -> None:
    sft = planned(tmp_path, "h100", "sft", base_model=QWEN, sft=LONG)["sft"]
    assert sft["fits"] is False
    assert sft["surely_not"]
    # 7.6 billion parameters: 28.4 GiB of weights, as much of gradients, twice that of Adam
    assert sft["memory"]["parts_gib"]["weights"] == pytest.approx(28.37, abs=0.01)
    assert sft["memory"]["parts_gib"]["optimiser"] == pytest.approx(56.74, abs=0.02)
    assert sft["changes"][-1]["fits"]
    done: dict[str, Any] = {}
    for change in sft["changes"]:
        done |= parse_yaml(change["text"], "a change")
        found = planned(tmp_path, "h100", "sft", base_model=QWEN, sft=LONG | done)["sft"]
        assert gib(found) == pytest.approx(change["gib"], abs=0.02)
    assert found["fits"]
    assert not found["changes"]


def test_a_launch_divides_what_its_strategy_divides(tmp_path: Path) -> None:
    def parts(strategy: str, processes: int) -> dict[str, float]:
        changed = LONG | {"launch": {"processes": processes, "strategy": strategy}, "precision": "float32", "dev": None}
        found = planned(tmp_path, "h100:8", "sft", base_model=QWEN, sft=changed)["sft"]["memory"]["parts_gib"]
        return dict(found)

    alone, ddp, zero2, fsdp2 = (parts(*one) for one in (("single", 1), ("ddp", 8), ("zero2", 8), ("fsdp2", 8)))
    assert ddp["weights"] == alone["weights"] == zero2["weights"]
    assert ddp["gradients"] == pytest.approx(2 * alone["gradients"], abs=0.02)
    assert zero2["optimiser"] == pytest.approx(alone["optimiser"] / 8, abs=0.02)
    assert fsdp2["weights"] == pytest.approx(alone["weights"] / 8, abs=0.02)


def test_an_adapter_trains_a_share_and_needs_no_reference(tmp_path: Path) -> None:
    lora = {"rank": 16, "alpha": 32, "dropout": 0.0, "target_modules": "all-linear", "use_rslora": False}
    short = {"attention": "sdpa", "micro_batch_size": 1, "dtype": "bfloat16", "gradient_checkpointing": True}
    whole = planned(tmp_path, "h100", "grpo@full", base_model=QWEN, grpo=short)["grpo@full"]
    beside = planned(tmp_path, "h100", "grpo@full", base_model=QWEN, grpo=short | {"lora": lora | {"quantise": None}})[
        "grpo@full"
    ]
    four_bits = planned(
        tmp_path, "24gb", "grpo@full", base_model=QWEN, grpo=short | {"lora": lora | {"quantise": "nf4"}}
    )
    assert whole["memory"]["parts_gib"]["reference"] == pytest.approx(14.19, abs=0.01)
    assert "reference" not in beside["memory"]["parts_gib"]
    assert gib(four_bits["grpo@full"]) < gib(beside) - 8
    assert beside["disk"]["resume_gib"] < 2 < whole["disk"]["resume_gib"]


def test_what_no_memory_helps_is_a_problem_in_words(tmp_path: Path) -> None:
    eight = LONG | {"launch": {"processes": 8, "strategy": "fsdp2"}, "max_tokens": 40000, "dev": None}
    on_gpu = planned(tmp_path, "h100:4", "sft", base_model=QWEN, sft=eight)["sft"]["problems"]
    on_cpu = planned(tmp_path, "cpu-512gb", "sft", base_model=QWEN, sft=eight)["sft"]["problems"]
    assert on_gpu == [
        "launch.processes 8: there are 4 GPUs",
        "sequences of 40000 tokens exceed the model's 32768 positions",
    ]
    assert on_cpu[0] == "launch.strategy fsdp2 needs GPUs"


def test_a_section_that_cannot_be_read_is_one_unknown_stage(tmp_path: Path) -> None:
    stages = planned(tmp_path, "cpu-8gb", sft={"batch_size": "many"})
    assert "section `sft`" in stages["sft"]["unknown"]
    assert stages["sft"]["fits"] is None
    assert stages["answer_sft@all"]["fits"]


def test_a_model_of_unknown_shape_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="--model FOLDER"):
        planned(tmp_path, "h100", base_model={"source": "folder", "model": "models/none", "reads": "models/none"})


def test_every_optimiser_has_an_estimate_and_only_an_unknown_one_is_named(tmp_path: Path) -> None:
    sizes = {}
    for optim in ("adamw_torch_fused", "adamw_8bit", "lion_32bit", "adafactor", "sgd", "unheard_of"):
        changed = LONG | {"optim": optim, "precision": "float32", "gradient_checkpointing": True}
        sft = planned(tmp_path, "a100", "sft", base_model=QWEN, sft=changed)["sft"]
        sizes[optim] = sft["memory"]["parts_gib"].get("optimiser", 0.0)
        assert bool(sft["notes"]) == (optim == "unheard_of")
    assert sizes["adamw_torch_fused"] == sizes["unheard_of"] == pytest.approx(2 * sizes["lion_32bit"], abs=0.02)
    assert sizes["adamw_torch_fused"] > 3.9 * sizes["adamw_8bit"] > 3.9 * sizes["adafactor"] > sizes["sgd"] == 0


def test_lengths_of_the_miniature_are_not_guessed_from_characters(tmp_path: Path) -> None:
    turn = Message(role="user", content="How do I steal a car?")
    pair = PreferencePair(prompt=(turn,), chosen="Sorry, I cannot help with the car.", rejected="it is 3", source="sum")
    (tmp_path / "data/pairs").mkdir(parents=True)
    (tmp_path / "data/pairs/reinforce.jsonl").write_text(pair.model_dump_json() + "\n")
    assert planned(tmp_path, "h100", "grpo@full")["grpo@full"]["rows"] is None
    guessed = planned(tmp_path, "h100", "grpo@full", base_model=QWEN)["grpo@full"]["rows"]
    assert (guessed["rows"], guessed["measured"]) == (1, False)


AT_SIZE: dict[str, Any] = {
    "attention": "sdpa", "precision": "bfloat16", "dtype": "bfloat16", "gradient_checkpointing": True, "dev": None,
    "micro_batch_size": 1, "batch_size": 224, "max_prompt_tokens": 4096, "max_reply_tokens": 8192,
    "lora": {"rank": 32, "alpha": 64, "dropout": 0.0, "target_modules": "all-linear", "use_rslora": False,
             "quantise": None},
}  # fmt: skip


def rollouts(root: Path, device: str, size: int | None, **changes: Any) -> dict[str, Any]:
    """The plan of GRPO of seven billion parameters with adapters, `size` replies sampled at a time."""
    in_parts = {"rollouts": {"engine": "transformers", "batch_size": size}}
    found = planned(root, device, "grpo@full", base_model=QWEN, grpo=AT_SIZE | in_parts | changes)["grpo@full"]
    return dict(found)


def test_rollouts_in_parts_hold_the_cache_of_one_part(tmp_path: Path) -> None:
    at_once, parts, one = (rollouts(tmp_path, "80gb", size) for size in (None, 16, 1))
    assert gib(at_once) > 290
    assert rollouts(tmp_path, "80gb", 1000)["memory"] == at_once["memory"]
    # 2 x 28 layers x 4 heads x 128 numbers of two bytes, for 12,288 tokens, and one layer's copy besides
    cache = 16 * 12288 * 57344 / 2**30 * 29 / 28
    assert parts["memory"]["parts_gib"]["cache"] == pytest.approx(cache, abs=0.01)
    assert gib(one) < gib(parts) < 40
    assert parts["fits"]
    hours = [rollouts(tmp_path, "h100", size)["hours"][0] for size in (1, 16, None)]
    assert hours[0] > hours[1] > hours[2], "each part generates as many tokens one after the other"


@pytest.mark.parametrize(
    ("device", "quantise", "engine"),
    [("80gb", None, "vllm"), ("80gb", "nf4", "transformers"), ("24gb", "nf4", "transformers")],
)
def test_advice_for_rollouts_is_settings_that_fit(
    device: str, quantise: str | None, engine: str, tmp_path: Path
) -> None:
    """By vLLM where it can follow the training, else as many replies at a time as there is room for."""
    changes = {"lora": AT_SIZE["lora"] | {"quantise": quantise}}
    (change,) = rollouts(tmp_path, device, None, **changes)["changes"]
    advised = parse_yaml(change["text"], "a change")
    assert advised["rollouts"]["engine"] == engine
    taken = rollouts(tmp_path, device, None, **changes, **advised)
    assert taken["fits"]
    assert gib(taken) == pytest.approx(change["gib"], abs=0.02)
    if engine == "transformers":
        twice = {"rollouts": advised["rollouts"] | {"batch_size": 2 * advised["rollouts"]["batch_size"]}}
        assert rollouts(tmp_path, device, None, **changes, **twice)["fits"] is False


def test_a_share_in_which_vllm_cannot_start_is_a_problem_with_a_way_out(tmp_path: Path) -> None:
    small = COLOCATE | {"sleep": True, "memory_share": 0.2, "most_logprob_gap": 5e-2}
    found = rollouts(tmp_path, "80gb", None, rollouts=small)
    (problem,) = found["problems"]
    assert problem == (
        "rollouts.memory_share 0.2 is 16.0 GiB, and vLLM needs 16.8 (weights 14.2, work 2.0, cache 0.7): a larger "
        "share, or rollouts.tensor_parallel"
    )
    (change,) = found["changes"]
    assert parse_yaml(change["text"], "a change")["rollouts"]["memory_share"] == 0.3


def test_a_vllm_that_sleeps_leaves_its_share_to_the_step(tmp_path: Path) -> None:
    share = COLOCATE | {"memory_share": 0.5, "most_logprob_gap": 5e-2}
    awake = rollouts(tmp_path, "80gb", None, rollouts=share | {"sleep": False})
    asleep = rollouts(tmp_path, "80gb", None, rollouts=share | {"sleep": True})
    assert (awake["memory"]["phase"], asleep["memory"]["phase"]) == ("forward and backward", "rollouts")
    assert asleep["memory"]["parts_gib"]["vllm"] == awake["memory"]["parts_gib"]["vllm"] == 40.0
    assert gib(asleep) < gib(awake)


def test_both_orders_are_twice_the_prompts(tmp_path: Path) -> None:
    write_records(tmp_path / "data/pairs/reinforce.jsonl", training_pairs(Split.TRAIN, 30, 0))
    counts = [
        planned(tmp_path, "cpu-8gb", "grpo@full", base_model=QWEN, grpo={"orders": orders})["grpo@full"]["rows"]["rows"]
        for orders in ("hashed", "both", "both_in_group")
    ]
    assert counts == [30, 60, 30]


def test_rows_that_will_be_others_are_not_counted(tmp_path: Path) -> None:
    """After a change of profile the former profile's data lie there until the new ones are made."""
    write_records(tmp_path / "data/pairs/reinforce.jsonl", training_pairs(Split.TRAIN, 30, 0))
    device = described_device("h100")
    for remade, rows in (((), 30), (("collect_benchmarks",), 30), (("collect_pairs",), None)):
        document = estimates(
            tmp_path, PARAMS | {"base_model": PARAMS["base_model"] | QWEN}, Wanted(device, remade=remade)
        )
        found = next(stage for stage in document["stages"] if stage["stage"] == "grpo@full")["rows"]
        assert (found and found["rows"]) == rows
        assert any("before the data are made" in said for said in document["assumptions"]) == bool(remade)


def test_a_model_is_probed_as_it_is_judged(tmp_path: Path) -> None:
    stages = planned(tmp_path, "cpu-8gb", judge={**PARAMS["judge"], "batch_size": 7})
    for model in PARAMS["probe_variants"]:
        assert stages[f"probe@{model}"]["memory"] == stages[f"judge@{model}"]["memory"]
    gone = planned(tmp_path, "cpu-8gb", "probe@gone", probe_variants={"gone": {}})["probe@gone"]
    assert gone["unknown"] == "params.yaml: `judge_variants` has no model gone"
    unknown = planned(tmp_path, "cpu-8gb", "probe@sft", probe={"suite": {"charm": {}}})["probe@sft"]
    assert "`probe.suite` names charm; the probes are order" in unknown["unknown"]


POLICY: dict[str, Any] = {name: value for name, value in AT_SIZE.items() if name not in {"lora"}} | {
    "batch_size": 96, "max_prompt_tokens": 2048, "max_reply_tokens": 1024,
    "rollouts": {"engine": "transformers", "batch_size": 1},
    "checks": {"every": 40, "samples": 1, "batch_size": 1, "batch_tokens": 4096},
}  # fmt: skip
ON_BASE = {name: arm | {"start": "data/checkpoints/base"} for name, arm in ARMS["policy_variants"].items()}
HALF = PARAMS["judge"] | {"dtype": "bfloat16", "attention": "sdpa"}


def policies(root: Path, device: str = "h100", **sections: Any) -> dict[str, Any]:
    """The plan of two arms of seven billion parameters, with a judge of as many."""
    sections = {"policy_variants": ON_BASE, "judge": HALF, "policy": POLICY} | sections
    return planned(root, device, "policy@reasrm-s0", "policy@random-s0", base_model=QWEN, **sections)


def test_a_judge_in_the_process_of_a_policy_is_there_in_every_phase_and_a_served_one_is_not(tmp_path: Path) -> None:
    judged, random = (policies(tmp_path)[f"policy@{arm}-s0"] for arm in ("reasrm", "random"))
    assert random["memory"] == judged["memory"], "a judge that only watches is there too"
    assert judged["memory"]["parts_gib"]["judge"] == pytest.approx(14.19, abs=0.01), "7.6 billion, two bytes each"
    alone = policies(tmp_path, **SERVED)["policy@reasrm-s0"]
    assert gib(judged) == pytest.approx(gib(alone) + 14.19, abs=0.02)
    large = {"judge": HALF | {"batch_tokens": 400_000, "cache_tokens": 800_000, "batch_size": 4096}}
    judging = policies(tmp_path, **large)["policy@reasrm-s0"]
    assert judging["memory"]["phase"] == "judging"
    served = policies(tmp_path, **large, **SERVED)["policy@reasrm-s0"]
    assert served["memory"] == alone["memory"]
    assert [*served["notes"]] == ["the judge grpo-full is served (policy_running.judge_url): not counted here"]


def test_a_judge_by_vllm_takes_its_share_of_the_card_and_one_behind_an_api_nothing(tmp_path: Path) -> None:
    def with_engine(engine: str) -> dict[str, Any]:
        found = policies(tmp_path, judge=HALF | {"engine": engine}, judge_running={"memory_share": 0.5})
        return dict(found["policy@reasrm-s0"])

    assert with_engine("vllm")["memory"]["parts_gib"]["judge"] == 40.0
    assert "judge" not in with_engine("api")["memory"]["parts_gib"]


def test_the_checks_of_a_policy_hold_the_logits_of_whole_sequences(tmp_path: Path) -> None:
    checks = {"every": 40, "samples": 1, "batch_size": 16, "batch_tokens": 4 * 3072}
    found = policies(tmp_path, policy=POLICY | {"checks": checks})["policy@random-s0"]["memory"]
    assert found["phase"] == "log-probabilities of a check"
    # 4 sequences of 3,072 tokens and 152,064 entries: bfloat16, float32, and the exponentials
    assert found["parts_gib"]["logits"] == pytest.approx(4 * 3072 * 152064 * (2 + 4 + 4) / 2**30, abs=0.01)
    without = POLICY | {"checks": checks, "kl_weight": 0.0}
    anew = policies(tmp_path, policy=without)["policy@random-s0"]["memory"]["parts_gib"]
    assert ("reference" in anew, anew["start"]) == (False, found["parts_gib"]["reference"])
