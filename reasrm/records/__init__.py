"""What is on disk: one class per kind of line."""
