"""What a paper needs of a finished run: where it comes from, how to make it again, its tables, and whom to cite."""
