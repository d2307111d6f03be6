"""Headless Chromium for the tests of pages, driven by the W3C WebDriver protocol.

The picture of docs/report.md: `python -m tests.reporting.browser PAGE FRAGMENT OUTPUT WIDTH HEIGHT`.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--force-device-scale-factor=1",
)  # fmt: skip

PATIENCE_S = 60
"""A driver starts in a second; a loaded machine may take longer."""

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key by which the protocol names elements."""

KEYS = {
    "Escape": "\ue00c",
    "Enter": "\ue007",
    "End": "\ue010",
    "ArrowDown": "\ue015",
    "ArrowRight": "\ue014",
    "Shift": "\ue008",
}


def require_chromium() -> tuple[str, str]:
    """Paths of Chromium and its driver; without them the test is skipped, or fails where it has to run."""
    found = (shutil.which("chromium"), shutil.which("chromedriver"))
    if all(found):
        return found  # type: ignore[return-value]
    reason = "chromium and chromedriver are not installed (Debian: apt-get install chromium chromium-driver)"
    if os.environ.get("UGATIT_BROWSER") == "required" or os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


class Browser:
    """One window of Chromium with a profile of its own."""

    def __init__(self, folder: Path) -> None:
        chromium, driver = require_chromium()
        self._log = (folder / "chromedriver.log").open("w")
        self._process = subprocess.Popen(
            [driver, "--port=0"], stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self._process.stdout
        line = next(text for text in self._process.stdout if "started successfully on port" in text)
        port = int(line.rsplit(" ", 1)[1].rstrip(".\n"))
        self._http = requests.Session()
        self._http.trust_env = False  # the driver is on this machine, whatever the proxy
        self._address = f"http://127.0.0.1:{port}/session"
        options = {"binary": chromium, "args": [*FLAGS, f"--user-data-dir={folder / 'profile'}"]}
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        session = self._call("POST", "", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        self._address += f"/{session}"

    def close(self) -> None:
        """End the browser and its driver."""
        try:
            self._call("DELETE", "")
        finally:
            self._process.terminate()
            self._process.wait(PATIENCE_S)
            self._log.close()

    def open(self, page: Path, fragment: str = "", width: int = 1280, height: int = 900) -> None:
        """Open a file in a window of a size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.command("Emulation.setDeviceMetricsOverride", size)
        self._call("POST", "/url", {"url": "about:blank"})
        self._call("POST", "/url", {"url": page.resolve().as_uri() + fragment})

    def run(self, script: str, *arguments: object) -> Any:
        """The value of a function's body in the page."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, condition: str) -> Any:
        """Wait until an expression is true in the page. Returns: its value."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if value := self.run(f"return {condition}"):
                return value
            time.sleep(0.05)
        raise AssertionError(f"never true: {condition}")

    def press(self, *keys: str) -> None:
        """Press keys one after the other on what has the focus; `Shift+X` holds Shift."""
        for name in keys:
            held, _, key = name.rpartition("+") if len(name) > 1 else ("", "", name)
            codes = [*([KEYS[held]] if held else []), KEYS.get(key, key)]
            down = [{"type": "keyDown", "value": code} for code in codes]
            up = [{"type": "keyUp", "value": code} for code in reversed(codes)]
            self._act({"type": "key", "id": "keyboard", "actions": down + up})

    def drag(self, selector: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag the pointer between two places of an element, each as shares of its width and height."""
        box = self.run(
            f"const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            "return [b.left, b.top, b.width, b.height]"
        )
        points = [{"x": round(box[0] + x * box[2]), "y": round(box[1] + y * box[3])} for x, y in (start, end)]
        moves = [{"type": "pointerMove", "duration": 0, **point} for point in points]
        down, up = ({"type": name, "button": 0} for name in ("pointerDown", "pointerUp"))
        self._act({"type": "pointer", "id": "mouse", "actions": [moves[0], down, moves[1], up]})

    def click(self, selector: str) -> None:
        """Click the middle of an element."""
        found = self._call("POST", "/element", {"using": "css selector", "value": selector})
        self._call("POST", f"/element/{found[ELEMENT]}/click", {})

    def screenshot(self) -> np.ndarray:
        """What the window shows, (H, W, 3)."""
        data = base64.b64decode(self._call("GET", "/screenshot"))
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    def command(self, name: str, parameters: dict[str, Any]) -> Any:
        """A command of the DevTools protocol."""
        return self._call("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def errors(self) -> list[str]:
        """Warnings and errors of the console since the last call."""
        entries = self._call("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    def requests(self) -> list[str]:
        """Addresses that were asked for since the last call."""
        entries = self._call("POST", "/se/log", {"type": "performance"})
        events = [json.loads(entry["message"])["message"] for entry in entries]
        return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]

    def _act(self, source: dict[str, Any]) -> None:
        self._call("POST", "/actions", {"actions": [source]})

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One request to the driver. Raises: AssertionError with its message."""
        answer = self._http.request(method, self._address + path, json=body, timeout=PATIENCE_S)
        value = answer.json()["value"]
        assert answer.ok, value
        return value


def save_screenshot(page: Path, fragment: str, output: Path, width: int, height: int) -> None:
    """Save what a page shows, in 256 colours, for the documents."""
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(Path(folder))
        try:
            browser.open(page, fragment, width, height)
            browser.wait("[...document.images].every((image) => image.complete || !image.offsetParent)")
            Image.fromarray(browser.screenshot()).quantize(256).save(output, optimize=True)
        finally:
            browser.close()


if __name__ == "__main__":
    save_screenshot(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), *map(int, sys.argv[4:]))
