"""Peak memory and speed of trainings and judges on one GPU, beside what `reasrm plan` says, for published shapes.

    python -m benchmarks.gpu_memory --tokenizer data/checkpoints/base [--case sft-1.7b ...]

Weights are random and texts are random tokens, since both cost what real ones do; the vocabulary has its real size.
Settings are those of the profiles, for two or three optimiser steps of a few passes. GRPO's replies are random tokens
of full length in place of sampled ones, but for the cases `rollouts-*`, which sample short ones. Each case is a process
of its own and prints one line of JSON: peaks are of torch's allocator, by phase, in GiB.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PrinterCallback,
    ProgressCallback,
    TrainerCallback,
)
from transformers.trainer_utils import SaveStrategy

from reasrm.inference.decoding import draw_batch
from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.stop_tokens import StopTokens
from reasrm.preflight.devices import GIB
from reasrm.preflight.formulas.judge_memory import Judging, judge_memory
from reasrm.preflight.formulas.memory import MemoryNeed
from reasrm.preflight.formulas.training_memory import Training, training_memory
from reasrm.preflight.model_shape import shape_of_config
from reasrm.runtime.yaml_files import read_yaml
from reasrm.training import scalar, sft
from reasrm.training.grpo import training as grpo
from reasrm.training.grpo.settings import GrpoSettings
from reasrm.training.trainer_settings import EpochSettings, SftSettings
from reasrm.training.training_run import LeftOut, TrainingRun, make_repeatable

ROOT = Path(__file__).parents[1]
WORDS = 400
"""Token ids that the miniature's tokenizer knows; the others of the vocabulary are never shown."""
END, PAD = 407, 406
QWEN2 = {"model_type": "qwen2", "vocab_size": 151936, "num_key_value_heads": 2}
SHAPES = {
    "0.5b": QWEN2 | {"hidden_size": 896, "num_hidden_layers": 24, "num_attention_heads": 14, "intermediate_size": 4864,
                     "tie_word_embeddings": True},
    "1.5b": QWEN2 | {"hidden_size": 1536, "num_hidden_layers": 28, "num_attention_heads": 12, "intermediate_size": 8960,
                     "tie_word_embeddings": True},
    "1.7b": {"model_type": "qwen3", "vocab_size": 151936, "num_key_value_heads": 8, "hidden_size": 2048,
             "head_dim": 128, "num_hidden_layers": 28, "num_attention_heads": 16, "intermediate_size": 6144,
             "tie_word_embeddings": True},
    "7b": QWEN2 | {"hidden_size": 3584, "num_hidden_layers": 28, "num_attention_heads": 28,
                   "intermediate_size": 18944, "num_key_value_heads": 4, "vocab_size": 152064,
                   "tie_word_embeddings": False},
}  # fmt: skip
"""Qwen2.5's 0.5B, 1.5B and 7B, and Qwen3-1.7B."""
LORA = {
    "rank": 32, "alpha": 64, "dropout": 0.0, "target_modules": "all-linear", "use_rslora": False, "quantise": None,
}  # fmt: skip
LARGE_MODELS = {
    "dev": None, "save_every": 10**6, "log_every": 1, "precision": "bfloat16", "attention": "sdpa", "epochs": 1,
    "gradient_checkpointing": True, "learning_rate": 1e-5, "warmup_steps": 0, "lr_scheduler_type": "constant",
    "lr_scheduler_kwargs": {}, "trl": {}, "threads": 4, "dtype": "float32",
}  # fmt: skip
Case = Callable[["Measured"], MemoryNeed]


