"""Turns a run into training data: rows, files and cards of them, and a LoRA trained on them."""
