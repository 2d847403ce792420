"""A small policy that answers: the miniature's base, which knows how to judge alone, trained on answers for a minute.

python examples/answering_policy.py                    writes work/policy
"""

import argparse

from datasets import concatenate_datasets, load_dataset
from trl import SFTConfig, SFTTrainer

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--base", default="data/checkpoints/base")
parser.add_argument("--pairs", default="data/pairs/reinforce.jsonl")
parser.add_argument("--steps", type=int, default=200)
parser.add_argument("--out", default="work/policy")
options = parser.parse_args()

pairs = load_dataset("json", data_files=options.pairs, split="train")
sides = [
    # good answers and bad ones, so that there is something to choose among
    pairs.map(lambda row, side=side: {"completion": [{"role": "assistant", "content": row[side]}]})
    for side in ("chosen", "rejected")
]
answers = concatenate_datasets(sides).select_columns(["prompt", "completion"]).shuffle(seed=0)
config = SFTConfig(
    output_dir=options.out,
    max_steps=options.steps,
    per_device_train_batch_size=16,
    learning_rate=1e-3,
    logging_steps=50,
    save_strategy="no",
    use_cpu=True,
    bf16=False,
    report_to="none",
)
trainer = SFTTrainer(model=options.base, args=config, train_dataset=answers)
trainer.train()
trainer.save_model(options.out)
