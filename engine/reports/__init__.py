"""What users read of runs: reports and comparisons as Markdown, HTML and JSON, and the text of `runs` and `show`."""
