"""Which answer a judge's reasons speak for, read without a model."""
