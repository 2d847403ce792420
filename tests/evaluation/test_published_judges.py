"""Published judges: their prompt file is recognised by its hash, their replies are read by their own rule."""

import json
from pathlib import Path

import pytest

from reasrm.evaluation.judge_template import PublishedTemplate
from reasrm.evaluation.published_judges.prompt_file import KNOWN, PromptFileError, load_prompt_file
from reasrm.evaluation.published_judges.reply_readers import ReplyReader, read_reply
from reasrm.judging.verdict import Unreadable
from reasrm.records.comparison import Comparison, Side
from reasrm.records.pair import Message, Role
from reasrm.records.reply import Finish, Reply

GOLD = Path(__file__).resolve().parents[3] / "shared/data/gold/rm_r1_prompts.json"
SINGLE = "Q {question}\nA {answer_a}\nB {answer_b}"
MULTI = "1\n{conversation_1}\n2\n{conversation_2}"


def comparison(turns: int = 1, a: str = "yes", b: str = "no") -> Comparison:
    talk = [
        Message(role=Role.USER if place % 2 == 0 else Role.ASSISTANT, content=f"t{place}") for place in range(turns)
    ]
    return Comparison(pair_id="p", prompt=tuple(talk), response_a=a, response_b=b, better=Side.A)


def written(folder: Path, **texts: object) -> Path:
    path = folder / "prompt.json"
    path.write_text(json.dumps(texts), encoding="utf-8")
    return path


def reply(text: str, finish: Finish = Finish.STOP) -> Reply:
    return Reply(text=text, finish=finish, prompt_tokens=1, completion_tokens=1)


@pytest.mark.parametrize(
    ("reader", "text", "expected"),
    [
        (ReplyReader.LAST_ANSWER, "<answer>[[B]]</answer> no: <answer>[[A]]</answer>", Side.A),
        (ReplyReader.ANYWHERE, "I say [[B]]", Side.B),
        (ReplyReader.ANYWHERE, "either [[A]] or [[B]]: <answer>[[A]]</answer>", Unreadable.MALFORMED),
        (ReplyReader.ANYWHERE, "B", Unreadable.NO_ANSWER),
        (ReplyReader.LAST_BRACKETS, "<think>[[A]]</think> not [[A]] but [[B]]", Side.B),
        (ReplyReader.LAST_BRACKETS, "<think>[[A]]</think> hm", Unreadable.NO_ANSWER),
        (ReplyReader.ANSWER_SCORES, "<think>9</think><answer>7</answer><answer>4.5</answer>", (Side.A, (7.0, 4.5))),
        (ReplyReader.ANSWER_SCORES, "<answer> 3, 8 </answer>", (Side.B, (3.0, 8.0))),
        (ReplyReader.ANSWER_SCORES, "<answer>7</answer>", Unreadable.BAD_SCORE),
        (ReplyReader.BOXED_SCORES, r"A \boxed{1, 2}; scores: \boxed{6, 6}", (Unreadable.TIE, (6.0, 6.0))),
        (ReplyReader.BOXED_SCORES, r"Scores: \boxed{8, 2}", (Side.A, (8.0, 2.0))),
        (ReplyReader.BOXED_SCORES, "Scores: 8, 2", Unreadable.NO_ANSWER),
    ],
)
def test_each_rule(reader: ReplyReader, text: str, expected: object) -> None:
    assert read_reply(reader, reply(text)) == (expected if isinstance(expected, tuple) else (expected, None))


@pytest.mark.parametrize("reader", ReplyReader)
def test_what_is_cut_refused_or_empty_is_said(reader: ReplyReader) -> None:
    assert read_reply(reader, reply("so far", Finish.LENGTH))[0] is Unreadable.TRUNCATED
    assert read_reply(reader, reply("[[A]]", Finish.REFUSED))[0] is Unreadable.REFUSED
    assert read_reply(reader, reply(" "))[0] is Unreadable.EMPTY


REHEARSED = {
    ReplyReader.LAST_ANSWER: "I end with <answer>[[A]]</answer> or <answer>[[B]]</answer>",
    ReplyReader.LAST_BRACKETS: "first it looked like [[A]], now like [[B]]",
    ReplyReader.ANSWER_SCORES: "the format is <answer>3</answer><answer>5</answer>",
    ReplyReader.BOXED_SCORES: r"the scores go into \boxed{3, 5}",
}


