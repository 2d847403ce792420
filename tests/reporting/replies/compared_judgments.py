"""Items with two judges' replies, made for one test."""

from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Side
from reasrm.records.judgment import Judgment
from reasrm.records.pair import Message, PreferencePair, Role
from reasrm.records.reply import Finish, Reply
from reasrm.reporting.replies.examples import ComparedItem, Contrast

LAYOUT = "<type>Chat</type><rubric>layout 100</rubric><eval>x</eval><answer>[[A]]</answer>"
SOLVED = "<type>Reasoning</type><solution>2</solution><eval>x</eval><answer>[[A]]</answer>"


def an_item(name: str, question: str = "q", chosen: str = "c", rejected: str = "longer") -> BenchmarkItem:
    """An item of RMB."""
    prompt = (Message(role=Role.USER, content=question),)
    pair = PreferencePair(prompt=prompt, chosen=chosen, rejected=rejected, source="s")
    return BenchmarkItem(benchmark="rmb", item_id=name, group=name, pair=pair, keys={"family": "dial"})


def a_judgment(name: str, better: Side, verdict: Side | None, text: str) -> Judgment:
    """A judgment of an item of RMB in one order."""
    reply = Reply(text=text, finish=Finish.STOP, prompt_tokens=1, completion_tokens=1) if text else None
    return Judgment(benchmark="rmb", item_id=name, better=better, verdict=verdict, reply=reply)


def improved(item: BenchmarkItem, before: str, after: str, wrong_order: Side = Side.A) -> ComparedItem:
    """An item that the first judge gets wrong in one order, the second right in both."""
    first = {side: a_judgment(item.item_id, side, side.other if side is wrong_order else side, before) for side in Side}
    second = {side: a_judgment(item.item_id, side, side, after) for side in Side}
    return ComparedItem(item, Contrast.ONLY_SECOND, first, second)
