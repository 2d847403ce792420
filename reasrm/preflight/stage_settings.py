"""The stages of params.yaml that hold a model, with their settings; stages and variants as the pipeline names them.

Keys that a settings class does not know are not looked at: whether they are right is for the stage itself to say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reasrm.inference.local_model import Dtype
from reasrm.inference.model_opening import EngineName
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.policy.training.settings import PolicySettings
from reasrm.preflight.base_model import TRAINED_HERE
from reasrm.probes.probe_run import most_queries
from reasrm.probes.query import JudgeTraits
from reasrm.probes.registry import suite
from reasrm.records.comparison import Orders
from reasrm.records.jsonl import explain
from reasrm.records.judge_kind import JudgeKind
from reasrm.records.pair import Purpose
from reasrm.runtime.params import PARAMS_FILE, ParamsError
from reasrm.runtime.stage_main import StageError
from reasrm.training.grpo.settings import GrpoSettings
from reasrm.training.trainer_settings import EpochSettings, SftSettings, TrainerSettings

Settings = TypeVar("Settings", bound=BaseModel)
BOTH = (Purpose.DISTILL, Purpose.REINFORCE)
"""What a training reads whose settings name no `pairs`."""


class JudgeNeeds(BaseModel):
    """What decides how much a judge needs; the names are those of sections `judge` and `judge_running`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    checkpoint: Path
    dtype: Dtype
    attention: str
    batch_size: int = Field(gt=0)
    batch_tokens: int = Field(gt=0)
    cache_tokens: int | None = Field(gt=0)
    """Most tokens in the cache of one batch; None for no such limit."""
    max_context_tokens: int = Field(gt=0)
    tensor_parallel: int = Field(gt=0)
    data_parallel: int = Field(gt=0)
    memory_share: float = Field(gt=0, le=1)
    """Of a GPU, which vLLM takes."""
    engine: EngineName
    kind: JudgeKind
    prompt: PromptVariant
    orders: Orders
    seed: int
    max_new_tokens: int = Field(gt=0)
    samples: int = Field(gt=0)


@dataclass(frozen=True, slots=True)
class StageSettings:
    """One stage that holds a model."""

    stage: str
    """As the pipeline names it: `grpo@full`."""
    section: str
    """Of params.yaml."""
    settings: TrainerSettings | JudgeNeeds | None
    """None where no model is run: a published base is copied."""
    prompt_variant: PromptVariant | None = None
    """What an SFT or GRPO model is asked."""
    pairs: tuple[Purpose, ...] = BOTH
    """Whose pairs are trained on; of `sft`, which reads traces, and of judges it means nothing."""
    queries: int | None = None
    """Of probes, how many comparisons the judge is asked at most; None for all comparisons of the benchmarks."""
    prompts: str = ""
    """Of a policy, the set of prompts that it is trained on."""
    judge: JudgeNeeds | None = None
    """Of a policy, the judge that runs in the training's own process."""
    error: str = ""
    """Why there are no settings."""


def stages_with_models(params: Mapping[str, Any], *, published: bool = False) -> Iterator[StageSettings]:
    """The stages of `params`, the document in params.yaml, in the order in which they run.

    A `published` base is copied, whatever `params` say.
    """
    base = params.get("base_model")
    copied = published or (isinstance(base, Mapping) and base.get("source") not in TRAINED_HERE)
    yield StageSettings("base_model", "base_model", None) if copied else _stage(params, "base_model", SftSettings)
    yield _stage(params, "sft", SftSettings)
    yield from _variants(params, "grpo", GrpoSettings)
    yield from _variants(params, "answer_sft", SftSettings)
    yield _stage(params, "scalar_rm", EpochSettings)
    yield from _variants(params, "policy_start", SftSettings)
    yield from _variants(params, "judge", JudgeNeeds)
    yield from _probed_models(params)
    yield from _policies(params)


