"""Train a policy with GRPO, rewarded by a judge, a verifier or chance: one arm with one seed.

Reads:   data/policy_prompts/<prompts>, the start's checkpoint, the judge's (with its settings, `judge` and
         `judge_variants.<judge>` of params.yaml)
Writes:  below data/policies/<variant>: checkpoint, curves (with reward_steps.jsonl: rewards and costs by generation),
         answers (`reasrm.policy.training.checks`)
Resumes: work/policy-<variant>, and ledgers/policy-<variant>.jsonl: nothing that is in it is judged again
Run:     python -m stages.policy reasrm-s0      (or: dvc repro policy@reasrm-s0)
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, computed_field

from reasrm.evaluation.judge_params import JudgeParams, RunningParams
from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.policy.training.answer_rewards import AnswerReward, RandomReward, VerifierReward
from reasrm.policy.training.judge_rewards import BOTH_ORDERS, LocalJudgeReward, ServedJudgeReward
from reasrm.policy.training.settings import PolicySettings, RewardSource
from reasrm.policy.training.training import PolicyInputs, train_policy
from reasrm.records.jsonl import read_records
from reasrm.records.judge_kind import JudgeKind
from reasrm.records.ledger import Ledger
from reasrm.records.policy import PolicyPrompt
from reasrm.runtime.kept_folders import ledger_file
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import StageError, StoppedResumable
from reasrm.runtime.work_folder import file_hash
from reasrm.serving.judge_client import JudgeClient, JudgeRefusalError, JudgeServiceError
from reasrm.training.launch import run_training_stage
from reasrm.training.training_run import begin_training

FINGERPRINT = Path("data/fingerprints/policy.json")
PROMPTS = Path("data/policy_prompts")
POLICIES = Path("data/policies")


class PolicyParams(StageParams, PolicySettings):
    """Section `policy` of params.yaml, with the variant's own keys laid over it."""

    section: ClassVar[str] = "policy"

    prompts: str
    """The set of prompts, a key of `policy_prompts_variants`."""
    start: Path
    """The checkpoint that is trained."""
    checkpoint: Path
    """The judge's, as in `judge_variants.<judge>`."""

    @computed_field
    def judge_settings(self) -> dict[str, Any]:
        """How the judge is run and prompted; a killed training goes on only where this is unchanged too."""
        return JudgeParams.load(self.judge).model_dump(mode="json")

    def inputs(self) -> tuple[Path, ...]:
        """What the training reads; a killed run resumes where these are unchanged."""
        return (PROMPTS / self.prompts, self.start, self.checkpoint, FINGERPRINT)


class PolicyRunningParams(StageParams):
    """Section `policy_running`: where a policy's judge runs.

    No stage depends on it, since a served judge must be the same: weights, prompt, and how its replies are drawn.
    """

    section: ClassVar[str] = "policy_running"

    judge_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+$")] | None
    """The address of `reasrm serve-judge` with the same checkpoint; None runs the judge in the training's process."""
    groups_at_once: int = Field(gt=0)
    """Groups that are sent to a served judge at the same time."""
    patience_seconds: float = Field(gt=0)
    """How long a served judge is waited for that is loading, full or being restarted."""
    timeout_seconds: float = Field(gt=0)
    """How long one reply of a served judge is waited for."""


