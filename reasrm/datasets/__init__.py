"""Rows that others published, from the hub or from files, in their own schemas."""
