"""One module a contestant: `measure(task)` loads, warms up, runs. Each is a program of its own process."""
