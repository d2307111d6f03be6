"""`python -m ugatit` is the `ugatit` command."""

from ugatit.cli import main

main()
