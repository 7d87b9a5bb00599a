"""`python -m engine` is the command line of jsonbreak."""

from engine.cli.main import main

main()
