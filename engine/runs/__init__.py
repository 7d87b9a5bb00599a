"""A run on disk: written, read, listed, followed and resumed."""
