"""Checkpoints in, checkpoints out: SFT, GRPO and the scalar baseline."""
