"""A model that gives each answer a number: a classifier of one label (ScalarRM, Skywork-Reward, INF-ORM, ...)."""

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import count
from typing import Any

from reasrm.inference.checkpoint_loading import load_scalar
from reasrm.inference.engine import Prompt, batches_by_tokens
from reasrm.inference.local_model import NEUTRAL, LocalModelSettings, load_model
from reasrm.inference.prompt_rendering import template_identity
from reasrm.runtime.work_folder import file_hash

SCORE_DIGITS = 6


class ScalarEngine:
    """Scores conversations with their answer; loads the model when the first one comes."""

    def __init__(self, settings: LocalModelSettings, tokenizer: Any, model: Any = None) -> None:
        """Prepare for `settings`; `tokenizer` is the checkpoint's own, `model` one that is in memory already."""
        self._settings = settings
        self._tokenizer = tokenizer
        self._model: Any = model
        self._pad_id: int | None = model.config.get_text_config().pad_token_id if model is not None else None
        self.starts = 0
        """How often the model was loaded."""

    def identity(self) -> dict[str, Any]:
        """Everything besides the texts that the scores depend on."""
        return {
            "engine": "scalar",
            "versions": {name: version(name).split("+")[0] for name in ("torch", "transformers")},
            "checkpoint": file_hash(self._settings.checkpoint),
            **template_identity(self._tokenizer),
            **self._settings.model_dump(mode="json", exclude={"checkpoint", "tensor_parallel", *NEUTRAL}),
        }

    def batches(self, conversations: Sequence[Prompt]) -> list[range]:
        """Batches limited in conversations and in padded tokens."""
        lengths = [len(one.token_ids) for one in conversations]
        return batches_by_tokens(lengths, self._settings.batch_size, self._settings.batch_tokens)

    def score(self, conversations: Sequence[tuple[int, ...]]) -> Iterator[float]:
        """Yield the score of each conversation (token ids), in the given order; sort them by length for speed."""
        import torch

        model = self._loaded()
        lengths = [len(ids) for ids in conversations]
        for batch in batches_by_tokens(lengths, self._settings.batch_size, self._settings.batch_tokens):
            part, longest = conversations[batch.start : batch.stop], max(lengths[batch.start : batch.stop])
            pad_id = self._padding(part)
            ids = torch.tensor([[*row, *[pad_id] * (longest - len(row))] for row in part], device=model.device)
            mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in part], device=model.device)
            with torch.inference_mode():
                scores = model(input_ids=ids, attention_mask=mask).logits[:, 0]
            yield from (round(score, SCORE_DIGITS) for score in scores.float().tolist())

    def _padding(self, part: Sequence[tuple[int, ...]]) -> int:
        """The id that fills up short rows: the model takes the last token that differs from it.

        A model without one reads rows alone and takes the last token, so the padding must be none of their tokens.
        """
        if self._pad_id is None:
            used = {token for row in part for token in row}
            self._model.config.get_text_config().pad_token_id = next(token for token in count() if token not in used)
        return int(self._model.config.get_text_config().pad_token_id)

    def close(self) -> None:
        """Let the model go."""
        self._model = None

    def _loaded(self) -> Any:
        if self._model is None:
            self.starts += 1
            self._model = load_model(load_scalar, self._settings)
            self._pad_id = self._model.config.get_text_config().pad_token_id
        return self._model
