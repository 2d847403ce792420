"""Prompts in, replies out: the engines."""
