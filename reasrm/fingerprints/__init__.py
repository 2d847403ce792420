"""What a stage's code means, so that only a change of meaning reruns it."""
