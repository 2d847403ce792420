"""What is seen of a training while it runs, and what stops one that cannot learn."""
