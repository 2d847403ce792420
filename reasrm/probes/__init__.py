"""Whether a judge can be trusted: perturbed comparisons, judged by the same open judge, and measures of the answers."""
