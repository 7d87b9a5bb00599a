"""The local backend: a transformers model decoded in both arms."""
