"""What Snakemake recorded of the making of a file: rule, inputs, parameters, times.

Its records are one JSON file per output below .snakemake/metadata, named by the path in base64; long names
are cut into folders.
"""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RECORDS = Path(".snakemake/metadata")

MAX_NAME = os.pathconf("/", "PC_NAME_MAX") if hasattr(os, "pathconf") else 255
"""Snakemake cuts longer names."""


def read_record(path: Path, records: Path = RECORDS) -> dict[str, Any] | None:
    """What Snakemake recorded of an output that it made; None if there is no record, or none that is whole.

    Returns: rule, input, params, shellcmd, log, and started and ended in UTC (ISO 8601). A record that a
        touch made, such as that of a restored release, does not know when: both are None.
    """
    try:
        found = json.loads((records / record_name(path)).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or not {"rule", "input"} <= found.keys():
        return None
    kept = {key: found.get(key) for key in ("rule", "input", "params", "shellcmd", "log")}
    started, ended = found.get("starttime"), found.get("endtime")
    if started == ended:
        return kept | {"started": None, "ended": None}
    return kept | {"started": _time(started), "ended": _time(ended)}


def record_name(path: Path) -> Path:
    """File of a record, relative to the folder of records."""
    encoded = base64.urlsafe_b64encode(path.as_posix().encode()).decode()
    size = MAX_NAME - 1
    *folders, name = [encoded[i : i + size] for i in range(0, len(encoded), size)]
    return Path(*(f"@{folder}" for folder in folders), name)


def _time(stamp: object) -> str | None:
    """A time of Snakemake's, in UTC."""
    if not isinstance(stamp, int | float):
        return None
    return datetime.fromtimestamp(stamp, UTC).isoformat(timespec="seconds")
