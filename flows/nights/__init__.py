"""The night: run, gate the new judge against the champion, commit and tag what came of it, prune what is left over."""
