"""The paper's ablation tables in kind: their rows trained with several seeds, each in a workspace of its own."""
