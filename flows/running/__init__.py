"""One run of the pipeline: `reasrm run`, `reasrm status`, `reasrm cancel`, and the processes of the stages."""
