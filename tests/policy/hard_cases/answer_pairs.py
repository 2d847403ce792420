"""Pairs of answers of the miniature's world, and prompts, for tests of hard cases."""

from reasrm.records.comparison import Side
from reasrm.records.hard_case import AnswerPair, Candidate, CandidateKind, RelabelledCandidate, RelabelOutcome, Verdicts
from reasrm.records.pair import Message, Role
from reasrm.records.policy import PolicyPrompt, Verifier

BOXES = "A ball is in the red box. Step 1: swap the contents of red and blue. Where is the ball?"
RIGHT, WRONG = "It is in the blue box.", "It is in the red box."


def prompt_of(question: str, task: str = "boxes") -> PolicyPrompt:
    turns = (Message(role=Role.USER, content=question),)
    return PolicyPrompt(prompt=turns, task=task, verifier=Verifier.WORLD)


def pair_of(a: str, b: str, question: str = BOXES) -> AnswerPair:
    prompt = prompt_of(question)
    return AnswerPair(prompt=prompt.prompt, prompt_id=prompt.id, task=prompt.task, a=a, b=b)


def candidate_of(pair: AnswerPair, kind: CandidateKind = CandidateKind.DRAWN, **verdicts: Verdicts) -> Candidate:
    return Candidate(pair=pair, kind=kind, verdicts=verdicts)


def labelled(pair: AnswerPair, better: Side, **verdicts: Verdicts) -> RelabelledCandidate:
    candidate = candidate_of(pair, CandidateKind.CONTESTED, **verdicts)
    return RelabelledCandidate(candidate=candidate, outcome=RelabelOutcome.LABELLED, better=better)
