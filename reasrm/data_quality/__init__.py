"""What is good enough to learn from: pairs, traces, no benchmark questions, no near-duplicates."""