@contextmanager
def opened_judge(variant: str, params: PolicyParams) -> Iterator[LocalJudgeReward | ServedJudgeReward]:
    """The judge, ready to be asked.

    Raises:
        StageError: it is not the one that params.yaml names, several processes would each load it, or it is served and
            refuses what it is asked.
        StoppedResumable: a served judge gives no reward at present.
    """
    judge, running = JudgeParams.load(params.judge), PolicyRunningParams.load()
    scheme = params.scheme or BOTH_ORDERS
    if judge.checkpoint != params.checkpoint:
        raise StageError(
            f"policy@{variant}: checkpoint is {params.checkpoint}, and {params.judge} is judged with "
            f"{judge.checkpoint} (`judge_variants.{params.judge}` in params.yaml): name the same"
        )
    if running.judge_url is not None:
        if judge.kind is JudgeKind.SCALAR:
            raise StageError(
                f"policy@{variant}: a served judge that scores does not say what it read, so no budget would "
                "be the same for all arms: set policy_running.judge_url to null for this arm, and launch one process"
            )
        client = JudgeClient(running.judge_url, running.patience_seconds, running.timeout_seconds)
        try:
            _require_same_judge(client, params.checkpoint, judge)
            yield ServedJudgeReward(client, scheme, running.groups_at_once)
        except JudgeRefusalError as error:
            raise StageError(f"policy@{variant}: the served judge refuses what it is asked: {error}") from error
        except JudgeServiceError as error:
            raise StoppedResumable(
                f"the served judge gives no reward: {error}; once it does, the same command goes on"
            ) from error
        return
    if params.launch.processes > 1:
        raise StageError(
            f"policy@{variant}: {params.launch.processes} processes would each hold the judge: start `reasrm "
            f"serve-judge --model {params.checkpoint}` and set policy_running.judge_url to its address"
        )
    # One process has one number of threads: the judge's sums then round as this training's do.
    with (
        judge.model_copy(update={"threads": params.threads}).open_judge(RunningParams.load()) as opened,
        Ledger(ledger_file(f"policy-{variant}", paid=judge.is_paid)) as ledger,
    ):
        yield LocalJudgeReward(opened, scheme, ledger, scores=judge.kind is JudgeKind.SCALAR)


def reward_of(params: PolicyParams, judge: AnswerReward) -> AnswerReward:
    """Who rewards."""
    match params.reward:
        case RewardSource.VERIFIER:
            return VerifierReward()
        case RewardSource.RANDOM:
            return RandomReward(params.seed)
        case RewardSource.JUDGE:
            return judge


def _require_same_judge(client: JudgeClient, checkpoint: Path, judge: JudgeParams) -> None:
    """Refuse to be rewarded by another judge than params.yaml names.

    Raises:
        StageError: the served judge has other weights, is prompted otherwise, or writes otherwise.
    """
    served = client.identity()
    there, here = str(served.get("engine", {}).get("checkpoint", "")), file_hash(checkpoint)
    if there != here:
        raise StageError(
            f"policy_running.judge_url {client.url} serves a judge with weights {there[:12] or 'unknown'}, and "
            f"{checkpoint} has {here[:12]}: serve that one, or name the served one's checkpoint in params.yaml"
        )
    template = judge.template()
    ours = {
        "form": template.identity(),
        "samplings": [one.model_dump(mode="json", exclude={"seed"}) for one in judge.samplings(template.stop)],
    }
    differs = [
        f"{key} is {served.get(key)} there and {own} here" for key, own in ours.items() if served.get(key) != own
    ]
    if differs:
        raise StageError(
            f"policy_running.judge_url {client.url} runs {checkpoint} otherwise than `judge` and `judge_variants` of "
            f"params.yaml say: {'; '.join(differs)}: serve it so (`reasrm serve-judge --variant --max-new-tokens`)"
        )


def main(variant: str) -> str:
    """Train one arm; return the summary line."""
    params = PolicyParams.load(variant)
    out = POLICIES / variant
    run = begin_training(f"policy-{variant}", params, params.inputs(), out / "checkpoint", out / "curves")
    folder = PROMPTS / params.prompts
    trained, checked = (list(read_records(folder / f"{name}.jsonl", PolicyPrompt)) for name in ("train", "eval"))
    inputs = PolicyInputs(params.start, load_tokenizer(params.start), trained, checked)
    with opened_judge(variant, params) as judge:
        outcome = train_policy(run, inputs, params, reward_of(params, judge), judge, out / "answers")
    stopped = f", stopped {outcome.stopped}" if outcome.stopped else ""
    return f"{variant}: {outcome.steps} of {outcome.planned_steps} updates{stopped}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train a policy with a judge as its reward.")
    parser.add_argument("variant", help="a key of `policy_variants` in params.yaml")
    chosen = parser.parse_args().variant
    run_training_stage(f"policy-{chosen}", lambda: PolicyParams.load(chosen), lambda: main(chosen))
