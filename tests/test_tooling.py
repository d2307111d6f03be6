"""The repository's own rules: who may import whom, and locks, versions and schema that agree."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from ugatit.schema import schema_text

ROOT = Path(__file__).parents[1]

LAYERS = (
    {"errors", "gpus", "processes", "tensor_files"},
    {"files", "strict", "devices", "environment"},
    {"construction", "sources", "tables", "images", "edges", "nn", "modules"},
    {"datasets"},
    {"models"},
    {"params"},
    {"schema", "manifest", "methods", "run"},
    {"data", "plan", "weights", "authors_layout"},
    {"authors_checkpoint"},
    {"evaluation"},
    {"training", "reporting", "release"},
    {"cli"},
    {"__main__"},
)
"""Parts of `ugatit`, lowest first: each imports only itself and lower layers."""

OPEN_TO_DATA_PREP = {
    "errors",
    "files",
    "strict",
    "construction",
    "sources",
    "datasets",
    "params",
    "images",
    "manifest",
}

LOCKED = re.compile(r"^([a-z0-9-]+)==(\S+)( ; .+)? \\$")

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def imports_of(package: str) -> Iterator[tuple[str, str]]:
    """File and imported module of every import in a package, those inside functions too."""
    for file in sorted((ROOT / package).rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from ((name, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.module and not node.level, f"{name}: relative import"
                if node.module in ("ugatit", "data_prep"):
                    yield from ((name, f"{node.module}.{alias.name}") for alias in node.names)
                else:
                    yield name, node.module


def part_of(module: str) -> str:
    """The part of `ugatit` to which a file or module belongs: `ugatit/nn/blocks.py` and `ugatit.nn` to `nn`."""
    return module.removesuffix(".py").replace("/", ".").split(".")[1]


def layer_of(part: str) -> int:
    layers = [i for i, parts in enumerate(LAYERS) if part in parts]
    assert layers, f"ugatit.{part} has no place in LAYERS"
    return layers[0]


def test_ugatit_imports_only_lower_layers() -> None:
    wrong = [
        (file, module)
        for file, module in imports_of("ugatit")
        if module.startswith("ugatit.") and part_of(file) != part_of(module) and file != "ugatit/__init__.py"
        if layer_of(part_of(module)) >= layer_of(part_of(file))
    ]
    assert not wrong


def test_data_prep_needs_little_of_ugatit_and_ugatit_nothing_of_data_prep() -> None:
    used = {part_of(module) for _, module in imports_of("data_prep") if module.startswith("ugatit.")}
    assert used <= OPEN_TO_DATA_PREP
    assert not [file for file, module in imports_of("ugatit") if module.startswith("data_prep")]


def test_packages_know_nothing_of_snakemake_and_only_commands_of_typer() -> None:
    imports = [*imports_of("ugatit"), *imports_of("data_prep")]
    assert not [file for file, module in imports if module.split(".")[0] == "snakemake"]
    assert {file.split("/cli")[0] for file, module in imports if module == "typer"} == {"ugatit", "data_prep"}


def locked(name: str) -> dict[str, set[str]]:
    """Versions by package; several if they depend on Python or platform."""
    versions: dict[str, set[str]] = {}
    for line in (ROOT / f"requirements/{name}.txt").read_text().splitlines():
        if match := LOCKED.match(line):
            versions.setdefault(match[1], set()).add(match[2])
        else:
            assert re.match(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$", line), f"{name}.txt: {line!r}"
    return versions


def asked(name: str) -> list[Requirement]:
    """What an .in file asks for."""
    lines = (ROOT / f"requirements/{name}.in").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-c "))]


@pytest.mark.parametrize("name", ["bootstrap", "main", "dev", "dvc"])
def test_locks_have_hashes_no_hosts_and_what_was_asked_for(name: str) -> None:
    versions = locked(name)
    for requirement in asked(name):
        assert versions[requirement.name.lower()], requirement
        assert all(Version(v) in requirement.specifier for v in versions[requirement.name.lower()]), (
            requirement
        )


def test_locks_agree_with_each_other() -> None:
    """All sets can be installed side by side."""
    for first, second in combinations(map(locked, ("main", "dev", "dvc")), 2):
        both = first.keys() & second.keys()
        assert {name: first[name] for name in both} == {name: second[name] for name in both}


def test_ranges_of_the_package_hold_the_locked_versions() -> None:
    versions = locked("main")
    requirements = [Requirement(text) for text in PROJECT["dependencies"]]
    for requirement in requirements:
        assert all(Version(v) in requirement.specifier for v in versions[requirement.name]), requirement
    assert {r.name for r in requirements} == {r.name for r in asked("main")} - {"setuptools"}


def test_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]


def test_conda_users_get_the_same_pins() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert pip == ["--require-hashes", "-r requirements/main.txt"]


def test_schema_is_that_of_the_code() -> None:
    """After a change of ugatit.params: `ugatit schema > workflow/schemas/params.schema.json`."""
    assert (ROOT / "workflow/schemas/params.schema.json").read_text() == schema_text()
