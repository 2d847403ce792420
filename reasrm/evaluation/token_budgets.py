"""What a judge would have said with fewer tokens: its replies ended at a token budget, and a verdict forced there.

The paper's inference-time scaling (arXiv 2505.02387, section 4.3) lets a judge reason for 512 to 8,192 tokens. A reply
drawn with the largest limit holds all smaller ones: its first tokens are what a smaller budget would have drawn. So one
run gives the whole curve. A reply that fits into a budget stands as it is; a longer one is ended there, its open tags
are closed, and the model writes nothing but its verdict, in the form that its reader reads (budget forcing, as in arXiv
2501.19393). A service cannot be made to go on with a reply that is begun: there a reply beyond the budget has no
verdict (`truncated`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reasrm.evaluation.published_judges.reply_readers import ForcedVerdict
from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.model_opening import OpenModel
from reasrm.inference.prompt_rendering import render_all
from reasrm.inference.prompt_run import ask_all
from reasrm.inference.replies import decode
from reasrm.judging.verdict import forced_ending
from reasrm.records.ledger import Ledger
from reasrm.records.reply import Finish, Reply
from reasrm.runtime.progress import ProgressLine

Replies = Mapping[str, Reply]
"""By `Prompt.key`."""


@dataclass(frozen=True, slots=True)
class TokenBudget:
    """How much a judge may write before its verdict is forced."""

    tokens: int
    forced_verdict: ForcedVerdict
    """How it is forced."""


def replies_within(
    budget: TokenBudget,
    model: OpenModel,
    prompts: Sequence[Prompt],
    replies: Replies,
    sampling: Sampling,
    ledger: Ledger | None,
) -> dict[str, Reply]:
    """The replies to `prompts` if the judge may write no more than `budget`, given its `replies` without that limit."""
    over = [prompt for prompt in prompts if replies[prompt.key].completion_tokens > budget.tokens]
    found = {prompt.key: replies[prompt.key] for prompt in prompts}
    if model.tokenizer is None:
        return found | {prompt.key: _cut(replies[prompt.key], budget.tokens) for prompt in over}
    begun = {prompt.key: _begun(model, prompt, replies[prompt.key], budget) for prompt in over}
    short = sampling.model_copy(update={"max_new_tokens": budget.forced_verdict.tokens})
    forced = ask_all(model.engine, list(begun.values()), short, ledger, ProgressLine(f"budget {budget.tokens}"))
    for prompt in over:
        ended = forced[begun[prompt.key].key]
        cost = {"prompt_tokens": len(prompt.token_ids), "completion_tokens": budget.tokens + ended.completion_tokens}
        found[prompt.key] = ended.model_copy(update=cost)
    return found


def _begun(model: OpenModel, prompt: Prompt, reply: Reply, budget: TokenBudget) -> Prompt:
    """`prompt` with the first tokens of its reply and the opening of a verdict."""
    written = reply.text[len(prompt.head) :]
    ids = model.tokenizer(written, add_special_tokens=False)["input_ids"]
    kept = prompt.begun + decode(model.tokenizer, ids[: budget.tokens])
    begun = kept + forced_ending(prompt.opened + kept, budget.forced_verdict.opening)
    return render_all(model.tokenizer, [prompt.messages], begun)[prompt.messages]


def _cut(reply: Reply, budget: int) -> Reply:
    """A service's reply beyond its budget.

    Which of its text came within is not known, least of all behind hidden thoughts, so none is kept: a part that is cut
    at a guess could show a verdict that was only weighed.
    """
    return Reply(text="", finish=Finish.LENGTH, prompt_tokens=reply.prompt_tokens, completion_tokens=budget)
