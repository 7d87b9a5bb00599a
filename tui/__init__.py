"""The terminal interface. Nothing here imports torch, transformers or outlines."""
