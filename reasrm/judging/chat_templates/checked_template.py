"""A checkpoint's chat template, and the check of every prompt that it renders.

A template is a program of whoever published the checkpoint: it may refuse the system turn, drop it, cut, escape or
repeat texts, or never end. So:

- every rendering is tried within limits first, in a process of its own (`template_trial`);
- turns that it refuses are folded: a system text is put at the head of the next user's turn, and turns in a row of one
  speaker become one. That is said once and stands in the engine's identity;
- each rendered prompt must be the template's own text with the contents in their places (`template_skeleton`), and its
  chat tokens must be those of the template alone (`chat_tokens`). What a content spells is broken up, at first by how
  it is written, then by how the tokenizer reads it;
- a conversation that is still not rendered so is left out, with its reason in one line: what is wrong with one row
  ends no stage. Whoever renders asks the same of a plain conversation; if that is refused too, the template is at
  fault.

A template that writes today's date would give other prompts every day, so its clock stands still (`CLOCK`).
"""

import re
import weakref
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from reasrm.judging.chat_templates.chat_tokens import WORD_JOINER, ChatTokens
from reasrm.judging.chat_templates.chat_turns import Turn, as_turn, folded, neutral_turns
from reasrm.judging.chat_templates.template_skeleton import NotAsItIsError, Skeleton
from reasrm.judging.chat_templates.template_trial import TemplateTrial, template_trial
from reasrm.records.harmless_text import harmless, one_line
from reasrm.records.pair import Message, Role
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.terminal import say_error

CLOCK = datetime(2024, 7, 26, tzinfo=UTC)
"""The only date that a template sees: what Llama 3's own writes where there is no clock."""
TEMPLATE_VARIABLES = {"strftime_now": CLOCK.strftime}
"""What every rendering gives to the template besides the conversation."""
_NO_MARK, _TAG = re.compile(r"(?!)"), re.compile(r"<(?=[/\w])")
OTHER_MEANS = ((WORD_JOINER, _NO_MARK), (" ", _NO_MARK), (WORD_JOINER, _TAG))
"""What breaks up a text that the tokenizer still reads as a chat token, and which marks are broken up besides.

A space is dropped by no normaliser. Some templates cut or sort turns by the tags in them (`</think>`,
`<tool_response>`)."""
MOST_SKELETONS = 1000
SAID_OF_ERROR = 200
"""Characters of an error of the template that are shown."""


class ChatTemplateError(StageError):
    """A chat template does not render a conversation as it is; says which template, what it does and what to do."""


class StoppedTemplateError(ChatTemplateError):
    """A chat template went beyond the limits of time or memory."""


class RenderedChat(NamedTuple):
    """A conversation as a checkpoint reads it."""

    turns: list[Turn]
    """What the chat template was given."""
    text: str
    token_ids: list[int]


