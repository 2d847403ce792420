"""Prefect's side: its server, what its UI shows of a run, and the schedule."""
