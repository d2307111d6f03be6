"""Files of torch.save: tensors are read, code in them never runs, and damage is one kind of error."""

from __future__ import annotations

import pickle
import re
import struct
from pathlib import Path
from typing import IO, Any

import torch

RAISED = (
    EOFError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    struct.error,
    pickle.UnpicklingError,
)
"""What torch.load raises on files that are damaged or of another kind."""


class UnreadableTensorsError(Exception):
    """A file is damaged, of another kind, or holds more than tensors; the message says so in one line."""

    def __init__(self, message: str, foreign: str | None) -> None:
        super().__init__(message)
        self.foreign = foreign
        """What a file holds that is no tensor, by its Python name; None: the file is damaged."""


def load_tensors(file: Path | IO[bytes]) -> Any:
    """Read what torch.save wrote, onto the CPU.

    Raises: UnreadableTensorsError; OSError if the file cannot be read at all.
    """
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except RAISED as error:
        foreign = re.search(r"GLOBAL (\S+)", str(error))
        raise UnreadableTensorsError(first_line(error), foreign and foreign[1]) from None


def first_line(error: Exception) -> str:
    """The beginning of an error's text, or its kind if it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0][:120] if lines else type(error).__name__
