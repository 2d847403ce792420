r"""Prompts of preference pairs and of files of safety prompts.

Where the preferred answer to a conversation marks a final result (`\boxed{...}`, `#### 42`, `answer is 42`), that is
the reference by which a policy's answers are verified: as right as the pairs are. Answers to all other conversations
nobody can verify, and of safety prompts it is known alone whether they must be refused.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from reasrm.datasets.folder_files import printable
from reasrm.datasets.row_fields import quoted
from reasrm.policy.reference_result import marked_result, same_result
from reasrm.policy.safety_files import SafetyPrompt, SafetySource, read_safety_prompts
from reasrm.records.content_hash import content_hash
from reasrm.records.pair import Message, PreferencePair, Role
from reasrm.records.policy import PolicyPrompt, Safety, Verifier
from reasrm.runtime.stage_main import StageError


def pair_prompts(pairs: Iterable[PreferencePair]) -> list[PolicyPrompt]:
    """One prompt for each conversation, in the order of the first pair of each."""
    of_conversation: dict[tuple[Message, ...], list[PreferencePair]] = defaultdict(list)
    for pair in pairs:
        of_conversation[pair.prompt].append(pair)
    return [_prompt(conversation, own) for conversation, own in of_conversation.items()]


def _prompt(conversation: tuple[Message, ...], pairs: Sequence[PreferencePair]) -> PolicyPrompt:
    """With a reference if all preferred answers that mark a result mark the same."""
    marked = [result for pair in pairs if (result := marked_result(pair.chosen)) is not None]
    agreed = bool(marked) and all(same_result(marked[0], other) for other in marked)
    return PolicyPrompt(
        prompt=conversation,
        task=pairs[0].source,
        verifier=Verifier.REFERENCE if agreed else Verifier.NONE,
        reference=marked[0] if agreed else "",
    )


def drawn(prompts: Sequence[PolicyPrompt], most: int | None, seed: int) -> list[PolicyPrompt]:
    """At most `most` of them, in an order that the seed and each prompt's own id give: none depends on the others."""
    return sorted(prompts, key=lambda prompt: content_hash([seed, prompt.id]))[:most]


def safety_prompts(folder: Path, files: Mapping[SafetySource, Path], most: int | None, seed: int) -> list[PolicyPrompt]:
    """The prompts of the user's safety files below `folder`, each once, in the order of the files, `most` of each.

    Raises:
        StageError: a file is not there, a row cannot be used, or two rows say the opposite of one prompt.
    """
    found: dict[str, PolicyPrompt] = {}
    for source, name in files.items():
        for read in read_safety_prompts(source, folder / name):
            prompt = _safety_prompt(read)
            before = found.setdefault(prompt.id, prompt)
            if before.safety is not prompt.safety:
                raise StageError(
                    f"{printable(folder / name)}: {quoted(read.prompt)} is a prompt to {prompt.safety}, and in the "
                    f"file of {before.task} it is one to {before.safety}: remove one of the two rows"
                )
    return [
        prompt
        for source in files
        for prompt in _kept([one for one in found.values() if one.task == source.value], most, seed)
    ]


def _kept(prompts: Sequence[PolicyPrompt], most: int | None, seed: int) -> Sequence[PolicyPrompt]:
    """All in the order of the file, or those that the seed draws."""
    return prompts if most is None else drawn(prompts, most, seed)


def _safety_prompt(read: SafetyPrompt) -> PolicyPrompt:
    return PolicyPrompt(
        prompt=(Message(role=Role.USER, content=read.prompt),),
        task=read.source.value,
        verifier=Verifier.NONE,
        safety=Safety.REFUSE if read.should_refuse else Safety.COMPLY,
    )
