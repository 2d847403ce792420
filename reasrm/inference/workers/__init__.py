"""Several processes that each run the same checkpoint, every one on its share of the prompts and of the GPUs."""
