"""The prompt of a comparison: instruction, conversation and two answers, framed so that no text leaves its frame."""

from collections.abc import Callable

from reasrm.judging.chain_of_rubrics import HINT, PromptVariant, instruction
from reasrm.judging.untrusted_text import defuse, defuse_turn
from reasrm.records.comparison import Comparison, Side
from reasrm.records.pair import Message, Role

QUESTION_START = "[Start of the client's question]"
QUESTION_END = "[End of the client's question]"
CONVERSATION_START = "[Start of the conversation so far]"
CONVERSATION_END = "[End of the conversation so far]"
RESPONSE_START = {side: f"[Start of answer {side}]" for side in Side}
RESPONSE_END = {side: f"[End of answer {side}]" for side in Side}
SPEAKER = {Role.USER: "Client", Role.ASSISTANT: "Assistant", Role.SYSTEM: "System"}

PLAIN_COMPARISON = Comparison(
    pair_id="", prompt=(Message(role=Role.USER, content="words"),), response_a="one", response_b="two", better=Side.A
)
"""A comparison without anything odd in it: a chat template that does not render it renders none."""


def judge_prompt(comparison: Comparison, variant: PromptVariant, *, defused: bool = True) -> tuple[Message, ...]:
    """The messages of a judge's prompt: system text and one user turn.

    They depend on the texts and their order, never on the label.
    A conversation of several turns is shown once, before the answers, with its speakers named; only its last turn is
    the question.

    Args:
        comparison: what is judged.
        variant: what the judge is asked to write.
        defused: whether imitated delimiters and tags in the texts are made harmless; false only for a probe that
            measures what that is worth.
    """
    return (
        Message(role=Role.SYSTEM, content=instruction(variant)),
        Message(role=Role.USER, content=_comparison_text(comparison, defused)),
    )


def hinted_prompt(comparison: Comparison, variant: PromptVariant, failed_attempt: str) -> tuple[Message, ...]:
    """The second oracle pass: the same prompt, then the right verdict and the attempt that missed it (app. B)."""
    hint = HINT.format(side=comparison.better.value)
    attempt = f"\n\n[Start of the earlier attempt]\n{defuse(failed_attempt)}\n[End of the earlier attempt]"
    system, shown = judge_prompt(comparison, variant)
    content = shown.content + "\n\n" + hint + (attempt if failed_attempt else "")
    return (system, Message(role=Role.USER, content=content))


def _comparison_text(comparison: Comparison, defused: bool = True) -> str:
    answers = {Side.A: comparison.response_a, Side.B: comparison.response_b}
    turn, text = (defuse_turn, defuse) if defused else (str, str)
    blocks = [_conversation(comparison.prompt[:-1], turn)] if len(comparison.prompt) > 1 else []
    blocks.append(f"{QUESTION_START}\n{text(comparison.prompt[-1].content)}\n{QUESTION_END}")
    blocks += [f"{RESPONSE_START[side]}\n{text(answers[side])}\n{RESPONSE_END[side]}" for side in Side]
    return "\n\n".join(blocks)


def _conversation(turns: tuple[Message, ...], shown: Callable[[str], str]) -> str:
    lines = [f"{SPEAKER[turn.role]}: {shown(turn.content)}" for turn in turns]
    return "\n".join((CONVERSATION_START, *lines, CONVERSATION_END))
