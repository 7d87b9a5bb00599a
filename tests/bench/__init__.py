"""jsonbreak's decoder beside what a user would run instead. `python -m tests.bench` measures and prints the tables."""
