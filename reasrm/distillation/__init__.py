"""Oracle traces: which questions are asked, asking them, what it costs, what comes of it."""
