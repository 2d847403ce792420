"""Judges that others published: their prompt is a file of the user's, their reply is read by their own rule."""
