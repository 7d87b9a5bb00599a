"""What a run becomes for fine-tuning: rows to train on, files and cards of them, and a LoRA for a first answer."""
