"""Whether each stage fits a machine and how long it takes, computed from shapes and settings before anything runs."""
