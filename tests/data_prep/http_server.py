"""An HTTP server on the loopback address that misbehaves as told."""

from __future__ import annotations

import re
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """One answer; a body is cut off after `cut` bytes, or hangs there, and is sent in slow pieces if told so."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    obeys_if_range: bool = True
    cut: int | None = None
    hangs: bool = False
    length: bool = True
    delay_s: float = 0.0
    pieces: int = 1


class Server(ThreadingHTTPServer):
    """Gives each path's answers in turn, the last one again and again; `*` stands for all other paths."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def set(self, path: str, *answers: Answer) -> str:
        self.answers[path] = list(answers)
        return self.url(path)

    def asked(self, path: str) -> list[dict[str, str]]:
        """The headers of the requests for a path."""
        return [headers for asked, headers in self.requests if asked == path]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:  # noqa: N802
        self.server.requests.append((self.path, dict(self.headers)))
        answers = self.server.answers.get(self.path) or self.server.answers.get("*", [Answer(status=404)])
        self._give(answers.pop(0) if len(answers) > 1 else answers[0])

    def _give(self, answer: Answer) -> None:
        time.sleep(answer.delay_s)
        start, total = self._start(answer), len(answer.body)
        if start is not None and start >= total:
            self._head(416, {"Content-Range": f"bytes */{total}", "Content-Length": "0"})
            return
        headers = dict(answer.headers)
        if start is not None:
            headers = {"Content-Range": f"bytes {start}-{total - 1}/{total}", **headers}
        body = answer.body[start or 0 :]
        if answer.length:
            headers.setdefault("Content-Length", str(len(body)))
        else:
            headers["Connection"] = "close"
        self._head(answer.status if start is None else 206, headers)
        self._send(body if answer.cut is None else body[: answer.cut], answer)
        if (answer.cut is not None or not answer.length) and not answer.hangs:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _start(self, answer: Answer) -> int | None:
        """Where the asked range begins, if the answer grants one."""
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        same = condition in (None, answer.headers.get("ETag"), answer.headers.get("Last-Modified"))
        granted = answer.ranges and answer.status == 200 and (same or not answer.obeys_if_range)
        return int(found[1]) if found and granted else None

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, body: bytes, answer: Answer) -> None:
        size = -(-len(body) // answer.pieces) or 1
        for begin in range(0, len(body), size):
            self.wfile.write(body[begin : begin + size])
            self.wfile.flush()
            time.sleep(answer.delay_s if answer.pieces > 1 else 0)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""
