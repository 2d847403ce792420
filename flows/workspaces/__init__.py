"""Projects below work/ that share the project's cache: where `reasrm ablate` and `reasrm improve` run the pipeline."""
