"""The judge's protocol without any model library: prompts, chat template, verdicts, replies, untrusted text."""
