"""A trained checkpoint as others can use it: a model card from what is there, a clean folder, the hub."""
