"""The fixed texts of a judge's prompt and reply, each of which is one entry of the miniature's vocabulary.

A real judge's instruction is three hundred words. A model of less than a million parameters reads the very same prompt,
but its tokenizer knows each fixed passage as one token, so that a prompt costs it a handful of tokens plus the texts
under judgement. No text under judgement can produce such a token: each contains a delimiter or tag that `defuse`
breaks.
"""

from reasrm.judging import prompt as frame
from reasrm.judging.chain_of_rubrics import PromptVariant, instruction
from reasrm.judging.untrusted_text import PROTOCOL_TAGS
from reasrm.records.comparison import Side

CHAT_TOKENS = ("<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
"""The chat template's own tokens; the first pads, the second ends a reply."""

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)

PROTOCOL_PASSAGES = (
    "<type>Reasoning</type><solution>",
    "<type>Chat</type><rubric>",
    "</solution><eval>",
    "</justify></rubric><eval>",
    "</eval><answer>[[",
    "<answer>[[",
    "]]</answer>",
)
"""Tags that follow each other in every well-formed reply."""


def delimiter_passages() -> tuple[str, ...]:
    """The delimiter lines of a prompt with the line breaks between them, longest passages first."""
    start, end = frame.RESPONSE_START, frame.RESPONSE_END
    joined = (
        f"\n{frame.QUESTION_END}\n\n{start[Side.A]}\n",
        f"\n{end[Side.A]}\n\n{start[Side.B]}\n",
        f"\n{end[Side.B]}",
        f"\n{frame.CONVERSATION_END}\n\n{frame.QUESTION_START}\n",
        f"{frame.CONVERSATION_START}\n",
        f"{frame.QUESTION_START}\n",
    )
    single = (frame.QUESTION_START, frame.QUESTION_END, frame.CONVERSATION_START, frame.CONVERSATION_END)
    return (*joined, *single, *start.values(), *end.values())


def fixed_texts() -> tuple[str, ...]:
    """Every fixed text that gets a token of its own, in the order of their ids."""
    tags = [form for tag in PROTOCOL_TAGS for form in (f"<{tag}>", f"</{tag}>")]
    types = [f"<type>{kind}</type>" for kind in ("Reasoning", "Chat")]
    instructions = [instruction(variant) for variant in PromptVariant]
    return (*instructions, *delimiter_passages(), *PROTOCOL_PASSAGES, *types, *tags)
