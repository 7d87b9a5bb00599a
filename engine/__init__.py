"""The engine: suites in, records out. Nothing here imports Textual."""

__version__ = "0.1.0"
