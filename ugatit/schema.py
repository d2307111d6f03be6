"""The JSON schema of params.yaml, for editors and for `workflow/schemas`."""

from __future__ import annotations

import json
from typing import Any

from ugatit.modules import FIGURES, METHODS, figure_module, method_module, module_names
from ugatit.params import Params
from ugatit.strict import Strict


def schema_text() -> str:
    """The JSON schema of params.yaml, with every method's parameters, as it stands in workflow/schemas."""
    schema = Params.model_json_schema()
    parts: dict[str, Any] = schema["$defs"]
    methods = {m: _schema_of(m, method_module(m).Parameters, parts) for m in module_names(METHODS)}
    schema["properties"]["methods"] = {"type": "object", "properties": methods, "additionalProperties": False}
    kinds = [_schema_of(k, figure_module(k).Entry, parts) for k in module_names(FIGURES)]
    schema["properties"]["figures"]["additionalProperties"] = {"anyOf": kinds}
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2) + "\n"


def _schema_of(module: str, model: type[Strict], parts: dict[str, Any]) -> dict[str, Any]:
    """The schema of one module's model; `parts` takes its parts, with its name: modules call theirs alike."""
    schema = model.model_json_schema(ref_template=f"#/$defs/{module}.{{model}}")
    parts |= {f"{module}.{part}": value for part, value in schema.pop("$defs", {}).items()}
    return schema
