"""The judging core: one interface of all judges (`judge`), judge templates, token budgets, judgments of benchmarks."""