class CheckedTemplate:
    """The chat template of one tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        """Try the template, and find out what it refuses.

        Raises:
            ChatTemplateError: there is none, or it does not end.
        """
        self._tokenizer = weakref.proxy(tokenizer)
        self._name = str(getattr(tokenizer, "name_or_path", "") or "the checkpoint")
        self.source = tokenizer.chat_template
        self._skeletons: dict[Any, tuple[Skeleton, list[int]]] = {}
        self._refused: dict[Any, bool] = {}
        self._trial = self._tried()
        self._tokens = ChatTokens(tokenizer, self._own_texts())
        self.folded = self._what_is_folded()
        """What it refuses and is given in another form, in words; mostly nothing."""
        for form in self.folded:
            say_error(self._name, f"its chat template refuses {form}")

    def neutral_contents(self, messages: Iterable[Message]) -> list[str]:
        """The contents with everything in them that spells a chat token broken up."""
        return [self._tokens.break_up(message.content) for message in messages]

    def render(self, conversations: Sequence[Sequence[Message]], answered: bool) -> "list[Rendering]":
        """Render conversations: for a reply, or `answered`, where their last turn is the answer.

        In the place of one that the template refuses, or does not render as it is, stands why.
        """
        chats = [self._accepted(messages, self.neutral_contents(messages), answered) for messages in conversations]
        rendered = self._checked(chats, answered)
        return [
            self._by_other_means(messages, answered, one) if isinstance(one, ChatTemplateError) else one
            for messages, one in zip(conversations, rendered, strict=True)
        ]

    def _checked(self, chats: Sequence[list[Turn]], answered: bool) -> "list[Rendering]":
        """The prompts of these turns, or what is wrong with them."""
        written = [self._outcome(turns, answered) for turns in chats]
        texts = [text for text in written if isinstance(text, str)]
        rows = iter(self._tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else ())
        rendered = (
            RenderedChat(turns, text, next(rows)) if isinstance(text, str) else text
            for turns, text in zip(chats, written, strict=True)
        )
        return [one if isinstance(one, ChatTemplateError) else self._problem(one, answered) or one for one in rendered]

    def _by_other_means(self, messages: Sequence[Message], answered: bool, problem: ChatTemplateError) -> "Rendering":
        """Render a conversation in which the tokenizer or the template takes something for a mark of their own."""
        if isinstance(problem, StoppedTemplateError) or not all(_is_text(message.content) for message in messages):
            return problem
        for breaker, marks in OTHER_MEANS:
            broken = [marks.sub(rf"\g<0>{breaker}", message.content) for message in messages]
            contents = [self._tokens.break_up_as_read(self._tokenizer, text, breaker) for text in broken]
            (rendered,) = self._checked([self._accepted(messages, contents, answered)], answered)
            if isinstance(rendered, RenderedChat):
                return rendered
        return problem

    def _problem(self, rendered: RenderedChat, answered: bool) -> ChatTemplateError | None:
        """What is wrong with a prompt; mostly nothing."""
        try:
            skeleton, own_tokens = self._skeleton(rendered.turns, answered)
            skeleton.require(rendered.text, rendered.turns)
        except NotAsItIsError as error:
            return self._error(f"its chat template {error}")
        except ChatTemplateError as error:
            return error
        others = self._tokens.among(rendered.token_ids)
        if others == own_tokens:
            return None
        for token in own_tokens:
            if token in others:
                others.remove(token)
        named = ", ".join(dict.fromkeys(map(self._tokens.text, others))) or "fewer than its own"
        return ChatTemplateError(
            f"{self._name}: a text gives chat tokens besides the template's own ({named}), and breaking them up does "
            "not help; leave that text out"
        )

    def _error(self, what: str) -> ChatTemplateError:
        return ChatTemplateError(f"{self._name}: {what}; {_WAY_OUT}")

    def _skeleton(self, turns: Sequence[Turn], answered: bool) -> tuple[Skeleton, list[int]]:
        """The template's own text around such turns, and the chat tokens in it.

        Raises:
            ChatTemplateError: it refuses such turns.
            NotAsItIsError: it does not write them as they are, whatever their contents.
        """
        neutral = neutral_turns(turns)
        key = (answered, *((turn["role"], turn["content"]) for turn in neutral))
        if key not in self._skeletons:
            if len(self._skeletons) >= MOST_SKELETONS:
                self._skeletons.clear()
            text = self._text(neutral, answered)
            token_ids = self._tokenizer([text], add_special_tokens=False)["input_ids"][0]
            self._skeletons[key] = Skeleton.of(text, neutral), self._tokens.among(token_ids)
        return self._skeletons[key]

    def _accepted(self, messages: Sequence[Message], contents: Sequence[str], answered: bool) -> list[Turn]:
        """The messages with these contents, as they are or folded if the template refuses turns of such speakers."""
        roles = [message.role for message in messages]
        key = (answered, *roles)
        if key not in self._refused:
            words = [(role, f"words {at}") for at, role in enumerate(roles)]
            as_they_are = [as_turn(*one) for one in words]
            self._refused[key] = self._refuses(as_they_are, answered) and not self._refuses(folded(words), answered)
        turns = zip(roles, contents, strict=True)
        return folded(turns) if self._refused[key] else [as_turn(*one) for one in turns]

    def _refuses(self, turns: Sequence[Turn], answered: bool) -> bool:
        return not isinstance(self._outcome(turns, answered), str)

    def _outcome(self, turns: Sequence[Turn], answered: bool) -> str | ChatTemplateError:
        """The text, or why the template refuses."""
        try:
            return self._text(turns, answered)
        except ChatTemplateError as error:
            return error

    def _what_is_folded(self) -> tuple[str, ...]:
        user, system = as_turn(Role.USER, "words"), as_turn(Role.SYSTEM, "words")
        alone = not self._refuses([user], answered=False)
        forms = {
            "a system turn: its text is put at the head of the user's turn": [system, user],
            "two turns of one speaker in a row: they become one": [user, user],
        }
        return tuple(form for form, turns in forms.items() if alone and self._refuses(turns, answered=False))

    def _text(self, turns: Sequence[Turn], answered: bool) -> str:
        if half := next((turn["content"] for turn in turns if not _is_text(turn["content"])), ""):
            raise ChatTemplateError(f"{self._name}: half of a surrogate pair is no text: {half[:SAID_OF_ERROR]!a}")
        if stopped := self._trial.why_stopped(turns, answered):
            raise self._stopped(stopped)
        try:
            text = str(
                self._tokenizer.apply_chat_template(
                    turns, tokenize=False, add_generation_prompt=not answered, **TEMPLATE_VARIABLES
                )
            )
            text.encode()
        except Exception as error:  # a program of others: whatever it raises, it refuses
            speakers = ", ".join(turn["role"] for turn in turns)
            raise self._error(f"its chat template refuses a conversation of {speakers}: {_said(error)}") from error
        return text

    def _stopped(self, why: str) -> StoppedTemplateError:
        return StoppedTemplateError(f"{self._name}: its chat template was stopped: {why}; {_WAY_OUT}")

    def _own_texts(self) -> Iterator[str]:
        """What the template writes around neutral contents, for a reply and answered."""
        for roles, answered in (((Role.SYSTEM, Role.USER), False), ((Role.USER,), False), (_ANSWERED, True)):
            neutral = neutral_turns([as_turn(role, "words") for role in roles])
            outcome = self._outcome(neutral, answered)
            text = outcome if isinstance(outcome, str) else ""
            for turn in neutral:
                text = text.replace(turn["content"], "\n")
            yield text

    def _tried(self) -> TemplateTrial:
        try:
            template = self._tokenizer.get_chat_template()
        except ValueError as error:
            raise ChatTemplateError(f"{self._name}: {_said(error)}") from error
        trial = template_trial(template, dict(self._tokenizer.special_tokens_map))
        if trial.of_template:
            raise self._stopped(trial.of_template)
        return trial


Rendering = RenderedChat | ChatTemplateError
"""A conversation as a checkpoint reads it, or why its template does not render it."""
_ANSWERED = (Role.USER, Role.ASSISTANT)
_WAY_OUT = "save the checkpoint with a chat_template.jinja that writes every turn once, as it is"
_CHECKED: "weakref.WeakKeyDictionary[Any, CheckedTemplate]" = weakref.WeakKeyDictionary()


def checked_template(tokenizer: Any) -> CheckedTemplate:
    """The template of `tokenizer`; tried once, and again if the tokenizer is given another template.

    Raises:
        ChatTemplateError: there is none, or it does not end.
    """
    known = _CHECKED.get(tokenizer)
    if known is None or known.source != tokenizer.chat_template:
        known = _CHECKED[tokenizer] = CheckedTemplate(tokenizer)
    return known


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeError:
        return False
    return True


def _said(error: Exception) -> str:
    """The first line of an error, harmless and cut short."""
    line = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return harmless(one_line(line, SAID_OF_ERROR))
