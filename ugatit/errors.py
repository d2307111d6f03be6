"""The one exception for users' mistakes, and how the commands show it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

USER_ERROR_EXIT = 2
"""Exit code of a command that was given something it cannot use."""


class UserError(Exception):
    """Something the user gave cannot be used.

    The message is one line: what was found, what was expected, where it came from, what to do.
    """


def exit_on_user_error(command: Callable[[], object]) -> NoReturn:
    """Run a command; show a `UserError` as one line and leave with exit code 2.

    Raises: SystemExit, always. Any other exception keeps its traceback.
    """
    try:
        command()
    except UserError as error:
        line = " ".join(str(error).split())
        sys.stderr.write(f"error: {line}\n")
        raise SystemExit(USER_ERROR_EXIT) from None
    raise SystemExit(0)
