"""How figures over questions are computed, kept question by question, and compared between judges."""
