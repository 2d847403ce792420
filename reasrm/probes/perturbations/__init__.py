"""Edits of texts that probes share: deterministic, drawn by a hash of the item, and told apart by what they keep."""
