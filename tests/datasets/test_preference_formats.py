"""Every published format of preferences gives the same pair; what is unclear is refused with its reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.datasets.preference_formats import FORMATS, formats_of
from reasrm.datasets.preference_rows import preference_pair
from reasrm.datasets.row_fields import Refusal, RowRefusedError
from reasrm.records.content_hash import canonical_json
from reasrm.records.pair import Message, PreferencePair, Role
from tests.fixtures.json_values import JSON_VALUES
from tests.fixtures.rm_r1_prompts import rm_r1_prompt

ROOT = Path(__file__).parents[2]
ASKED, GOOD, BAD = "Which planet is the largest?", "Jupiter is.", "Mars is."
Q = {"role": "user", "content": ASKED}
A, B = {"role": "assistant", "content": GOOD}, {"role": "assistant", "content": BAD}
PARTS = {"role": "user", "content": [{"type": "text", "text": ASKED}]}
HUMAN, GPT, GPT_BAD = {"from": "human", "value": ASKED}, {"from": "gpt", "value": GOOD}, {"from": "gpt", "value": BAD}
DIALOGUE = f"\n\nHuman: {ASKED}\n\nAssistant:"
OURS = PreferencePair(prompt=(Message(role=Role.USER, content=ASKED),), chosen=GOOD, rejected=BAD, source="ours")
TEXTS = {"chosen": GOOD, "rejected": BAD}
TURNS = {"chosen": [Q, A], "rejected": [Q, B]}

ROWS: list[tuple[str, dict[str, Any]]] = [
    ("TRL, explicit prompt", {"prompt": ASKED, **TEXTS}),
    ("TRL, explicit prompt", {"prompt": [Q], "chosen": [A], "rejected": [B]}),
    ("TRL, explicit prompt", {"prompt": [Q], **TEXTS}),
    ("TRL, explicit prompt", {"prompt": [PARTS], "chosen": [A], "rejected": [B]}),
    ("TRL, explicit prompt", {"prompt": ASKED, "chosen": A, "rejected": B}),
    ("TRL, explicit prompt", {"prompt": DIALOGUE, "chosen": GOOD, "rejected": BAD, "response": GOOD}),  # Dahoas
    ("TRL, explicit prompt", OURS.model_dump(mode="json")),
    ("TRL, implicit prompt in turns", TURNS),  # Skywork, OpenRLHF, preference_700K
    ("TRL, implicit prompt in turns", TURNS | {"source": "magpie", "prompt": None}),
    ("TRL, implicit prompt in turns", {"chosen": [{"role": "system", "content": ""}, Q, A], "rejected": [Q, B]}),
    ("TRL, implicit prompt in texts", {"chosen": f"{ASKED} {GOOD}", "rejected": f"{ASKED} {BAD}"}),
    ("hh-rlhf", {"chosen": f"{DIALOGUE} {GOOD}", "rejected": f"{DIALOGUE} {BAD}"}),
    ("TRL, explicit prompt", TURNS | {"prompt": ""}),
    ("messages", {"messages": [Q], **TEXTS}),
    ("messages", {"messages": [Q, A], **TEXTS}),
    ("messages", {"messages": [Q, A], **TURNS}),
    ("messages", {"messages": [Q, A], "chosen": [A], "rejected": [B]}),
    ("Orca", {"system": "", "question": ASKED, **TEXTS}),
    ("Argilla's Orca", {"system": None, "input": ASKED, **TEXTS, "rating": [9, 2], "status": "swapped"}),
    ("instruction", {"instruction": ASKED, **TEXTS, "chosen_rating": 9, "rejected_rating": 2.5}),
    ("instruction", {"instruction": ASKED, **TURNS}),  # Magpie
    ("LLaMA-Factory, Alpaca", {"instruction": ASKED, "input": "", **TEXTS}),
    ("LLaMA-Factory, ShareGPT", {"conversations": [HUMAN], "chosen": GPT, "rejected": GPT_BAD}),
    ("OpenPipe", {"messages": [Q, A], "rejected_message": B}),
    ("Argilla's responses", {"instruction": ASKED, "chosen_response": GOOD, "rejected_response": BAD}),
    ("ms-swift", {"messages": [Q, A], "rejected_response": BAD}),
    ("OpenAI preference fine-tuning",
     {"input": {"messages": [Q], "tools": []}, "preferred_output": [A], "non_preferred_output": [B]}),
    ("Code-Preference-Pairs", {"input": ASKED, "accepted": GOOD, "rejected": BAD}),
    ("Math-Step-DPO", {"prompt": ASKED, "chosen": "step", "rejected": "x", "full_chosen": GOOD, "full_rejected": BAD}),
    ("UltraInteract", {"task": "Math", "trajectory": [HUMAN], **TEXTS}),
    ("ms-swift, conversations", {"messages": [Q, A], "rejected_messages": [Q, B]}),
    ("StackExchange preferences", {"question": ASKED, "answers": [
        {"text": BAD, "pm_score": 0}, {"text": "?", "pm_score": 3}, {"text": GOOD, "pm_score": 9, "selected": True}]}),
    ("StackExchange paired", {"qid": 1, "question": ASKED, "response_j": GOOD, "response_k": BAD}),
    ("UltraFeedback", {"instruction": ASKED, "completions": [
        {"response": "?", "overall_score": 3.0}, {"response": BAD, "overall_score": 1},
        {"response": GOOD, "overall_score": 8.5}]}),
    ("Nectar", {"prompt": f"{DIALOGUE} ", "answers": [{"answer": BAD, "rank": 7.0}, {"answer": GOOD, "rank": 1.0}]}),
    ("distilabel", {"instruction": ASKED, "generations": [BAD, GOOD], "ratings": [1, 5]}),
    ("HelpSteer2", {"prompt": ASKED, "response_1": BAD, "response_2": GOOD, "preference_strength": 1}),
    ("HelpSteer2", {"prompt": ASKED, "response_1": GOOD, "response_2": BAD, "preference_strength": -3}),
    ("HelpSteer3", {"context": [Q], "response1": GOOD, "response2": BAD, "overall_preference": -2, "domain": "stem"}),
    ("SHP", {"history": ASKED, "human_ref_A": GOOD, "human_ref_B": BAD, "labels": 1, "score_A": 9, "score_B": 3}),
    ("SHP", {"history": ASKED, "human_ref_A": BAD, "human_ref_B": GOOD, "labels": 0}),
    ("Arena", {"conversation_a": [Q, B], "conversation_b": [Q, A], "winner": "model_b", "turn": 1}),
    ("Arena", {"conversation_a": [Q, A, Q, B], "conversation_b": [Q, B, Q, A], "winner": "model_a",
               "turn": 1}),  # MT-bench
    ("Arena 55k", {"prompt": json.dumps([ASKED]), "response_a": json.dumps([GOOD]), "response_b": json.dumps([BAD]),
                   "winner_model_a": 1, "winner_model_b": 0, "winner_tie": 0}),
    ("Arena 55k", {"prompt": json.dumps([ASKED]), "response_a": json.dumps([BAD]), "response_b": json.dumps([GOOD]),
                   "winner_model_a": "0", "winner_model_b": "1", "winner_tie": "0"}),  # as a CSV has it
    ("Arena, WSDM Cup", {"prompt": ASKED, "response_a": GOOD, "response_b": BAD, "winner": "model_a"}),
    ("LLMBar", {"input": ASKED, "output_1": BAD, "output_2": GOOD, "label": 2}),
    ("LLMBar", {"input": ASKED, "output_1": GOOD, "output_2": BAD, "label": "1"}),
    ("AlpacaFarm", {"instruction": ASKED, "input": "", "output_1": GOOD, "output_2": BAD, "preference": 1}),
    ("PKU-SafeRLHF", {"prompt": ASKED, "response_0": BAD, "response_1": GOOD, "better_response_id": 1,
                      "safer_response_id": 0}),
    ("WebGPT", {"question": {"full_text": ASKED}, "answer_0": GOOD, "answer_1": BAD, "score_0": 0.5, "score_1": -0.5}),
    ("RM-R1", {"context_messages": [{"role": "system", "content": "Judge."}, {"role": "user", "content": rm_r1_prompt(
        ASKED, BAD, GOOD)}], "winner": "model_b"}),
    ("RM-R1", {"context_messages": [{"role": "user", "content": rm_r1_prompt(ASKED, GOOD, BAD)}],
               "winner": "<eval>...</eval><answer>[[B]]</answer>", "ground_truth": "model_a"}),  # RM-R1-Distill-SFT
    ("RMB", {"conversation_input": [Q], "chosen": {"answer": GOOD}, "reject": {"answer": BAD},
             "category_path": "Pairwise_set/Harmlessness/S1"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[f"{n}-{name}" for n, (name, _) in enumerate(ROWS)])
def test_every_format_gives_the_same_pair(name: str, row: dict[str, Any]) -> None:
    assert name in [one.name for one in formats_of(row)]
    assert preference_pair(row, "s").id == OURS.id
    assert preference_pair(row | {"unused": None, "meta": {"x": [1]}}, "s").id == OURS.id


def test_every_format_is_tried_here_and_documented() -> None:
    assert {name for name, _ in ROWS} == {one.name for one in FORMATS}
    documented = (ROOT / "data/raw/README.md").read_text(encoding="utf-8")
    for one in FORMATS:
        assert f"| {one.name} |" in documented
        assert one.source in documented
        assert all(f"`{field}`" in documented for field in one.fields)


def test_a_pair_of_our_own_keeps_source_and_labels() -> None:
    labelled = OURS.model_copy(update={"labels": {"part": "x"}})
    assert preference_pair(labelled.model_dump(mode="json"), "s") == labelled


TIED = [
    TURNS | {"prompt": ASKED, "score_chosen": 7.0, "score_rejected": 7},
    {"prompt": ASKED, **TEXTS, "chosen-rating": 4.5, "rejected-rating": 4.5},
    {"prompt": ASKED, "response_1": GOOD, "response_2": BAD, "preference_strength": 0},
    {"context": [Q], "response1": GOOD, "response2": BAD, "overall_preference": 0},
    {"history": ASKED, "human_ref_A": GOOD, "human_ref_B": BAD, "labels": 1, "score_A": 9, "score_B": 9},
    {"conversation_a": [Q, A], "conversation_b": [Q, B], "winner": "tie (bothbad)"},
    {"prompt": f'["{ASKED}"]', "response_a": f'["{GOOD}"]', "response_b": f'["{BAD}"]',
     "winner_model_a": 0, "winner_model_b": 0, "winner_tie": 1},
    {"system": "", "input": ASKED, **TEXTS, "rating": [9.0, 9.0], "status": "tie"},
    {"input": ASKED, **TEXTS, "rating": ["8", 8.0]},
    {"instruction": ASKED, "chosen_response": GOOD, "rejected_response": BAD, "chosen_avg_rating": 4,
     "rejected_avg_rating": "4.0"},
    {"instruction": ASKED, "output_1": GOOD, "output_2": BAD, "preference": 1.5},
    {"question": ASKED, "answers": [{"text": GOOD, "pm_score": 1}, {"text": BAD, "pm_score": 1}]},
    {"instruction": ASKED,
     "completions": [{"response": GOOD, "overall_score": 3}, {"response": BAD, "overall_score": 3}]},
    {"question": ASKED, "answer_0": GOOD, "answer_1": BAD, "score_0": 0.0, "score_1": 0.0},
]  # fmt: skip


@pytest.mark.parametrize("row", TIED, ids=range(len(TIED)))
def test_a_tie_is_no_preference(row: dict[str, Any]) -> None:
    with pytest.raises(RowRefusedError) as refused:
        preference_pair(row, "s")
    assert refused.value.reason is Refusal.TIE


OTHER = {"role": "user", "content": "Something else?"}
TOOL = {"role": "tool", "content": "42"}
IMAGE = {
    "role": "user",
    "content": [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "x"}}],
}
REFUSED: list[tuple[Refusal, Any]] = [
    (Refusal.WRONG_TYPE, 7),
    (Refusal.WRONG_TYPE, [Q, A]),
    (Refusal.UNKNOWN_FORMAT, {}),
    (Refusal.UNKNOWN_FORMAT, {"prompt": ASKED, "chosen": GOOD}),
    (Refusal.UNKNOWN_FORMAT, {"prompt": ASKED, "completion": GOOD, "label": True}),  # KTO: no pair
    (Refusal.UNKNOWN_FORMAT, {"prompt": None, **TEXTS}),  # a lost prompt is not looked for in the answers
    (Refusal.WRONG_TYPE, {"prompt": ASKED, "chosen": 1, "rejected": 2}),
    (Refusal.WRONG_TYPE, {"prompt": ASKED, "chosen": GOOD, "rejected": [B]}),
    (Refusal.WRONG_SHAPE, {"prompt": [A], **TEXTS}),
    (Refusal.WRONG_SHAPE, {"prompt": " ", **TEXTS}),
    (Refusal.WRONG_SHAPE, {"messages": [A], "rejected_response": BAD}),
    (Refusal.WRONG_SHAPE, {"chosen": [Q, A, B], "rejected": [Q, A, A]}),
    (Refusal.WRONG_SHAPE, {"chosen": [Q, Q], "rejected": [Q, Q]}),
    (Refusal.WRONG_SHAPE, {"chosen": [Q, A], "rejected": [OTHER, B]}),
    (Refusal.WRONG_SHAPE, {"chosen": [Q, B, Q, A], "rejected": [Q, A, Q, B]}),
    (Refusal.MISSING_FIELD, {"chosen": [A], "rejected": [B]}),
    (Refusal.MISSING_FIELD, TEXTS),  # they begin differently
    (Refusal.IDENTICAL, {"chosen": GOOD, "rejected": GOOD}),
    (Refusal.UNKNOWN_FORMAT, {"chosen": f"<|im_start|>{ASKED} {GOOD}", "rejected": f"<|im_start|>{ASKED} {BAD}"}),
    (Refusal.CONTRADICTORY, TURNS | {"prompt": "Something else?"}),
    (Refusal.CONTRADICTORY, TURNS | {"prompt": [OTHER]}),
    (Refusal.CONTRADICTORY, TURNS | {"prompt": ASKED, "messages": [OTHER, A]}),
    (Refusal.CONTRADICTORY, {"prompt": ASKED, "question": "Something else?", **TEXTS}),
    (Refusal.CONTRADICTORY, {"prompt": ASKED, **TEXTS, "score_chosen": 1, "score_rejected": 2}),
    (Refusal.CONTRADICTORY, {"prompt": ASKED, **TEXTS, "response_0": GOOD, "response_1": BAD, "better_response_id": 1}),
    (Refusal.CONTRADICTORY, {"history": ASKED, "human_ref_A": GOOD, "human_ref_B": BAD, "labels": 0, "score_A": 9,
                             "score_B": 3}),
    (Refusal.CONTRADICTORY, {"system": "Be brief.", "prompt": [{"role": "system", "content": "Be long."}, Q], **TEXTS}),
    (Refusal.CONTRADICTORY, {"prompt": ASKED, **TEXTS, "margin": -1}),
    (Refusal.WRONG_TYPE, {"input": ASKED, "output_1": GOOD, "output_2": BAD, "label": True}),
    (Refusal.NO_TEXT, {"prompt": [IMAGE], **TEXTS}),
    (Refusal.NO_TEXT, {"prompt": [Q, TOOL, Q], **TEXTS}),
    (Refusal.NO_TEXT, {"prompt": ASKED, **TEXTS, "images": ["a.png"]}),
    (Refusal.WRONG_SHAPE, {"instruction": ASKED, "input": "", **TEXTS, "history": [["q", "a"]]}),
    (Refusal.NO_TEXT, {"prompt": [Q], "chosen": [A | {"content": None, "tool_calls": [{}]}], "rejected": [B]}),
    (Refusal.WRONG_TYPE, {"prompt": [{"role": "narrator", "content": "x"}, Q], **TEXTS}),
    (Refusal.WRONG_TYPE, {"input": ASKED, "output_1": GOOD, "output_2": BAD, "label": 0}),
    (Refusal.WRONG_TYPE, {"input": ASKED, "output_1": GOOD, "output_2": BAD, "label": True + 1.5}),
    (Refusal.WRONG_TYPE, {"prompt": ASKED, "response_1": GOOD, "response_2": BAD, "preference_strength": float("nan")}),
    (Refusal.WRONG_TYPE, {"prompt": ASKED, "response_1": GOOD, "response_2": BAD, "preference_strength": -100}),
    (Refusal.WRONG_TYPE, {"conversation_a": [Q, A], "conversation_b": [Q, B], "winner": "claude"}),
    (Refusal.WRONG_SHAPE, {"conversation_a": [Q, A, Q, A], "conversation_b": [Q, B, Q, B], "winner": "model_a"}),
    (Refusal.WRONG_SHAPE, {"conversation_a": [Q, A], "conversation_b": [Q, B], "winner": "model_a", "turn": 2}),
    (Refusal.WRONG_SHAPE, {"instruction": ASKED, "completions": [{"response": GOOD, "overall_score": 3}]}),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "row"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_unclear_is_refused(reason: Refusal, row: Any) -> None:
    with pytest.raises(RowRefusedError) as refused:
        preference_pair(row, "s")
    assert refused.value.reason is reason, refused.value


def test_system_and_developer_turns_and_several_turns_are_kept() -> None:
    rule = {"role": "developer", "content": "Be brief."}
    asked = [rule, Q, A, {"role": "user", "content": "And the smallest?"}]
    pair = preference_pair({"prompt": asked, "chosen": [A], "rejected": [B]}, "s")
    assert [turn.role.value for turn in pair.prompt] == ["system", "user", "assistant", "user"]
    orca = preference_pair({"system": "Be brief.", "question": ASKED, **TEXTS}, "s")
    assert [turn.content for turn in orca.prompt] == ["Be brief.", ASKED]
    whole = {"prompt": ASKED, "chosen": [*asked, A], "rejected": [*asked, B]}
    assert preference_pair(whole, "s").prompt == pair.prompt


def test_a_prompt_of_helpsteer_is_a_dialogue() -> None:
    prompt = f"{ASKED}\n<extra_id_1>Assistant\n{GOOD}\n<extra_id_1>User\nAnd the smallest?"
    row = {"prompt": prompt, "response_1": GOOD, "response_2": BAD, "preference_strength": -1}
    assert [turn.content for turn in preference_pair(row, "s").prompt] == [ASKED, GOOD, "And the smallest?"]


def test_the_refusal_says_what_the_nearest_format_lacks() -> None:
    with pytest.raises(RowRefusedError, match=r"LLMBar, also has 'input'"):
        preference_pair({"instruction": "q", "output_1": "a", "output_2": "b", "label": 1}, "s")


_NAMES = sorted({field for one in FORMATS for field in one.fields})
_SOME = st.sampled_from(
    [ASKED, GOOD, BAD, Q, A, [Q], [Q, A], [Q, B], [A], 0, 1, -1, "1", DIALOGUE, f"{DIALOGUE} {GOOD}"]
)


@given(
    row=JSON_VALUES
    | st.dictionaries(st.sampled_from(_NAMES), _SOME | JSON_VALUES, max_size=8)
    | st.sampled_from(FORMATS).flatmap(
        lambda one: st.fixed_dictionaries(dict.fromkeys(one.fields, _SOME | JSON_VALUES), optional={"system": _SOME})
    )
)
def test_any_row_is_a_pair_that_can_be_written_or_refused_in_one_line(row: Any) -> None:
    pair, reason = None, ""
    try:
        pair = preference_pair(row, "s")
    except RowRefusedError as error:
        reason = str(error)
    assert "\n" not in reason
    reason.encode()
    if pair is not None:
        canonical_json(pair.model_dump(mode="json"))
        assert pair.prompt[-1].role is Role.USER
