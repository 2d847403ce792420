"""How to judge with a published checkpoint: by reasrm, and with transformers alone; the code runs as it stands."""

from collections.abc import Iterator

from reasrm.judging.chain_of_rubrics import instruction
from reasrm.judging.prompt import QUESTION_END, QUESTION_START, RESPONSE_END, RESPONSE_START
from reasrm.judging.verdict import STOP
from reasrm.publishing.card_facts import CardFacts, JudgeUse
from reasrm.publishing.markdown import block, code
from reasrm.records.comparison import Side
from reasrm.records.judge_kind import JudgeKind


def usage(facts: CardFacts) -> Iterator[str]:
    """The section's paragraphs."""
    if facts.kind is JudgeKind.SCALAR:
        yield "With reasrm:"
        yield block('reasrm judge --engine scalar --model FOLDER --prompt "…" --a "…" --b "…"', "sh")
        yield "With transformers alone; the higher number is the better answer:"
        yield block(_SCALAR, "python")
        return
    use = next((one for one in facts.uses if not one.has_published_prompt), None)
    if use is None:
        yield (
            "No entry of `judge_variants` judges with it by a prompt of reasrm's own, so none is stated here: the "
            "`prompt_variant` of its training is among the settings below."
        )
        return
    yield f"Its prompt is reasrm's variant {code(use.prompt.value)}. With reasrm, which asks in both orders:"
    yield block(
        f'reasrm judge --model FOLDER --variant {use.prompt.value} --prompt "…" --a "…" --b "…"',
        "sh",
    )
    yield (
        "With transformers alone, in one order. reasrm also spells out what imitates the frame below in a question or "
        "answer; this code does not, so texts of others can leave their frame:"
    )
    yield block(generative_code(use), "python")


def generative_code(use: JudgeUse) -> str:
    """Python that judges two answers with the checkpoint in the current folder and prints the reply."""
    a, b = Side.A, Side.B
    return f'''from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "."
question, answer_a, answer_b = "words", "one", "two"
system = {instruction(use.prompt)!r}
user = f"""{QUESTION_START}
{{question}}
{QUESTION_END}

{RESPONSE_START[a]}
{{answer_a}}
{RESPONSE_END[a]}

{RESPONSE_START[b]}
{{answer_b}}
{RESPONSE_END[b]}"""
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)
turns = [{{"role": "system", "content": system}}, {{"role": "user", "content": user}}]
ids = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
limits = {{"max_new_tokens": {use.max_new_tokens}, "stop_strings": [{STOP!r}], "tokenizer": tokenizer}}
written = model.generate(**ids, **limits, do_sample=False)
reply = tokenizer.decode(written[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)
print(reply)  # ends with <answer>[[A]]</answer> or <answer>[[B]]</answer>'''


_SCALAR = """from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder = "."
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForSequenceClassification.from_pretrained(folder)
for answer in ("one", "two"):
    turns = [{"role": "user", "content": "words"}, {"role": "assistant", "content": answer}]
    ids = tokenizer.apply_chat_template(turns, return_tensors="pt", return_dict=True)
    print(answer, model(**ids).logits.item())"""
