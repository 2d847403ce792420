"""From pairwise verdicts on a group of answers to one reward per answer: one file per scheme."""
