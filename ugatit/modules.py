"""Methods and kinds of figures are found by the names of their files."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
from types import ModuleType

from ugatit.errors import UserError
from ugatit.strict import nearest

METHODS, FIGURES = "ugatit.methods", "ugatit.reporting.figures"
"""Packages in which they are."""


@functools.cache
def method_module(name: str) -> ModuleType:
    """Find a method by the name of its file in ugatit/methods.

    Raises: UserError if there is no such file.
    """
    if importlib.util.find_spec(f"ugatit.methods.{name}") is None:
        raise UserError(f"method {name!r}: no file ugatit/methods/{name}.py.")
    return importlib.import_module(f"ugatit.methods.{name}")


def figure_module(kind: str) -> ModuleType:
    """Find a kind of figures by the name of its file in ugatit/reporting/figures.

    Raises: UserError if there is no such file.
    """
    known = module_names(FIGURES)
    if kind not in known:
        raise UserError(
            f"figures: kind {kind!r}: no file ugatit/reporting/figures/{kind}.py{nearest(kind, known)}; "
            f"known: {', '.join(known)}."
        )
    return importlib.import_module(f"ugatit.reporting.figures.{kind}")


def module_names(package: str) -> list[str]:
    """Names of a package's modules, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__))
