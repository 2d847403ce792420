"""The pipeline's work: a file here is a DVC stage of the same name, a folder is a room of knowledge."""
