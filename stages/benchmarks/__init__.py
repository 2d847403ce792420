"""The benchmarks: loading and the official scores of each."""
