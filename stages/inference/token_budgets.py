"""What a judge would have said with fewer tokens: its replies ended at a budget and made to decide there.

The paper's inference-time scaling (arXiv 2505.02387, section 4.3) lets a judge reason for 512 to 8,192 tokens. A reply
drawn with the largest limit holds all smaller ones: its first tokens are what a smaller budget would have drawn. So one
run gives the whole curve. A reply that fits into a budget stands as it is; a longer one is ended there, its open tags
are closed, and the model writes nothing but the side. A service cannot be made to go on with a reply that is begun:
there a reply beyond the budget has no verdict (`truncated`).
"""

from collections.abc import Mapping, Sequence

from stages.inference.engine import Prompt, Sampling
from stages.inference.judging_run import ask_all
from stages.inference.opening import OpenModel
from stages.inference.prompt_rendering import render_all
from stages.inference.replies import decode
from stages.judging.verdict import decision_opening
from stages.records.ledger import Ledger
from stages.records.reply import Finish, Reply
from stages.runtime.progress import ProgressLine

DECISION_TOKENS = 8
"""Tokens for the side and the end of the verdict."""

Replies = Mapping[str, Reply]
"""By `Prompt.key`."""


def replies_within(
    budget: int, model: OpenModel, prompts: Sequence[Prompt], replies: Replies, way: Sampling, ledger: Ledger
) -> dict[str, Reply]:
    """The replies to `prompts` if the judge may write `budget` tokens, given its `replies` without that limit."""
    over = [prompt for prompt in prompts if replies[prompt.key].completion_tokens > budget]
    found = {prompt.key: replies[prompt.key] for prompt in prompts}
    if model.tokenizer is None:
        return found | {prompt.key: _cut(replies[prompt.key], budget) for prompt in over}
    begun = {prompt.key: _begun(model, prompt, replies[prompt.key], budget) for prompt in over}
    short = way.model_copy(update={"max_new_tokens": DECISION_TOKENS})
    decided = ask_all(model.engine, list(begun.values()), short, ledger, ProgressLine(f"budget {budget}"))
    for prompt in over:
        ended = decided[begun[prompt.key].key]
        cost = {"prompt_tokens": len(prompt.token_ids), "completion_tokens": budget + ended.completion_tokens}
        found[prompt.key] = ended.model_copy(update=cost)
    return found


def _begun(model: OpenModel, prompt: Prompt, reply: Reply, budget: int) -> Prompt:
    """`prompt` with the first `budget` tokens of its reply, ready for the side."""
    written = reply.text[len(prompt.opened) :]
    ids = model.tokenizer(written, add_special_tokens=False)["input_ids"]
    kept = decode(model.tokenizer, ids[:budget])
    begun = kept + decision_opening(prompt.opened + kept)
    return render_all(model.tokenizer, [prompt.messages], begun)[prompt.messages]


def _cut(reply: Reply, budget: int) -> Reply:
    """A service's reply beyond its budget; its tokens are not known, so the text is cut in proportion."""
    kept = reply.text[: len(reply.text) * budget // reply.completion_tokens]
    return reply.model_copy(
        update={"text": kept, "finish": Finish.LENGTH, "completion_tokens": budget, "verdict_logprob": None}
    )
