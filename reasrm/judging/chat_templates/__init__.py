"""Chat templates of checkpoints: from messages to prompts, each text once and as it is."""
