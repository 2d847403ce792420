"""From a checkpoint's folder, a served model or a vendor's to an open judge, for single comparisons and rows.

    with open_judge("data/checkpoints/grpo-full") as judge: ...                          a checkpoint
    with open_judge(served_model("qwen", "http://127.0.0.1:8000/v1")) as judge: ...      a model behind an API
    with open_scalar_judge("data/checkpoints/scalar_rm") as judge: ...                   a model that scores answers

The stage `judge` opens its judges from params.yaml instead, where nothing has a default.
"""

from collections.abc import Sequence
from pathlib import Path

from reasrm.apis.request_format import ApiProtocol
from reasrm.evaluation.judge import Judge
from reasrm.evaluation.judge_template import JudgeTemplate, RubricsTemplate
from reasrm.evaluation.pairwise_judgment import PairwiseJudgment, judge_pair
from reasrm.evaluation.scalar_judge import ScalarJudge
from reasrm.evaluation.text_judge import TextJudge
from reasrm.inference.checkpoint_loading import load_config
from reasrm.inference.engine import Sampling
from reasrm.inference.local_model import Attention, Dtype, LocalModelSettings
from reasrm.inference.model_opening import EngineName, OpenModel, open_model, open_service, plain_prompts
from reasrm.inference.served_model import ServedModel, load_served_model, served_model
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.pair import Message
from reasrm.runtime.extras import extras_named
from reasrm.runtime.stage_main import StageError


def open_judge(
    model: str | Path | ServedModel,
    engine: EngineName | str = EngineName.TRANSFORMERS,
    template: JudgeTemplate | None = None,
    max_new_tokens: int = 1024,
    dtype: Dtype = Dtype.FLOAT32,
    tensor_parallel: int = 1,
    data_parallel: int = 1,
) -> Judge:
    """Open a judge that writes.

    Args:
        model: a checkpoint's folder, or a `ServedModel` (`served_model(NAME)`); with `EngineName.API` the YAML file of
            a served model, with `EngineName.REPLAY` what `replay_engine` reads.
        engine: what runs it; a `ServedModel` needs none.
        template: how it is prompted and read; our full prompt if None.
        max_new_tokens: a reply is cut off here; less where the model's context is shorter.
        dtype: number format of the weights.
        tensor_parallel: GPUs that share one model; with `EngineName.VLLM`.
        data_parallel: processes that each hold the whole model and answer a part of the prompts.

    Raises:
        StageError: there is no checkpoint, it has no chat template or is a scalar judge, or the file is malformed.
    """
    engine, template = EngineName(engine), template or RubricsTemplate(PromptVariant.FULL)
    sampling = Sampling(max_new_tokens=max_new_tokens, temperature=0.0, top_p=1.0, seed=0, stop=template.stop)
    if isinstance(model, ServedModel):
        return TextJudge(open_service(model), template, [sampling])
    if engine is EngineName.API:
        return TextJudge(open_service(load_served_model(Path(model))), template, [sampling])
    if engine is EngineName.REPLAY:
        from reasrm.inference.replay_engine import ReplayEngine

        return TextJudge(OpenModel(ReplayEngine(Path(model)), plain_prompts), template, [sampling])
    settings = _settings_for(Path(model), dtype, tensor_parallel, data_parallel)
    context = settings.max_context_tokens
    short = sampling.model_copy(update={"max_new_tokens": min(max_new_tokens, context // 2)})
    return TextJudge(open_model(engine, settings), template, [short], context)


@extras_named()
def judge_once(
    prompt: str | Sequence[Message],
    a: str,
    b: str,
    *,
    model: str | Path,
    base_url: str | None = None,
    api: ApiProtocol | str | None = None,
) -> PairwiseJudgment:
    """Open a judge, let it judge two answers in both orders, and close it; `open_judge` and `judge_pairs` for many.

    Args:
        prompt: the client's question, or a conversation that ends with it.
        a: one answer.
        b: the other.
        model: a checkpoint's folder, or with `base_url` or `api` the model's name there.
        base_url: where the model is served (for OpenAI's protocols ending with `/v1`).
        api: "openai", "openai_responses" or "anthropic"; without `base_url` the vendor's own address. The key comes
            from the environment variable of the vendor's SDK.

    Raises:
        MissingExtraError: a checkpoint is given and torch is not installed.
        UnknownWordsError: the texts hold words that the checkpoint's vocabulary lacks.
        StoppedResumable: the service stopped answering.
        StageError: the model cannot be used; says why.
    """
    if base_url is None and api is None:
        source: str | Path | ServedModel = model
    else:
        source = served_model(str(model), base_url, api or ApiProtocol.OPENAI)
    with open_judge(source) as judge:
        return judge_pair(judge, prompt, a, b)


def open_scalar_judge(checkpoint: str | Path, dtype: Dtype = Dtype.FLOAT32, data_parallel: int = 1) -> Judge:
    """Open the folder of a model that scores answers, in `data_parallel` processes.

    Raises:
        StageError: there is no checkpoint, or it has no chat template.
    """
    return ScalarJudge(_settings_for(Path(checkpoint), dtype, 1, data_parallel))


def _settings_for(checkpoint: Path, dtype: Dtype, tensor_parallel: int, data_parallel: int) -> LocalModelSettings:
    """How a checkpoint is run for single comparisons: with all the positions that it has.

    Raises:
        StageError: there is no checkpoint, or its configuration does not say how many positions it has.
    """
    positions = getattr(load_config(checkpoint).get_text_config(), "max_position_embeddings", None)
    if positions is None:
        raise StageError(f"{checkpoint}: its configuration names no `max_position_embeddings`; add it to config.json")
    return LocalModelSettings(
        checkpoint=checkpoint,
        dtype=dtype,
        attention=Attention.SDPA,
        batch_size=16,
        batch_tokens=16384,
        cache_tokens=131072,
        max_context_tokens=int(positions),
        threads=1,
        tensor_parallel=tensor_parallel,
        data_parallel=data_parallel,
        memory_share=0.9,
    )
