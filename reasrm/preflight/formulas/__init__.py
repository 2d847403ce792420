"""Bytes and operations as functions of a model's shape and a stage's settings; nothing here reads a file."""
