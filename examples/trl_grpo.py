"""A policy trained with TRL against a served judge, on the CPU: the miniature's base, a few steps.

reasrm serve-judge --ledger work/served.jsonl          in one terminal
python examples/trl_grpo.py                            in another
"""

import argparse

from datasets import load_dataset
from trl import GRPOConfig, GRPOTrainer

from reasrm import judge_reward

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--judge", default="http://127.0.0.1:8765")
parser.add_argument("--policy", default="data/checkpoints/base")
parser.add_argument("--questions", default="data/pairs/reinforce.jsonl")
parser.add_argument("--steps", type=int, default=4)
parser.add_argument("--out", default="work/trl_grpo")
options = parser.parse_args()

questions = load_dataset("json", data_files=options.questions, split="train").select_columns("prompt")
config = GRPOConfig(
    output_dir=options.out,
    max_steps=options.steps,
    per_device_train_batch_size=16,
    num_generations=4,  # the judge compares the completions of a prompt: at least two of each in every process
    max_completion_length=48,
    logging_steps=1,
    use_cpu=True,
    report_to="none",
)
trainer = GRPOTrainer(
    model=options.policy, reward_funcs=judge_reward(options.judge), args=config, train_dataset=questions
)
trainer.train()
