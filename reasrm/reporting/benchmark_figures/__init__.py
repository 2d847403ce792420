"""Figures about the benchmarks: the headline, the ladder of recipes, families, slices, and what rows were used."""
