"""The judge's protocol without any model library: prompts, chat templates, verdicts, replies, untrusted text."""
