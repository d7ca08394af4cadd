"""``python -m tlblint``."""

from tlblint.cli.main import main

main()
