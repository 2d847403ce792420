"""What a judge is asked and how its answer is read: text in, text out."""