class Measured(TrainerCallback):
    """The largest peak of each phase, and the seconds of each step."""

    def __init__(self, tokenizer: Any, scratch: Path) -> None:
        """Nothing measured yet."""
        self.tokenizer, self.scratch = tokenizer, scratch
        self.peaks: dict[str, float] = {}
        self.reserved = 0.0
        self.seconds: list[float] = []
        self.tokens = 0
        self.sampled: Any = None

    def note(self, phase: str) -> None:
        """Take the peak since the last note as one of `phase`."""
        torch.cuda.synchronize()
        peak = torch.cuda.max_memory_allocated() / GIB
        self.peaks[phase] = max(self.peaks.get(phase, 0.0), peak)
        self.reserved = max(self.reserved, torch.cuda.max_memory_reserved() / GIB)
        torch.cuda.reset_peak_memory_stats()

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Start the clock."""
        self.note("before")
        self._began = time.perf_counter()

    def on_pre_optimizer_step(self, *_: Any, **__: Any) -> None:
        """All passes are over."""
        self.note("forward and backward")

    def on_optimizer_step(self, *_: Any, **__: Any) -> None:
        """The weights have moved."""
        self.note("optimiser step")

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Stop the clock."""
        torch.cuda.synchronize()
        self.seconds.append(time.perf_counter() - self._began)

    def train(self, _run: Any, trainer: Any, _tokenizer: Any, _settings: Any) -> list[dict[str, Any]]:
        """Train in place of `train_and_save`, and write nothing."""
        for printing in (PrinterCallback, ProgressCallback):
            trainer.remove_callback(printing)
        trainer.args.save_strategy = SaveStrategy.NO
        trainer.add_callback(self)
        if self.sampled is not None:
            trainer.model.generate = self.sampled
        if hasattr(trainer, "_generate"):
            sample = trainer._generate

            def noted(*arguments: Any) -> Any:
                self.note("before")
                replies = sample(*arguments)
                self.note("rollouts")
                return replies

            trainer._generate = noted
        trainer.train()
        return [entry for entry in trainer.state.log_history if "train_runtime" not in entry]

    def run(self, name: str) -> TrainingRun:
        """The training's folders; none is written."""
        return TrainingRun(name, self.scratch / "work", self.scratch / "out", self.scratch / "curves")


def config_of(shape: str) -> Any:
    """The configuration of a published shape, with the miniature's special tokens."""
    sizes = dict(SHAPES[shape])
    kind = sizes.pop("model_type")
    return AutoConfig.for_model(
        kind, **sizes, max_position_embeddings=32768, eos_token_id=END, pad_token_id=PAD, bos_token_id=None
    )


def new_model(shape: str, dtype: str, attention: str = "sdpa", labels: int = 0) -> Any:
    """A model of random weights on the GPU."""
    config = config_of(shape)
    if labels:
        config.num_labels = labels
    kind = AutoModelForSequenceClassification if labels else AutoModelForCausalLM
    with torch.device("cuda"):
        return kind.from_config(config, dtype=getattr(torch, dtype), attn_implementation=attention)


def tokens(count: int) -> list[int]:
    """Random ones."""
    return torch.randint(0, WORDS, (count,)).tolist()


def settings_of(section: str, kind: Any, **changes: Any) -> Any:
    """Those of params.yaml, of the profiles for large models, and `changes`."""
    values = read_yaml(ROOT / "params.yaml")[section] | LARGE_MODELS | changes
    return kind.model_validate({name: value for name, value in values.items() if name in kind.model_fields})


def planned(shape: str, settings: Any, length: int, *, prompt: int = 0, scored: bool = False) -> MemoryNeed:
    """What the plan says of a training on one device of 80 GB."""
    sizes = shape_of_config(config_of(shape).to_dict(), shape)
    return training_memory(Training(sizes, settings, length, True, scored, prompt, 80 * GIB))


