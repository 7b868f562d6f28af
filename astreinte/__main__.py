"""`python -m astreinte`."""

from astreinte.cli import main

main()
