"""The review page's server: on this machine only, for one person, in the standard library's HTTP.

Other web sites that the person has open are kept out: the name by which the server is called must be its own,
and a decision must carry the token that only the page knows.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, cast
from urllib.parse import parse_qs, urlsplit

from pydantic import Field

from data_prep.items import Item
from data_prep.review.decisions import DecisionFile
from data_prep.review.page import (
    PER_PAGE,
    SHOWS,
    Review,
    ReviewSide,
    all_counts,
    asset,
    decision_json,
    page_html,
    page_json,
)
from ugatit.construction import Side
from ugatit.errors import UserError
from ugatit.images import PictureError
from ugatit.strict import Strict, check

LOG = logging.getLogger(__name__)

HOST, PORT = "127.0.0.1", 8765

LOOPBACK = (HOST, "localhost")

MAX_BODY_BYTES = 1 << 16
MAX_NOTE = 200

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Reply = tuple[str, bytes]
"""Content type and content."""


class Decide(Strict):
    """A request to decide; all pictures get the same verdict."""

    side: Literal["a", "b"]
    item_ids: list[str] = Field(min_length=1, max_length=PER_PAGE)
    verdict: Literal["keep", "drop", "undo"]
    note: str = Field("", max_length=MAX_NOTE)


class RefusedError(Exception):
    """A request that is not answered, with the status that says why."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def serve(
    review: Review, host: str = HOST, port: int = PORT, started: Callable[[str], None] | None = None
) -> int:
    """Serve the page until Ctrl-C; `started` is called with its address. Returns how many are undecided.

    Raises: UserError if the host is not this machine, the port is taken, or the decisions cannot be read.
    """
    with ReviewServer(review, host, port) as server:
        if started is not None:
            started(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            LOG.debug("review of %s ended", review.dataset)
        decisions = server.decisions.read()
    return sum(counted["undecided"] for counted in all_counts(review, decisions).values())


class ReviewServer(ThreadingHTTPServer):
    """Listens on the loopback address; raises as `serve` does."""

    daemon_threads = True
    # A page's pictures are asked for at once.
    request_queue_size = 128

    def __init__(self, review: Review, host: str = HOST, port: int = 0) -> None:
        if host not in LOOPBACK:
            raise UserError(
                f"review: found host {host!r}, expected {' or '.join(LOOPBACK)}: the page has no login. "
                "From another machine use an SSH tunnel to the same port."
            )
        self.review = review
        self.decisions = DecisionFile(review.decisions)
        self.decisions.read()
        self.token = secrets.token_urlsafe()
        try:
            super().__init__((HOST, port), Handler)
        except (OSError, OverflowError) as error:
            raise UserError(f"review: port {port} cannot be used ({error}); give another one.") from None
        self.names = {f"{name}:{self.server_port}" for name in LOOPBACK}
        """By which a browser may call it: a foreign name that leads here is refused."""
        self.url = f"http://{HOST}:{self.server_port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what went wrong with a request, unless it is a browser that no longer wants the answer."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            LOG.exception("a request of the review page failed")


class Handler(BaseHTTPRequestHandler):
    """Answers one browser connection."""

    server: ReviewServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "data-prep", ""
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:  # noqa: N802
        """The page, its lists and pictures."""
        self._answer(lambda body: self._get())

    def do_POST(self) -> None:  # noqa: N802
        """A decision."""
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are for those who look for a fault."""
        LOG.debug(format, *args)

    def _answer(self, route: Callable[[bytes], Reply]) -> None:
        status = HTTPStatus.OK
        try:
            body = self._body()
            if self.headers.get("Host") not in self.server.names:
                raise RefusedError(HTTPStatus.FORBIDDEN, f"open {self.server.url} instead")
            kind, content = route(body)
        except RefusedError as error:
            status, (kind, content) = error.status, _json({"error": str(error)})
        except (UserError, PictureError, OSError) as error:
            status, (kind, content) = HTTPStatus.INTERNAL_SERVER_ERROR, _json({"error": str(error)})
        self._send(status, kind, content)

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if status != HTTPStatus.OK:
            # What is left of a body would be taken for the next request.
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def _get(self) -> Reply:
        try:
            address = urlsplit(self.path)
        except ValueError:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "not an address") from None
        match address.path.split("/")[1:]:
            case [""]:
                return "text/html; charset=utf-8", page_html(self.server.review, self.server.token).encode()
            case ["page.css"]:
                return "text/css; charset=utf-8", asset("page.css").encode()
            case ["page.js"]:
                return "text/javascript; charset=utf-8", asset("page.js").encode()
            case ["api", "items"]:
                return self._items(address.query)
            case ["crop", side, item_id]:
                part, item = self._find(side, item_id)
                return "image/jpeg", part.crop(item)
            case ["raw", side, item_id]:
                part, item = self._find(side, item_id)
                return "image/jpeg", part.raw(item)
        raise RefusedError(HTTPStatus.NOT_FOUND, "nothing here")

    def _items(self, query: str) -> Reply:
        review = self.server.review
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        side, show = asked.get("side", next(iter(review.sides))), asked.get("show", SHOWS[0])
        if side not in review.sides or show not in SHOWS:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"expected side and show ({', '.join(SHOWS)})")
        number = _number(asked["page"]) if "page" in asked else None
        return _json(page_json(review, cast(Side, side), show, number, self.server.decisions.read()))

    def _post(self, body: bytes) -> Reply:
        if urlsplit(self.path).path != "/api/decide":
            raise RefusedError(HTTPStatus.NOT_FOUND, "nothing here")
        if not secrets.compare_digest(self.headers.get("X-Token", "").encode(), self.server.token.encode()):
            raise RefusedError(HTTPStatus.FORBIDDEN, "the server was started anew; reload the page")
        origin = self.headers.get("Origin")
        if origin is not None and origin.removeprefix("http://") not in self.server.names:
            raise RefusedError(HTTPStatus.FORBIDDEN, "asked by another site")
        try:
            wanted = check(Decide, json.loads(body), "request")
        except (ValueError, RecursionError, UserError) as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, str(error)) from None
        for item_id in wanted.item_ids:
            self._find(wanted.side, item_id)
        review, verdict = self.server.review, None if wanted.verdict == "undo" else wanted.verdict
        decisions = self.server.decisions.decide(wanted.item_ids, verdict, review.reviewer, wanted.note)
        made = {item_id: decision_json(decisions.get(item_id)) for item_id in wanted.item_ids}
        return _json({"decisions": made, "counts": all_counts(review, decisions)})

    def _body(self) -> bytes:
        length = _number(self.headers.get("Content-Length", "0"))
        if length > MAX_BODY_BYTES:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MAX_BODY_BYTES} bytes")
        return self.rfile.read(length)

    def _find(self, side: str, item_id: str) -> tuple[ReviewSide, Item]:
        """A shown item; files are never found by what a request says."""
        part = self.server.review.sides.get(cast(Side, side))
        if part is None or item_id not in part.by_id:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"no picture {item_id!r} on side {side!r}")
        return part, part.by_id[item_id]


def _number(text: str) -> int:
    """A number that a request holds."""
    if not re.fullmatch("[0-9]{1,9}", text):
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"{text[:MAX_NOTE]!r} is no number")
    return int(text)


def _json(value: Any) -> Reply:
    return "application/json", json.dumps(value).encode()
