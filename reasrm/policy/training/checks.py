"""Answers to prompts that nothing is trained on, drawn at the start, every so many updates and at the end.

They lie in the folder that the training resumes from, in `answers/`: `<step>.jsonl`, and in the end `steps.jsonl`,
`prompts.jsonl` and `outcome.json` (`reasrm.records.policy`). What is measured of them is measured elsewhere
(`reasrm.policy.measures`), so no edit of a measure trains a policy again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.replies import DrawnTokens, decode
from reasrm.policy.training.answer_drawing import AnswerDrawing
from reasrm.policy.training.judge_rewards import BesideStart, JudgeView
from reasrm.policy.training.settings import PolicySettings
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.policy import PolicyAnswer, PolicyPrompt, answer_of, answers_file
from reasrm.records.reply import Finish
from reasrm.runtime.progress import ProgressLine
from reasrm.training.checkpoint import load_language_model


class PolicyChecks(TrainerCallback):  # type: ignore[misc]  # transformers is not followed by mypy
    """Draws the answers of a training's policy; of several processes each draws its share."""

    def __init__(
        self,
        folder: Path,
        start: Path,
        tokenizer: Any,
        prompts: Sequence[tuple[PolicyPrompt, Prompt]],
        settings: PolicySettings,
        judge: JudgeView,
    ) -> None:
        """Prepare.

        Args:
            folder: where the answers are written.
            start: the checkpoint that the training starts from.
            tokenizer: the policy's.
            prompts: what is answered, with its rendering.
            settings: of the training.
            judge: who sets an answer beside the start's.
        """
        self._folder, self._start, self._prompts = folder, start, prompts
        self._settings, self._judge, self._tokenizer = settings, judge, tokenizer
        self._drawing = AnswerDrawing(tokenizer, settings.checks.batch_size, settings.checks.batch_tokens)
        self._trainer: Any = None

    def watch(self, trainer: Any) -> None:
        """Draw from the policy of `trainer`."""
        self._trainer = trainer

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Check the start, where the training does not go on."""
        if state.global_step == 0:
            self._check(0)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Check, when it is time; this comes before the step is saved."""
        if state.global_step % self._settings.checks.every == 0:
            self._check(state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Check the end."""
        if (
            state.global_step % self._settings.checks.every
            or not answers_file(self._folder, state.global_step).exists()
        ):
            self._check(state.global_step)

    def steps(self, last: int) -> list[int]:
        """The steps that are checked in a training that ends with `last`."""
        return sorted({*range(0, last + 1, self._settings.checks.every), last})

    def _check(self, step: int) -> None:
        from accelerate.utils import gather_object

        accelerator = self._trainer.accelerator
        share = range(accelerator.process_index, len(self._prompts), accelerator.num_processes)
        answers = gather_object(self._answers(step, [self._prompts[place] for place in share]))
        if accelerator.is_main_process:
            places = {prompt.id: place for place, (prompt, _) in enumerate(self._prompts)}
            answers.sort(key=lambda one: (places[one.prompt_id], one.sample))
            write_records(answers_file(self._folder, step), answers)
        accelerator.wait_for_everyone()

    def _answers(self, step: int, prompts: Sequence[tuple[PolicyPrompt, Prompt]]) -> list[PolicyAnswer]:
        line = ProgressLine(f"policy check {step}")
        policy = self._trainer.accelerator.unwrap_model(self._trainer.model)
        drawn: list[tuple[PolicyPrompt, Prompt, int, DrawnTokens]] = []
        for sample in range(self._settings.checks.samples):
            line.show(f"sample {sample + 1} of {self._settings.checks.samples}")
            replies = self._drawing.draw(policy, [shown for _, shown in prompts], self._sampling(sample))
            drawn += [(prompt, shown, sample, one) for (prompt, shown), one in zip(prompts, replies, strict=True)]
        with self._start_model() as start:
            before = self._drawing.logprobs(
                start, [shown for _, shown, *_ in drawn], [one.token_ids for *_, one in drawn]
            )
        texts = [shown.head + decode(self._tokenizer, one.token_ids) for _, shown, _, one in drawn]
        own = [answer_of(text, self._settings.answer_after) for text in texts]
        line.show("the judge's view of the answers")
        asked = [(prompt, answer, sample) for (prompt, _, sample, _), answer in zip(drawn, own, strict=True)]
        found = self._beside_start(step, asked)
        line.end()
        return [
            PolicyAnswer(
                prompt_id=prompt.id,
                sample=sample,
                text=text,
                answer=answer,
                tokens=one.completion_tokens,
                truncated=one.finish is Finish.LENGTH,
                logprob=sum(one.logprobs or ()),
                start_logprob=logprob,
                proxy=beside.proxy,
                score=beside.score,
            )
            for (prompt, _, sample, one), text, answer, logprob, beside in zip(
                drawn, texts, own, before, found, strict=True
            )
        ]

    def _beside_start(self, step: int, asked: Sequence[tuple[PolicyPrompt, str, int]]) -> list[BesideStart]:
        """Each answer beside the start's to the same prompt with the same number."""
        if step == 0:
            return self._judge.beside([(prompt, answer, answer) for prompt, answer, _ in asked])
        first = read_records(answers_file(self._folder, 0), PolicyAnswer)
        starts = {(one.prompt_id, one.sample): one.answer for one in first}
        return self._judge.beside([(prompt, answer, starts[prompt.id, sample]) for prompt, answer, sample in asked])

    def _sampling(self, sample: int) -> Sampling:
        settings = self._settings
        return Sampling(
            max_new_tokens=settings.max_reply_tokens,
            temperature=1.0,
            top_p=1.0,
            seed=settings.seed * 1_000_003 + sample,
            stop="",
        )

    @contextmanager
    def _start_model(self) -> Iterator[Any]:
        """The model that the training starts from: the trainer's reference, the model without its adapter, or anew."""
        trainer, policy = self._trainer, self._trainer.accelerator.unwrap_model(self._trainer.model)
        if self._settings.lora is not None:
            with policy.disable_adapter():
                yield policy
        elif getattr(trainer, "ref_model", None) is not None:
            yield trainer.accelerator.unwrap_model(trainer.ref_model)
        else:
            yield load_language_model(self._start, self._settings).to(policy.device)
