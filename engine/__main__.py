"""`python -m engine` is `jsonbreak`."""

from engine.cli.main import main

main()
