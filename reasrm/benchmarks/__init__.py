"""The benchmarks: what each consists of and its official rule, one file each."""
