"""GRPO of a policy whose answers a judge, a verifier or chance rewards, and the answers that it gives on the way."""
