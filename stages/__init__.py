"""The pipeline's work: each file here is the DVC stage of the same name, run as `python -m stages.NAME`."""
