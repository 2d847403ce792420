# ruff: noqa: RUF001, RUF002  (the signs that models use)
"""What a chat template's own marks look like: turns, thoughts, tools and channels of any model family, by pattern.

No list of models can be kept up to date, and the judge behind an API is not even known. What the families have in
common is their spelling:

- a bar inside an angle bracket, on one side or on both: `<|im_start|>`, `<｜User｜>`, `<|turn>`, `<turn|>`; in square
  brackets on both: `[|assistant|]`;
- angle brackets round a name that says its kind: start or end of something, a sequence mark (`<bos>`, `</s>`), a place
  that is kept free (`<unused94>`, `<extra_id_1>`, `<0x0A>`), a thought, a tool call, a speaker; a family's name may
  stand before it (`<seed:think>`);
- upper-case words of that kind in square brackets: `[INST]`, `[/THINK]`, `[TOOL_RESULTS]`; `[gMASK]`, `[unused10]`;
- signs between brackets that are the wrong way round: `]~b]`, `[e~[`.

Other tags (`<div>`, `<user_name>`), type parameters (a name right behind a word that no tag closes: `List<User>`),
operators (`<|>`, `a < b > c`), placeholders (`[TODO]`, `[YOUR_NAME]`), links and matrices are ordinary text. In doubt a
mark counts: a changed bracket in a text about chat templates costs little, a forged turn costs the judgment. The
tokenizer's own added tokens, where it is known, are broken up besides (`chat_templates/chat_tokens.py`).
"""

import re
from functools import lru_cache

_SEQUENCE_MARK = r"(?:[sbe]o(?:[astpdmhcu]|sys)|pad|unk|cls|sep|mask|[gs]mask)(?:_token)?(?::?\d+)?"
_THOUGHT_OR_TOOL = (
    r"(?:(?:ant)?think|(?:ant)?thinking|thoughts?|reasoning|reflection|scratchpad|tools|"
    r"(?:available_)?tool_?(?:calls?|response|responses|result|results|outputs?|use|list)|available_tools|"
    r"functions|function_?(?:calls?|response|responses|results?)|arg_(?:key|value)|observation)"
)
_NAME = re.compile(
    rf"""\s*/?\s*(?:
      s                                                       # of the first Llama; upper case is a type parameter
    | SYS | B_U?SYS | C_[QA] | AI | 用户
    | (?i: (?:\w+[:|])? (?:
          {_SEQUENCE_MARK}
        | (?:start|begin|beginning|end)(?:_(?:of|function)_\w+|of(?:text|prompt|turn|sentence|utterance)\w*)
        | (?:im|header|role|turn|message|channel|cot|think|thought|tool\w*|system|user|assistant|vision|image|audio|
          file|issue)_(?:start|begin|end|sep|pad)
        | fim[_\-](?:prefix|middle|suffix|pad) | ctrl\d+ | madeupword\d+
        | (?:\w+_)? {_THOUGHT_OR_TOOL} (?:_(?:start|begin|end|never_used\w*|fast|faster|on|off))?
          (?:\s+[\w:\-]+\s*=[^<>‹›]*)?
        | (?:\w+_)? (?:unused|reserved|special|extra|dummy|placeholder|custom|control)(?:_\w+)?_?\d+
        | \w+_soft_token | \w+_never_used_\w+ | invoke(?:\s+name\s*=[^<>‹›\n]*)?
        | (?:system|user|assistant|human)[_\-](?:prompt|message|turn|reminder|instructions?)
      ))
    | (?i: (?:seed|minimax|antml):\w+ | longcat_\w+ )
    | (?i: (?:function|parameter)=[\w.:\-]+ )
    | _(?:user|bot|system|start|end|pad|tool)
    | \[[A-Za-z]+_\w+\]                                       # <[BOS_never_used_…]>
    )\s*/?\s*""",
    re.VERBOSE,
)
_LONE_NAME = re.compile(r"\s*/?\s*(?i:system|user|assistant|human|bot|developer|0x[0-9a-f]{2}|s)\s*")
"""Names that are type parameters or links behind a word."""
_FIRST_NAME = re.compile(r"\s*(\w+)")
_CLOSING_TAG = re.compile(r"<\s*/\s*(\w+)")
_ROLE_ELEMENT = re.compile(r"<\s*role\s*>\s*(?:SYSTEM|USER|HUMAN|ASSISTANT|OBSERVATION)\b")
_BAR_FIRST = re.compile(r"\s*/?\s*\|+\s*[^\s|]")
_ONE_BAR = re.compile(r"/?\|[\w./:\-\"']+|[\w./:\-\"']+\||/?\|\w+\|[^\n]*")
_SQUARE_NAME = re.compile(
    r"""\s*/?\s*(?:
      (?i: INST | SYS)
    | SYSTEM(?:_PROMPT|_MESSAGE)? | USER | ASSISTANT | HUMAN | BOT
    | (?:AVAILABLE_)?TOOLS?(?:_[A-Z]+)? | TOOL_?CALLS? | THINK(?:ING)? | MODEL_SETTINGS | CALL_ID | IMG(?:_[A-Z]+)?
    | (?:BEGIN_)?AUDIO | TRANSCRIBE | @?[BE]O[STPD]@? | CLS | SEP | PAD\d* | UNK | [gs]?MASK
    | (?i: (?:unused|control|reserved|special|extra)(?:_\w+)?_?\d+)
    | (?i: \|/?[a-z_]\w+\|)                                   # [|assistant|]; with blanks an array of F# or OCaml
    | (?i: \|\s*/?(?:system|user|human|assistant|ai|bot|tool|end\w*)\s*\|)
    )\s*""",
    re.VERBOSE,
)
_ARGUMENTS = re.compile(r"\[\s*ARGS\s*\]\s*\{")
"""Arguments of a call; `[ARGS]` alone is how a program's usage is written."""
WRONG_WAY_ROUND = re.compile(r"\]~!?\w\]|\]~!?\w\[|\[\w~\[|\]!\w~\[|\]<\]|\[>\[")
"""Marks whose brackets are no pair."""
LONGEST_NAME = 100
"""Characters; what is longer between two brackets names no mark."""


