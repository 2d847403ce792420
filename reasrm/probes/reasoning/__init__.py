"""What the probes of a judge's stated reasoning share: traces up to their verdict, and edits of their steps."""
