"""A checkpoint in this process, run by transformers: the embedded default, on CPU or one GPU."""

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

from reasrm.inference.checkpoint_loading import load_causal
from reasrm.inference.engine import Answered, Prompt, Sampling, batches_by_tokens
from reasrm.inference.local_model import NEUTRAL, LocalModelSettings, load_model
from reasrm.inference.prompt_rendering import template_identity
from reasrm.inference.replies import reply_from_tokens
from reasrm.inference.verdict_margin import ONE_TOKEN
from reasrm.runtime.work_folder import file_hash


class TransformersEngine:
    """Runs a causal language model; loads it when the first prompt is asked."""

    def __init__(self, settings: LocalModelSettings, tokenizer: Any, model: Any = None) -> None:
        """Prepare for `settings`; `tokenizer` is the checkpoint's own, `model` one that is in memory already."""
        self._settings = settings
        self._tokenizer = tokenizer
        self._model: Any = model
        self.starts = 0

    def identity(self) -> dict[str, Any]:
        """Everything besides prompt and sampling that the replies depend on, batch shape included."""
        return {
            "engine": "transformers",
            "versions": {name: version(name).split("+")[0] for name in ("torch", "transformers")},
            "checkpoint": file_hash(self._settings.checkpoint),
            **template_identity(self._tokenizer),
            **self._settings.model_dump(mode="json", exclude={"checkpoint", "tensor_parallel", *NEUTRAL}),
        }

    def batches(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[range]:
        """Batches limited in prompts, in padded tokens, and in what their cache holds with the longest replies."""
        lengths, limits = [len(prompt.token_ids) for prompt in prompts], self._settings
        within = (limits.batch_size, limits.batch_tokens, limits.cache_tokens)
        return batches_by_tokens(lengths, *within, sampling.max_new_tokens)

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Answered]:
        """Yield each prompt with its reply, in the given order, batch by batch."""
        from reasrm.inference.decoding import draw_batch
        from reasrm.inference.stop_tokens import StopTokens, end_of_turn_ids

        model = self._loaded()
        ends, pad_id = end_of_turn_ids(model, self._tokenizer), self._pad_id()
        stops = StopTokens(self._tokenizer, sampling.stop, model.get_output_embeddings().weight.shape[0], ends)
        for batch in self.batches(prompts, sampling):
            part = prompts[batch.start : batch.stop]
            drawn = draw_batch(model, part, sampling, stops, pad_id)
            for prompt, tokens in zip(part, drawn, strict=True):
                yield prompt, reply_from_tokens(self._tokenizer, tokens, prompt, sampling.stop)

    def log_odds(self, prompts: Sequence[tuple[int, ...]], tokens: tuple[int, int]) -> Iterator[float]:
        """Yield the log-odds of the first of `tokens` over the second behind each prompt, in order, batch by batch."""
        from reasrm.inference.decoding import next_logits

        model, pad_id = self._loaded(), self._pad_id()
        asked = [Prompt((), ids) for ids in prompts]
        for batch in self.batches(asked, ONE_TOKEN):
            logits = next_logits(model, asked[batch.start : batch.stop], pad_id)[:, list(tokens)].double()
            yield from (logits[:, 0] - logits[:, 1]).tolist()

    def close(self) -> None:
        """Let the model go."""
        self._model = None

    def _pad_id(self) -> int:
        """Any token does, since padding is masked: the tokenizer's own, or what ends a turn."""
        from reasrm.inference.stop_tokens import end_of_turn_ids

        pad = self._tokenizer.pad_token_id
        return int(pad if pad is not None else end_of_turn_ids(self._loaded(), self._tokenizer)[0])

    def _loaded(self) -> Any:
        if self._model is None:
            self.starts += 1
            self._model = load_model(load_causal, self._settings)
        return self._model
