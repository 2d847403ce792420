"""What readers call measures and variants, whose own names are those of the code and of params.yaml."""

from collections.abc import Mapping

from reasrm.reporting.probe_figures.measure_text import in_words

_ATTACK = {
    "asr": "attack success (ASR)",
    "pac": "success in both positions (PAC)",
    "picked": "attacked answer is picked",
    "picked_clean": "it is picked without the attack",
    "net_gain": "picked more often than without the attack",
    "denied": "no verdict under attack",
    "clean_accuracy": "accuracy without an attack",
    "false_positive_rate": "a text without content is picked",
    "defence_gain": "what the defusing buys",
    "attacker_gain": "what the attack gains for its own answer",
    "lost": "right verdicts turned or denied",
    "claim_gain": "what the claim gains",
}
TITLES: Mapping[str, Mapping[str, str]] = {
    "order": {
        "consistent_accuracy": "right in both orders",
        "flip_rate": "verdict flips with the order",
        "picked_a": "A is picked",
        "repeat_rate": "verdict changes when asked again",
        "net_flip_rate": "flips beyond chance",
    },
    "attacks": _ATTACK,
    "prefilled_thought": _ATTACK,
    "counterfactual": {
        "sensitivity": "moves when the label is turned",
        "right_when_turned": "right before and after that",
        "invariance": "stays when nothing that counts changes",
        "harmonic_mean": "moves and stays as it should (harmonic mean)",
        "drawn_to_addition": "drawn to what is added",
        "edited": "items that the edit changes",
    },
    "question": {
        "accuracy": "accuracy with another question",
        "accuracy_before": "accuracy with the own question",
        "uses_question": "accuracy lost with the question",
        "changed": "verdict changes",
        "edited": "items that the edit changes",
    },
    "bias": {
        "net_rate": "answer with more is picked, net of gold",
        "picked_rate": "answer with more is picked",
        "gold_rate": "answer with more is better",
        "accuracy_gap": "accuracy gap",
    },
    "nldd": {
        "nldd": "NLDD of a corrupted step",
        "flat_margins": "log-odds near zero",
        "verdict_turned": "corrupted step turns the verdict",
        "nldd_paraphrased": "NLDD of a paraphrased step",
        "nldd_random_step": "NLDD of a foreign step",
        "nldd_net": "NLDD beyond that of a control",
        "nldd_at": "NLDD by place in the trace",
        "horizon": "reasoning horizon k*",
        "horizon_peak": "place of the highest NLDD",
        "faithful": "some step carries the verdict",
        "nldd_no_reasoning": "NLDD without any reasoning",
        "decided_before": "decided before the reasoning",
        "follows_pasted": "follows pasted reasoning",
    },
    "reread": {
        "reread_consistent": "read again as the verdict",
        "reread_contradicting": "read again as the other one",
        "reread_undecided": "read again as neither",
    },
    "reason_verdict": {
        "agreement": "readable reasons agree with the verdict",
        "consistent": "reasons agree with the verdict, of all judgments",
        "steps_right": "written steps that are right",
        "worked_out": "worked out with every step right",
        "contradicting": "reasons contradict the verdict",
        "undecidable": "reasons name no answer",
        "reasons_right": "clear reasons name the better answer",
        "verdict_gain": "verdict righter than its reasons",
    },
    "grounding": {
        "grounded": "quotations that are found",
        "verbatim": "word for word",
        "ellipsis": "around an ellipsis",
        "other_answer": "in the other answer only",
        "absent": "in neither answer",
        "all_grounded": "replies with every quotation found",
        "net_grounded": "found more with a right verdict",
        "untaken_criteria": "criteria that are never taken up",
    },
}
"""By probe and measure, where the measure's own name does not say it."""
VARIANTS = {"empty": "empty answer"}
"""Where the variant's own name does not say it."""
ENDINGS = {"_undefused": ", defusing off", "_by_better": ", by the better answer"}
"""Of variants of attacks: how the judge was asked otherwise."""
KEY = "key_"
"""Begins the variant of a single master key."""


def measure_title(probe: str, name: str) -> str:
    """What readers call a measure: by the table, or its own name in words."""
    return TITLES.get(probe, {}).get(name) or in_words(name)


def variant_title(variant: str) -> str:
    """What readers call a variant, from its name in the settings; empty for the probe as a whole."""
    for ending, said in ENDINGS.items():
        if variant.endswith(ending):
            return variant_title(variant.removesuffix(ending)) + said
    if variant.startswith(KEY):
        return f"master key: {in_words(variant.removeprefix(KEY))}"
    return VARIANTS.get(variant) or in_words(variant)
