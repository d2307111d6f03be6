"""Values that are checked strictly, and how a refusal reads: where, what was found, what was expected."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ugatit.errors import UserError


class Strict(BaseModel):
    """Values that refuse unknown keys and wrong types, and never change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


S = TypeVar("S", bound=BaseModel)


def check(schema: type[S], value: Any, origin: str) -> S:
    """Validate a value against a schema; the first problem becomes one line.

    Raises: UserError.
    """
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        raise UserError(f"{origin}: {_explain(error, schema, value)}") from None


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint at the known name that is most like an unknown one; empty if none is."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _explain(error: ValidationError, schema: type[BaseModel], value: Any) -> str:
    """One problem as: where, what was found, what was expected, what to do; misspelt keys come first."""
    problems = sorted(error.errors(include_url=False), key=lambda p: p["type"] != "extra_forbidden")
    problem, found = problems[0], problems[0]["input"]
    match problem["type"]:
        case "extra_forbidden":
            message = f"unknown key{nearest(str(problem['loc'][-1]), _all_keys(schema))}"
        case "missing":
            message = "missing; add it"
        case "value_error":
            message = str(problem["ctx"]["error"])
        case "float_type" | "int_type" if isinstance(found, str) and (number := _number(found)) is not None:
            message = f"found the string {found!r}, expected a number; in YAML write {number!r}"
        case _:
            shown = f"{type(found).__name__} {found!r}"[:80]
            message = f"found {shown}; {problem['msg'][0].lower()}{problem['msg'][1:]}"
    more = len(problems) - 1
    rest = f" (and {more} more problem{'s' * (more > 1)})" if more else ""
    return f"{_location(problem['loc'], value)}: {message}{rest}"


def _location(parts: Sequence[int | str], value: Any) -> str:
    """The key of a problem, without the names that pydantic gives to the members of a union."""
    kept = []
    for part in parts:
        inside = isinstance(value, Mapping | list) and (isinstance(value, list) or part in value)
        if inside or part is parts[-1]:
            kept.append(str(part))
        value = value[part] if inside else value
    return ".".join(kept) or "the whole value"


def _all_keys(schema: type[BaseModel]) -> list[str]:
    """Every key that a schema knows anywhere."""
    described = schema.model_json_schema()
    parts = [described, *described.get("$defs", {}).values()]
    return [key for part in parts for key in part.get("properties", {})]


def _number(text: str) -> int | float | None:
    """The number that a string spells."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None
