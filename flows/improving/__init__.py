"""The closed loop: rounds in which a judge learns from its hard cases among a policy's answers, and a gate decides."""
