"""Reinforcement of right verdicts with GRPO: settings, prompts, reward terms, and the training itself."""