def is_angle_mark(view: str, opened: int, closed: int, one_line: bool, elements: frozenset[str]) -> bool:
    """Whether the angle brackets at `opened` and `closed`, which belong together, are those of a chat template's mark.

    `one_line` says that no line ends between them, `elements` which names are closed somewhere (`closed_elements`).
    """
    bar_last = view[max(opened + 1, closed - 8) : closed].rstrip()[-1:] == "|"
    if one_line and bar_last and _BAR_FIRST.match(view, opened + 1, closed):
        return True
    if closed - opened > LONGEST_NAME:
        return False
    if _names_a_mark(view[opened + 1 : closed]):
        return True
    if _LONE_NAME.fullmatch(view, opened + 1, closed):
        return not is_type_parameter(view, opened, closed, elements)
    return _ROLE_ELEMENT.match(view, opened) is not None


def closed_elements(view: str) -> frozenset[str]:
    """The names of all closing tags, in lower case."""
    return frozenset(found.group(1).lower() for found in _CLOSING_TAG.finditer(view))


def is_type_parameter(view: str, opened: int, closed: int, elements: frozenset[str]) -> bool:
    """Whether the name in these brackets stands right behind a word (`List<User>`) and is closed nowhere."""
    before, name = view[max(opened - 1, 0) : opened], _FIRST_NAME.match(view, opened + 1, closed)
    return (before.isalnum() or before == "_") and name is not None and name.group(1).lower() not in elements


@lru_cache(maxsize=4096)
def _names_a_mark(content: str) -> bool:
    """Whether a mark's name stands between two angle brackets; a text has many tags and few different ones."""
    return bool(_NAME.fullmatch(content) or _ONE_BAR.fullmatch(content))


def is_square_mark(view: str, opened: int, closed: int) -> bool:
    """Whether the square brackets at `opened` and `closed` are those of a chat template's mark."""
    if closed - opened > LONGEST_NAME:
        return False
    return bool(_SQUARE_NAME.fullmatch(view, opened + 1, closed) or _ARGUMENTS.match(view, opened))
