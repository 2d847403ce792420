"""The types of question that a judge may be asked to tell apart before it judges: two, or seven finer ones.

The paper's query categories are Chat and Reasoning. The finer ones divide these two; which prompt offers which is said
in `chain_of_rubrics.py`.
"""

from enum import StrEnum


class QuestionType(StrEnum):
    """What a judge takes the question for; the values are the words between `<type>` tags."""

    REASONING = "Reasoning"
    """It has a right result that can be worked out, so the judge solves it first."""
    CHAT = "Chat"
    """Everything else: the judge writes rubrics first."""
    MATHEMATICS = "Mathematics"
    CODE = "Code"
    LOGIC = "Logic"
    """Puzzles, deduction, planning with constraints."""
    WRITING = "Writing"
    ADVICE = "Advice"
    SAFETY = "Safety"
    """Whether to help at all is in question."""
    CONVERSATION = "Conversation"
    """Open talk, and what is none of the others."""

    @property
    def coarse(self) -> "QuestionType":
        """Which of the two coarse types it is, or is a part of."""
        return QuestionType.REASONING if self in _OF_REASONING else QuestionType.CHAT


_OF_REASONING = frozenset({QuestionType.REASONING, QuestionType.MATHEMATICS, QuestionType.CODE, QuestionType.LOGIC})
