"""What params.yaml is made of, and whether the stages would take it."""
