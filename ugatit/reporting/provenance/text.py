"""A provenance for people: the value, then each kind of file behind it, then what does not match."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ugatit.reporting.provenance.steps import Step
from ugatit.reporting.provenance.trace import MISSING, Provenance

INDENT = "    "

DIGITS = 12
"""Of a hash, as shown."""


def as_text(found: Provenance, looked_at: bool = True) -> str:
    """Lines for people; the last ones say whether everything matches, and `looked_at` when and where."""
    cell = f", cell {found.cell}" if found.cell else ""
    lines = [f"{found.target}{cell}"]
    for step in found.steps:
        if step.kind == MISSING:
            continue
        lines += ["", f"{step.kind}: {step.path}"]
        lines += [f"{INDENT}{line}" for line in _facts(step)]
        lines += [f"{INDENT}DOES NOT MATCH: {problem}" for problem in step.problems]
    if looked_at:
        code = _code(found.here["code"])
        lines += ["", f"looked at {found.here['time']} on {found.here['machine']['host']} with {code}"]
    absent, problems = found.absent(), found.problems()
    if absent:
        lines += ["", "not here, so not compared:", *(f"{INDENT}{what}" for what in absent)]
    lines += [
        "",
        f"{len(problems)} of {len(found.steps)} files do not match:" if problems else _all_match(found),
    ]
    lines += [f"{INDENT}{problem}" for problem in problems]
    return "\n".join(lines)


def _all_match(found: Provenance) -> str:
    """The good ending."""
    read = sum(step.kind != MISSING for step in found.steps)
    return f"{read} files were read; all that could be compared matches"


def _facts(step: Step) -> Iterator[str]:
    """What a step says, a line each."""
    if step.kind == "training":
        yield from _training(step.says)
    elif step.kind == "parameters":
        yield from _parameters(step.says)
    else:
        yield from _lines(step.says)
    if step.workflow:
        ended = step.workflow["ended"]
        yield f"rule {step.workflow['rule']}" + (f", ended {ended}" if ended else "")


def _training(says: Mapping[str, Any]) -> Iterator[str]:
    """Every piece of a training: when, where, with which code and versions."""
    for start in says["starts"]:
        machine = start.get("machine", {})
        where = (
            f"{machine.get('host')} ({machine.get('gpu') or machine.get('processor')})" if machine else "?"
        )
        yield (
            f"from step {start['step']}: {start.get('time', 'time not recorded')}, {where}, "
            f"{start.get('device')}, {start.get('threads')} threads, {_code(start.get('code'))}"
        )
        if versions := start.get("versions"):
            yield f"{INDENT}{', '.join(f'{name} {version}' for name, version in versions.items())}"
    yield f"finished {says['finished'] or 'at an unrecorded time'}, {says['elapsed_s']} s of training in all"


def _parameters(says: Mapping[str, Any]) -> Iterator[str]:
    """A run's parameters, one group a line."""
    for key, value in says.items():
        yield f"{key}: {json.dumps(value) if isinstance(value, dict) else value}"


def _lines(says: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Facts, nested ones with dotted names; hashes are shortened."""
    for key, value in says.items():
        if key == "code":
            yield f"{prefix}code: {_code(value)}"
        elif key in ("versions", "machine"):
            yield f"{prefix}{key}: {', '.join(f'{k} {v}' for k, v in value.items())}"
        elif isinstance(value, Mapping):
            yield from _lines(value, f"{prefix}{key}.")
        elif isinstance(value, str) and (key.endswith("sha256") or key in ("digest", "fingerprint")):
            yield f"{prefix}{key}: {value[:DIGITS]}"
        elif value is not None:
            yield f"{prefix}{key}: {value}"


def _code(code: Mapping[str, Any] | None) -> str:
    """The code's version in words."""
    if not code or not code.get("commit"):
        return "code of an unrecorded commit"
    state = {True: ", changed since", False: "", None: ", state unknown"}[code.get("dirty")]
    return f"code {code['commit'][:DIGITS]}{state}"