def sft_case(shape: str, length: int, micro: int, *, packing: bool = False, **changes: Any) -> Case:
    """Three steps of two passes."""

    def measure(measured: Measured) -> MemoryNeed:
        sizes = {"max_tokens": length, "micro_batch_size": micro, "batch_size": 2 * micro, "packing": packing}
        settings = settings_of("sft", SftSettings, **sizes, **changes)
        one, count = (length // 4, 24 * micro) if packing else (length, 6 * micro)
        rows = [
            {"input_ids": ids, "labels": [-100] * (one // 2) + ids[one // 2 :]} for ids in map(tokens, [one] * count)
        ]
        sft.token_rows = lambda *_: (rows, LeftOut())
        measured.tokens = settings.batch_size * length
        make_repeatable(0, settings.threads, strict=not packing)
        model = lambda: new_model(shape, settings.dtype.value, settings.attention.value)  # noqa: E731
        sft.train_sft(measured.run("sft"), model, measured.tokenizer, [], settings)
        return planned(shape, settings, length)

    return measure


def scalar_case(shape: str, length: int, micro: int, **changes: Any) -> Case:
    """Three steps of two passes."""

    def measure(measured: Measured) -> MemoryNeed:
        sizes = {"max_tokens": length, "micro_batch_size": micro, "batch_size": 2 * micro}
        settings = settings_of("scalar_rm", EpochSettings, **sizes, **changes)
        rows = [{"chosen_ids": tokens(length), "rejected_ids": tokens(length)} for _ in range(6 * micro)]
        scalar.pair_rows = lambda *_: (rows, LeftOut())
        measured.tokens = 2 * settings.batch_size * length
        make_repeatable(0, settings.threads, strict=True)
        model = lambda: new_model(shape, settings.dtype.value, labels=1)  # noqa: E731
        scalar.train_scalar(measured.run("scalar_rm"), model, measured.tokenizer, [], settings)
        return planned(shape, settings, length, scored=True)

    return measure


def grpo_case(shape: str, prompt: int, reply: int, micro: int, *, sampled: bool = False, **changes: Any) -> Case:
    """Two steps over the same eight replies to two prompts of different length."""

    def measure(measured: Measured) -> MemoryNeed:
        sizes = {"max_prompt_tokens": prompt, "max_reply_tokens": reply, "micro_batch_size": micro, "batch_size": 8}
        task = {"prompt_variant": "full", "rewards": {"verdict": 1.0}, "rollout_samples": None, "kl_weight": 0.001}
        steps = {"steps": 2, "num_iterations": 2, "replies_per_prompt": 4, "steps_without_signal": 10**6}
        settings = settings_of("grpo", GrpoSettings, **sizes, **task, **steps, **changes)
        rows = [
            {
                "prompt": [{"role": "user", "content": "1" * (prompt - 2 - at % 2 * (prompt // 40))}],
                "better": "A", "response_a": "", "response_b": "", "pair_id": str(at), "prompt_variant": "full",
                "max_reply_tokens": reply,
            }
            for at in range(16)
        ]  # fmt: skip
        grpo.prompt_rows = lambda *_: (rows, LeftOut())
        measured.tokens = settings.batch_size * (prompt + reply)

        def random_replies(input_ids: Any, **_: Any) -> Any:
            drawn = torch.randint(0, WORDS, (len(input_ids), reply), device=input_ids.device)
            return torch.cat([input_ids, drawn], dim=1)

        measured.sampled = None if sampled else random_replies
        make_repeatable(0, settings.threads, strict=True)
        start = measured.scratch / "start"
        if settings.lora is None:  # TRL loads the reference from there
            new_model(shape, "bfloat16").save_pretrained(start)
            measured.tokenizer.save_pretrained(start)
            torch.cuda.empty_cache()
        else:
            grpo.load_language_model = lambda *_: new_model(shape, settings.dtype.value)
        torch.cuda.reset_peak_memory_stats()
        grpo.train_grpo(measured.run("grpo"), start, measured.tokenizer, [], settings)
        return planned(shape, settings, prompt + reply, prompt=prompt)

    return measure


def judge_case(shape: str, prompt: int, reply: int, batch: int, dtype: str = "bfloat16") -> Case:
    """Two batches of replies of full length, after one that warms up."""

    def measure(measured: Measured) -> MemoryNeed:
        model = new_model(shape, dtype).eval()
        stops = StopTokens(measured.tokenizer, "", model.get_output_embeddings().weight.shape[0], ())
        for written in (4, reply, reply):
            sampling = Sampling(max_new_tokens=written, temperature=0.0, top_p=1.0, seed=0, stop="")
            prompts = [Prompt((), tuple(tokens(prompt - at % 5 * 8))) for at in range(batch)]
            measured.on_step_begin()
            draw_batch(model, prompts, sampling, stops, PAD)
            measured.on_step_end()
            measured.note("replies" if written == reply else "before")
        measured.tokens = batch * reply
        sizes = shape_of_config(config_of(shape).to_dict(), shape)
        width = 4 if dtype == "float32" else 2
        return judge_memory(Judging(sizes, width, False, False, batch, batch * prompt, prompt, reply, True))

    return measure


CASES: dict[str, Case] = {
    "sft-1.7b": sft_case("1.7b", 8192, 2, packing=True),
    "grpo-1.7b": grpo_case("1.7b", 4096, 2048, 4),
    "sft-7b-lora": sft_case("7b", 8192, 1, packing=True, lora=LORA, dtype="bfloat16"),
    "grpo-7b-lora": grpo_case("7b", 4096, 4096, 2, lora=LORA, dtype="bfloat16"),
    "rollouts-1.7b": grpo_case("1.7b", 4096, 64, 4, sampled=True),
    "scalar_rm-1.7b": scalar_case("1.7b", 4096, 2),
    "judge-1.5b-32": judge_case("1.5b", 1000, 256, 32),
    "judge-1.5b-128": judge_case("1.5b", 1000, 256, 128),
    "sft-0.5b-kept": sft_case("0.5b", 4096, 2, gradient_checkpointing=False),
    "sft-1.5b-bfloat16": sft_case("1.5b", 4096, 2, dtype="bfloat16"),
    "sft-7b-lora-kept": sft_case("7b", 2048, 1, gradient_checkpointing=False, lora=LORA, dtype="bfloat16"),
    "sft-0.5b-eager": sft_case("0.5b", 2048, 2, attention="eager", gradient_checkpointing=False),
}
"""`-kept` without gradient checkpointing."""


def measure_here(name: str, tokenizer: Path) -> None:
    """Measure one case in this process; print its line."""
    with tempfile.TemporaryDirectory() as scratch:
        measured = Measured(AutoTokenizer.from_pretrained(tokenizer), Path(scratch))
        for module in (sft, scalar, grpo):
            module.train_and_save = measured.train
        need = CASES[name](measured)
    plan = {phase: sum(parts.values()) / GIB for phase, parts in need.phases.items()}
    compared = {phase: [plan[phase], measured.peaks.get(phase)] for phase in plan}
    rounded = {phase: [round(size, 2) if size else None for size in sizes] for phase, sizes in compared.items()}
    quickest = min(measured.seconds[1:])
    row = {"case": name, "card": torch.cuda.get_device_name(), "torch": torch.__version__, "plan, peak": rounded}
    row |= {"reserved": round(measured.reserved, 2), "seconds": [round(one, 2) for one in measured.seconds]}
    row |= {"tokens": measured.tokens, "tokens a second": round(measured.tokens / quickest)}
    row |= {"parts": {part: round(size / GIB, 2) for part, size in need.parts.items()}}
    print(json.dumps(row), flush=True)


def main() -> None:
    """Measure the cases that are asked for, each in a process of its own."""
    parser = argparse.ArgumentParser(description="Peak memory and speed on one GPU, beside the plan's.")
    parser.add_argument("--tokenizer", type=Path, required=True, help="checkpoint folder of the miniature")
    parser.add_argument("--case", action="append", choices=list(CASES), help="default: all")
    asked = parser.parse_args()
    cases = asked.case or list(CASES)
    if len(cases) == 1:
        measure_here(cases[0], asked.tokenizer)
        return
    for name in cases:
        command = [sys.executable, "-m", "benchmarks.gpu_memory", "--tokenizer", str(asked.tokenizer), "--case", name]
        subprocess.run(command, check=False)


if __name__ == "__main__":
    main()
