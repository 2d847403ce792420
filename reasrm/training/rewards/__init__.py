"""What a sampled reply is worth in reinforcement: one file per reward term."""
