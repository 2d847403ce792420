"""Judges that others published: their prompts and how their replies are read."""
