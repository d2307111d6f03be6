"""The claims of docs/dvc.md hold with the real programs. Minutes; run by `make test-dvc`, not by `make test`."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import ROOT
from tests.dvc.claims import carry_out


def headings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("## ")]


def test_every_claim_holds_and_is_in_the_transcript(tmp_path: Path) -> None:
    made = carry_out(tmp_path).text()
    assert headings(made) == headings((ROOT / "docs/dvc_transcript.md").read_text())
