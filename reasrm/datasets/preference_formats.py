"""The formats in which preference data sets come: one table, each with its name, source, fields and reading.

A row is of a format if it has all of the format's fields (null is as good as absent) and fits its condition. A format
whose fields are all among another's steps back for it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from reasrm.datasets import chosen_rejected as marked
from reasrm.datasets import compared_answers as compared
from reasrm.datasets.chosen_rejected import Reading
from reasrm.datasets.compared_answers import BetterAnswer
from reasrm.datasets.dialogue_text import is_hh_dialogue
from reasrm.datasets.judged_rows import rm_r1_pair
from reasrm.datasets.other_fields import (
    QUESTION_FIELDS,
    SYSTEM_FIELDS,
)
from reasrm.datasets.row_fields import Row

HUB = "https://huggingface.co/datasets"
TRL = "https://huggingface.co/docs/trl/dataset_formats"
ANSWERS = ("chosen", "rejected")
ABOUT_ROWS = {"source", "dataset", "category", "subcategory", "subset", "domain", "topic", "task", "type", "language"}
"""Fields that may hold several words and no part of a question."""


class PreferenceFormat(NamedTuple):
    """One way in which rows hold a preference."""

    name: str
    source: str
    """Where it is documented, or the data set that has it."""
    fields: tuple[str, ...]
    """What a row of it has."""
    read: Reading
    when: Callable[[Row], bool] | None = None
    """What more must hold of a row of it."""
    explains: tuple[str, ...] = ()
    """Further fields that rows of it have and that mean something else than they do alone."""


def _no_prompt(row: Row) -> bool:
    return not any(field in row for field in QUESTION_FIELDS)


def _plain_texts(row: Row) -> bool:
    answers = [row[field] for field in ANSWERS]
    if not all(isinstance(one, str) for one in answers) or any(map(is_hh_dialogue, answers)):
        return False
    return _no_prompt(row) and not any(_may_be_asked(field, value) for field, value in row.items())


def _may_be_asked(field: str, value: Any) -> bool:
    """Whether a field, by what it holds, may be the question (under a name that nobody knows)."""
    if field in {*ANSWERS, *SYSTEM_FIELDS, *ABOUT_ROWS} or field.startswith(ANSWERS):
        return False
    return len(value.split(maxsplit=2)) > 1 if isinstance(value, str) else bool(value) and isinstance(value, list)


def _dialogues(row: Row) -> bool:
    return any(is_hh_dialogue(row[field]) for field in ANSWERS) and _no_prompt(row)


def _lists(row: Row) -> bool:
    return any(isinstance(row[field], list) for field in ANSWERS)


_FIRST, _SECOND = BetterAnswer.FIRST, BetterAnswer.SECOND

FORMATS = (
    PreferenceFormat("TRL, explicit prompt", TRL, ("prompt", *ANSWERS), marked.with_prompt("prompt")),
    PreferenceFormat("TRL, implicit prompt in turns", TRL, ANSWERS, marked.whole_conversations, when=_lists),
    PreferenceFormat("TRL, implicit prompt in texts", TRL, ANSWERS, marked.shared_beginning, when=_plain_texts),
    PreferenceFormat("hh-rlhf", f"{HUB}/Anthropic/hh-rlhf", ANSWERS, marked.hh_rlhf, when=_dialogues),
    PreferenceFormat(
        "messages", f"{HUB}/HuggingFaceH4/ultrafeedback_binarized", ("messages", *ANSWERS),
        marked.with_prompt("messages"),
    ),
    PreferenceFormat("Orca", f"{HUB}/Intel/orca_dpo_pairs", ("question", *ANSWERS), marked.with_prompt("question")),
    PreferenceFormat(
        "Argilla's Orca", f"{HUB}/argilla/distilabel-intel-orca-dpo-pairs", ("input", *ANSWERS),
        marked.with_prompt("input"),
    ),
    PreferenceFormat(
        "instruction", "https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md", ("instruction", *ANSWERS),
        marked.with_prompt("instruction"),
    ),
    PreferenceFormat(
        "LLaMA-Factory, Alpaca", "https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md",
        ("instruction", "input", *ANSWERS), marked.alpaca,
    ),
    PreferenceFormat(
        "LLaMA-Factory, ShareGPT", "https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md",
        ("conversations", *ANSWERS), marked.with_prompt("conversations"),
    ),
    PreferenceFormat(
        "ms-swift", "https://swift.readthedocs.io/en/latest/Customization/Custom-dataset.html",
        ("messages", "rejected_response"), marked.rejected_beside("rejected_response"),
    ),
    PreferenceFormat(
        "ms-swift, conversations", "https://swift.readthedocs.io/en/latest/Customization/Custom-dataset.html",
        ("messages", "rejected_messages"), marked.conversations_in("messages", "rejected_messages"),
    ),
    PreferenceFormat(
        "UltraInteract", f"{HUB}/openbmb/UltraInteract_pair", ("trajectory", *ANSWERS),
        marked.with_prompt("trajectory"),
    ),
    PreferenceFormat(
        "OpenPipe", "https://docs.openpipe.ai/features/fine-tuning/reward-models", ("messages", "rejected_message"),
        marked.rejected_beside("rejected_message"),
    ),
    PreferenceFormat(
        "Argilla's responses", f"{HUB}/argilla/distilabel-math-preference-dpo",
        ("instruction", "chosen_response", "rejected_response"),
        marked.texts("instruction", "chosen_response", "rejected_response"),
    ),
    PreferenceFormat(
        "OpenAI preference fine-tuning", "https://platform.openai.com/docs/guides/direct-preference-optimization",
        ("input", "preferred_output", "non_preferred_output"), marked.openai_fine_tuning,
    ),
    PreferenceFormat(
        "Code-Preference-Pairs", f"{HUB}/Vezora/Code-Preference-Pairs", ("input", "accepted", "rejected"),
        marked.texts("input", "accepted", "rejected"),
    ),
    PreferenceFormat(
        "Math-Step-DPO", f"{HUB}/xinlai/Math-Step-DPO-10K", ("prompt", "full_chosen", "full_rejected"),
        marked.texts("prompt", "full_chosen", "full_rejected"), explains=ANSWERS,
    ),
    PreferenceFormat(
        "StackExchange paired", f"{HUB}/lvwerra/stack-exchange-paired", ("question", "response_j", "response_k"),
        marked.texts("question", "response_j", "response_k"),
    ),
    PreferenceFormat(
        "UltraFeedback", f"{HUB}/openbmb/UltraFeedback", ("instruction", "completions"), compared.ultrafeedback
    ),
    PreferenceFormat(
        "StackExchange preferences", f"{HUB}/HuggingFaceH4/stack-exchange-preferences", ("question", "answers"),
        compared.stack_exchange,
    ),
    PreferenceFormat("Nectar", f"{HUB}/berkeley-nest/Nectar", ("prompt", "answers"), compared.nectar),
    PreferenceFormat(
        "distilabel", "https://distilabel.argilla.io/latest/components-gallery/tasks/ultrafeedback/",
        ("instruction", "generations", "ratings"), compared.distilabel,
    ),
    PreferenceFormat(
        "HelpSteer2", f"{HUB}/nvidia/HelpSteer2", ("prompt", "response_1", "response_2", "preference_strength"),
        compared.compared(
            compared.helpsteer_asked, "response_1", "response_2", compared.signed("preference_strength", 3)
        ),
    ),
    PreferenceFormat(
        "HelpSteer3", f"{HUB}/nvidia/HelpSteer3", ("context", "response1", "response2", "overall_preference"),
        compared.compared(
            compared.conversed("context"), "response1", "response2", compared.signed("overall_preference", 3)
        ),
    ),
    PreferenceFormat(
        "SHP", f"{HUB}/stanfordnlp/SHP", ("history", "human_ref_A", "human_ref_B", "labels"),
        compared.compared(compared.asked("history"), "human_ref_A", "human_ref_B", compared.shp_preferred),
    ),
    PreferenceFormat(
        "Arena", f"{HUB}/lmsys/chatbot_arena_conversations", ("conversation_a", "conversation_b", "winner"),
        compared.arena,
    ),
    PreferenceFormat(
        "Arena 55k", f"{HUB}/lmarena-ai/arena-human-preference-55k",
        ("prompt", "response_a", "response_b", "winner_model_a", "winner_model_b", "winner_tie"), compared.arena_lists,
    ),
    PreferenceFormat(
        "Arena, WSDM Cup", "https://www.kaggle.com/competitions/wsdm-cup-multilingual-chatbot-arena/data",
        ("prompt", "response_a", "response_b", "winner"),
        compared.compared(
            compared.asked("prompt"), "response_a", "response_b", compared.labelled("winner", compared.WINNERS)
        ),
    ),
    PreferenceFormat(
        "LLMBar", "https://github.com/princeton-nlp/LLMBar", ("input", "output_1", "output_2", "label"),
        compared.compared(
            compared.asked("input"), "output_1", "output_2", compared.labelled("label", {"1": _FIRST, "2": _SECOND})
        ),
    ),
    PreferenceFormat(
        "AlpacaFarm", f"{HUB}/tatsu-lab/alpaca_farm", ("instruction", "output_1", "output_2", "preference"),
        compared.compared(
            compared.alpaca_farm_asked, "output_1", "output_2",
            compared.labelled("preference", {"1": _FIRST, "2": _SECOND, "1.5": BetterAnswer.NEITHER}),
        ),
    ),
    PreferenceFormat(
        "PKU-SafeRLHF", f"{HUB}/PKU-Alignment/PKU-SafeRLHF",
        ("prompt", "response_0", "response_1", "better_response_id"),
        compared.compared(
            compared.asked("prompt"), "response_0", "response_1",
            compared.labelled("better_response_id", {"0": _FIRST, "1": _SECOND}),
        ),
    ),
    PreferenceFormat(
        "WebGPT", f"{HUB}/openai/webgpt_comparisons", ("question", "answer_0", "answer_1", "score_0", "score_1"),
        compared.compared(compared.webgpt_asked, "answer_0", "answer_1", compared.scored("score_0", "score_1")),
    ),
    PreferenceFormat(
        "RMB", "https://github.com/Zhou-Zoey/RMB-Reward-Model-Benchmark", ("conversation_input", "chosen", "reject"),
        compared.rmb,
    ),
    PreferenceFormat("RM-R1", f"{HUB}/gaotang/RM-R1-Entire-RLVR-Train", ("context_messages", "winner"), rm_r1_pair),
)  # fmt: skip
"""All formats; a line that is a pair of our own is of the first, with its source and labels kept."""


def formats_of(row: Row) -> list[PreferenceFormat]:
    """The formats that the row is of; several, if none of them has all fields of another."""
    there = {field for field, value in row.items() if value is not None}
    fitting = [one for one in FORMATS if there.issuperset(one.fields) and (one.when is None or one.when(row))]
    return [one for one in fitting if not any(_more_special(other, one) for other in fitting)]


def _more_special(other: PreferenceFormat, one: PreferenceFormat) -> bool:
    return set(one.fields) < set(other.fields) | set(other.explains) and not set(other.fields) <= set(one.fields)