def _policies(params: Mapping[str, Any]) -> Iterator[StageSettings]:
    """A policy, with its judge, unless that is served: then it takes nothing here."""
    judges = {stage.stage: stage for stage in _variants(params, "judge", JudgeNeeds)}
    for policy in _variants(params, "policy", PolicySettings):
        settings = policy.settings
        if not isinstance(settings, PolicySettings):
            yield policy
            continue
        running, judge = params.get("policy_running"), judges.get(f"judge@{settings.judge}")
        if isinstance(running, Mapping) and running.get("judge_url") is not None:
            yield policy
        elif judge is None:
            problem = f"{PARAMS_FILE}: `judge_variants` has no model {settings.judge}"
            yield StageSettings(policy.stage, "policy", None, error=problem)
        elif isinstance(judge.settings, JudgeNeeds):
            yield replace(policy, judge=judge.settings)
        else:
            yield StageSettings(policy.stage, "policy", None, error=judge.error)


def _probed_models(params: Mapping[str, Any]) -> Iterator[StageSettings]:
    """A model is probed as it is judged."""
    judged = {stage.stage: stage for stage in _variants(params, "judge", JudgeNeeds)}
    variants = params.get("probe_variants")
    for name in variants if isinstance(variants, Mapping) else ():
        stage, judge = f"probe@{name}", judged.get(f"judge@{name}")
        if judge is None:
            yield StageSettings(stage, "probe", None, error=f"{PARAMS_FILE}: `judge_variants` has no model {name}")
            continue
        try:
            yield replace(judge, stage=stage, section="probe", queries=_queries(params, judge.settings))
        except (StageError, ParamsError) as error:
            yield StageSettings(stage, "probe", None, error=str(error))


def _queries(params: Mapping[str, Any], judge: TrainerSettings | JudgeNeeds | None) -> int | None:
    """How much the probes ask of a judge at most; None if its own settings are wrong."""
    if not isinstance(judge, JudgeNeeds):
        return None
    section, writes = _mapping(params, "probe"), judge.kind is JudgeKind.GENERATIVE
    traits = JudgeTraits(writes=writes, continues=writes, margins=writes, draws=writes, own_prompt=writes)
    questions = section.get("questions")
    if not isinstance(questions, int):
        raise ParamsError(f"{PARAMS_FILE}: section `probe`: questions is {questions!r}, not a whole number")
    return sum(most_queries(suite(_mapping(section, "suite")), questions, traits).values())


def _variants(params: Mapping[str, Any], section: str, kind: type[BaseModel]) -> Iterator[StageSettings]:
    variants = params.get(f"{section}_variants")
    for name in variants if isinstance(variants, Mapping) else ():
        yield _stage(params, section, kind, name)


def _stage(params: Mapping[str, Any], section: str, kind: type[BaseModel], variant: str = "") -> StageSettings:
    stage = f"{section}@{variant}" if variant else section
    try:
        values = dict(_mapping(params, section))
        if kind is JudgeNeeds:
            values |= _mapping(params, "judge_running")
        if variant:
            values |= _mapping(_mapping(params, f"{section}_variants"), variant)
        settings = kind.model_validate({key: value for key, value in values.items() if key in kind.model_fields})
    except ValidationError as error:
        return StageSettings(stage, section, None, error=f"{PARAMS_FILE}: section `{section}`: {explain(error)}")
    except ParamsError as error:
        return StageSettings(stage, section, None, error=str(error))
    asked = values.get("prompt_variant")
    known = PromptVariant(asked) if asked in set(PromptVariant) else None
    named = values.get("pairs")
    pairs = tuple(one for one in Purpose if one in named) if isinstance(named, list) else BOTH
    assert isinstance(settings, TrainerSettings | JudgeNeeds)
    return StageSettings(stage, section, settings, known, pairs, prompts=str(values.get("prompts", "")))


def _mapping(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key)
    if not isinstance(found, Mapping):
        raise ParamsError(f"{PARAMS_FILE}: no section `{key}`")
    return found
