"""The judging core: judges, how they are asked and read, one run over many prompts."""
