"""Stops a GRPO training whose replies are not sampled from the model that is trained."""

from typing import Any

from transformers import TrainerCallback

from reasrm.runtime.stage_main import StageError

FINGERPRINT_EXEMPT = "it stops with an error, or changes nothing of what is trained or written"
MEAN = "sampling/sampling_logp_difference/mean"
MAX = "sampling/sampling_logp_difference/max"
CAUSES = (
    "vLLM's weights are stale, or not those of this model; it computes in another number format than the trainer; the "
    "prompts' tokens differ (template); the model has dropout; or `trl` sets top_p, top_k, min_p or a penalty, which "
    "change vLLM's probabilities alone"
)


class LogprobGapError(StageError):
    """The sampler's and the trainer's log-probabilities of the sampled tokens are too far apart."""


class StopOnLogprobGap(TrainerCallback):  # type: ignore[misc]  # transformers is not followed by mypy
    """Compares before each optimiser step, so no step is taken with replies of another model."""

    def __init__(self, name: str, most: float, trainer: Any) -> None:
        """Raise where the mean difference of a generation of `trainer` (TRL's) is above `most`."""
        self._name, self._most, self._trainer = name, most, trainer
        self._compared = False

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Read what TRL measured since it logged last.

        Raises:
            LogprobGapError: the difference is too large, or was never measured.
        """
        measured = self._trainer._metrics["train"]
        step, means, largest = state.global_step + 1, measured[MEAN], measured[MAX]
        if not means and not self._compared:
            raise LogprobGapError(
                f"{self._name}: step {step}: TRL did not compare log-probabilities: a defect; report it"
            )
        self._compared = True
        for mean, most in zip(means, largest, strict=True):
            if not mean <= self._most:
                raise LogprobGapError(
                    f"{self._name}: step {step}: the log-probabilities of sampled tokens differ between vLLM and the "
                    f"trainer by {mean:.2e} on average (largest {most:.2e}), and rollouts.most_logprob_gap is "
                    f"{self._most:.0e}. Likely causes: {CAUSES}"
                )
