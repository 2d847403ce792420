"""What a sampled reply earns in GRPO: one file per reward term, and the registry of their names."""