@pytest.mark.parametrize("reader", REHEARSED)
def test_a_thought_that_rehearses_a_verdict_decides_nothing(reader: ReplyReader) -> None:
    thought = f"<think>{REHEARSED[reader]}, and now"
    assert read_reply(reader, reply(thought, Finish.LENGTH)) == (Unreadable.TRUNCATED, None)
    assert read_reply(reader, reply(thought)) == (Unreadable.UNCLOSED, None)
    assert read_reply(reader, reply(f"{thought}</think> so far", Finish.LENGTH))[0] is Unreadable.TRUNCATED
    finished = read_reply(reader, reply(f"{thought}</think>{REHEARSED[reader]}", Finish.LENGTH))
    assert finished == read_reply(reader, reply(REHEARSED[reader]))
    assert finished[0] is Side.B


def test_only_the_rule_of_the_published_figures_reads_thoughts() -> None:
    assert set(REHEARSED) == set(ReplyReader) - {ReplyReader.ANYWHERE}
    assert read_reply(ReplyReader.ANYWHERE, reply("<think>so [[B]], and", Finish.LENGTH))[0] is Side.B


def test_all_slots_are_filled_in_one_pass(tmp_path: Path) -> None:
    judge = load_prompt_file(written(tmp_path, single_turn=SINGLE, reader="last_brackets"))
    ((said,),) = judge.prompts(comparison(a="{answer_b}", b="{question}"))
    assert said.content == "Q t0\nA {answer_b}\nB {question}"


def test_a_conversation_names_its_speakers(tmp_path: Path) -> None:
    judge = load_prompt_file(written(tmp_path, system="S", single_turn=SINGLE, multi_turn=MULTI, reader="last_answer"))
    ((system, said),) = judge.prompts(comparison(turns=3))
    assert system == Message(role=Role.SYSTEM, content="S")
    assert said.content == (
        "1\nUser: t0\nChatbot A: t1\nUser: t2\nChatbot A: yes\n2\nUser: t0\nChatbot B: t1\nUser: t2\nChatbot B: no"
    )


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(PromptFileError, match="no such file"):
        load_prompt_file(tmp_path / "absent.yaml")
    with pytest.raises(PromptFileError, match="answer_b"):
        load_prompt_file(written(tmp_path, single_turn="{question} {answer_a}", reader="last_answer"))
    with pytest.raises(PromptFileError, match="answer_a"):
        load_prompt_file(written(tmp_path, single_turn="", reader="last_answer"))
    with pytest.raises(PromptFileError, match="cannot be read"):
        load_prompt_file(tmp_path)
    with pytest.raises(PromptFileError, match="rm_r1_instruct"):
        load_prompt_file(written(tmp_path, single_turn=SINGLE))
    with pytest.raises(PromptFileError, match="multi_turn"):
        load_prompt_file(written(tmp_path, single_turn=SINGLE, reader="anywhere")).prompts(comparison(turns=3))


@pytest.mark.skipif(not GOLD.exists(), reason="../shared/data is not here")
def test_rm_r1_is_recognised_by_its_hashes(tmp_path: Path) -> None:
    texts = {name: entry["text"] for name, entry in json.loads(GOLD.read_text(encoding="utf-8")).items()}
    instruct = {
        "system": texts["RM_R1_INSTRUCT_SYSTEM_PROMPT"],
        "single_turn": texts["RM_R1_SINGLE_TURN_INSTRUCT_USER_PROMPT"],
        "multi_turn": texts["RM_R1_MULTI_TURN_INSTRUCT_USER_PROMPT"],
    }
    reasoning = {
        "single_turn": texts["RM_R1_SINGLE_TURN_REASONING_USER_PROMPT"],
        "multi_turn": texts["RM_R1_MULTI_TURN_REASONING_USER_PROMPT"],
    }
    for name, file in (("rm_r1_instruct", instruct), ("rm_r1_reasoning", reasoning)):
        judge = load_prompt_file(written(tmp_path, **file))
        assert (judge.name, judge.reader) == (name, ReplyReader.LAST_ANSWER)
        assert PublishedTemplate(judge).stop == ""
    changed = instruct | {"system": instruct["system"] + " ", "reader": "last_answer"}
    assert load_prompt_file(written(tmp_path, **changed)).name == "unknown"
    assert {judge.name for judge in KNOWN} == {"rm_r1_instruct", "rm_r1_reasoning"}
