"""Recorded replies of any judge, read as plain judgments: what probes can measure without a model."""
