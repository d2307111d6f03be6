"""Download the pictures of a user's list of URLs politely: robots.txt, one request at a time, nothing twice.

`fetched.jsonl` in the folder holds one line per URL; another call keeps what is there and retries the rest.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.robotparser import RobotFileParser

import requests
from requests.adapters import HTTPAdapter

from data_prep.file_kinds import read_head, recognise
from data_prep.progress import progress_bar
from data_prep.transfer import (
    PATIENCE,
    USER_AGENT,
    Patience,
    Transfer,
    TransferError,
    discard,
    put_in_place,
    transfer,
)
from ugatit.errors import UserError
from ugatit.files import read_json_lines, sha256_file, write_text
from ugatit.images import EXTENSIONS
from ugatit.strict import Strict, check

LOG = logging.getLogger(__name__)

RECORD = "fetched.jsonl"
ROBOTS = "/robots.txt"
ROBOTS_ABSENT = frozenset({400, 404, 405, 406, 410})
"""Answers that mean that a host has no robots.txt; after any other failure nothing is fetched from it."""
ROBOTS_REDIRECTS = 5
"""How many redirects of a robots.txt are followed, as RFC 9309 asks; more count as unreadable."""

MAX_PICTURE_BYTES, MAX_ROBOTS_BYTES = 100_000_000, 1_000_000
MAX_STEM = 50
FAILURES_SHOWN = 20
OK, CACHED, RETRIED = "ok", "cached", "retried"
ROBOTS_FORBID, HTML, NO_PICTURE, NO_ANSWER = "robots", "html_instead", "not_a_picture", "no_answer"


class _Line(Strict):
    """What is known of one URL."""

    url: str
    outcome: str
    status: int
    etag: str = ""
    sha256: str = ""
    bytes: int = 0
    file: str = ""
    reason: str = ""


def fetch_urls(
    urls: Path,
    folder: Path,
    *,
    per_second: float = 1.0,
    patience: Patience = PATIENCE,
) -> Counter[str]:
    """Download every picture of a list (one URL per line, # begins a comment) that is not there yet.

    Counts ok, cached, retried, 4xx, 5xx, html_instead, not_a_picture, no_answer and robots. Failures are
    recorded and shown, and stop nothing.

    Range: per_second is the most requests per host and second, those of robots.txt included.
    Raises: UserError if the list cannot be read or names something else than web addresses, or if the folder
        cannot be written.
    """
    wanted = _read_list(urls)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        done = _read_record(folder)
        write_text(folder / RECORD, "".join(_json(line) for line in done.values()))
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror}). Give another folder.") from None
    counts = Counter({CACHED: sum(url in done for url in wanted)})
    left = [url for url in wanted if url not in done]
    taken = {line.file.casefold() for line in done.values()}
    failed = []
    with (
        _session(_PoliteAdapter(_Turns(per_second, patience), patience)) as session,
        (folder / RECORD).open("a", encoding="utf-8") as record,
        progress_bar(urls.name, len(left)) as advance,
    ):
        for url in left:
            line, retried = _fetch(session, url, folder, taken, patience)
            record.write(_json(line))
            record.flush()
            counts.update([line.outcome, RETRIED] if retried else [line.outcome])
            advance(1, counts)
            if line.outcome == OK:
                taken.add(line.file.casefold())
            else:
                failed.append(line)
    _show(failed, folder)
    return counts


def _read_list(urls: Path) -> list[str]:
    """The addresses of a list, each once."""
    try:
        text = urls.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{urls}: cannot be read ({error}); expected a text file of one URL per line."
        ) from None
    found: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        url = re.sub(r"(^|\s)#.*", "", line).strip()
        if url and not re.match(r"https?://[^/\s]+", url):
            raise UserError(f"{urls}, line {number}: found {url[:80]!r}; expected an http or https address.")
        if url:
            found[url] = None
    return list(found)


def _read_record(folder: Path) -> dict[str, _Line]:
    """What earlier calls downloaded and what is still there, by URL."""
    if not (folder / RECORD).exists():
        return {}
    lines = [check(_Line, entry, str(folder / RECORD)) for entry in read_json_lines(folder / RECORD)]
    return {line.url: line for line in lines if line.outcome == OK and (folder / line.file).is_file()}


def _json(line: _Line) -> str:
    return json.dumps(line.model_dump()) + "\n"


def _fetch(
    session: requests.Session, url: str, folder: Path, taken: set[str], patience: Patience
) -> tuple[_Line, bool]:
    """Download one picture; whether the server was asked more than once."""
    part = folder / f".{_mark(url)}.part"
    try:
        answer = transfer(session, url, part, patience, most_bytes=MAX_PICTURE_BYTES)
    except _ForbiddenError as error:
        return _Line(url=url, outcome=ROBOTS_FORBID, status=0, reason=str(error)), False
    except TransferError as error:
        outcome = f"{error.status // 100}xx" if error.status >= 400 else NO_ANSWER
        line = _Line(url=url, outcome=outcome, status=error.status, reason=str(error))
        return line, error.retries > 0
    return _judge(url, part, folder, taken, answer), answer.retries > 0


def _judge(url: str, part: Path, folder: Path, taken: set[str], answer: Transfer) -> _Line:
    """Name what came if it is a picture, and drop it if not."""
    kind = recognise(read_head(part))
    if kind not in EXTENSIONS:
        discard(part)
        outcome = HTML if kind == "html" else NO_PICTURE
        return _Line(url=url, outcome=outcome, status=answer.status, reason=f"its content is {kind}")
    digest, size = sha256_file(part), part.stat().st_size
    file = folder / _name(url, EXTENSIONS[kind], folder, taken, digest)
    put_in_place(part, file)
    return _Line(
        url=url,
        outcome=OK,
        status=answer.status,
        etag=answer.etag,
        sha256=digest,
        bytes=size,
        file=file.name,
    )


def _name(url: str, suffix: str, folder: Path, taken: set[str], digest: str) -> str:
    """A safe file name from the last part of a URL; a hash tells it apart from another's."""
    last = PurePosixPath(unquote(urlsplit(url).path)).name
    stem = re.sub(r"[^\w.-]", "_", PurePosixPath(last).stem).lstrip(".")[:MAX_STEM] or "picture"
    name = stem + suffix
    # A kill between naming and recording leaves the same bytes under this name.
    free = not (folder / name).exists() or sha256_file(folder / name) == digest
    return name if free and name.casefold() not in taken else f"{stem}_{_mark(url)}{suffix}"


def _mark(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:12]


def _show(failed: Sequence[_Line], folder: Path) -> None:
    """One line per URL that could not be had, up to a bound."""
    for line in failed[:FAILURES_SHOWN]:
        LOG.warning("not downloaded: %s (%s: %s)", line.url, line.outcome, line.reason)
    if failed:
        LOG.warning(
            "%d URLs not downloaded, all named in %s; run again to retry", len(failed), folder / RECORD
        )


class _ForbiddenError(Exception):
    """What robots.txt does not allow."""


class _Turns:
    """When each host may be asked again."""

    def __init__(self, per_second: float, patience: Patience) -> None:
        self._interval_s, self._patience = 1.0 / per_second, patience
        self._next: dict[str, float] = {}

    def wait(self, host: str, asked_s: float = 0.0) -> None:
        """Wait for a host's turn; the next one is the agreed interval later, or `asked_s` if that is more."""
        pause_s = self._next.get(host, 0.0) - self._patience.clock()
        if pause_s > 0:
            self._patience.sleep(pause_s)
        self._next[host] = self._patience.clock() + max(self._interval_s, asked_s)


class _PatientAdapter(HTTPAdapter):
    """Sends requests, redirects included, no faster than agreed."""

    def __init__(self, turns: _Turns) -> None:
        super().__init__()
        self._turns = turns

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request when its host's turn has come; see `HTTPAdapter.send`."""
        self._turns.wait(urlsplit(request.url or "").netloc)
        return super().send(request, *args, **kwargs)


class _PoliteAdapter(HTTPAdapter):
    """Sends requests, redirects included, as robots.txt allows and no faster than agreed."""

    def __init__(self, turns: _Turns, patience: Patience) -> None:
        super().__init__()
        self._turns, self._patience = turns, patience
        self._rules: dict[str, RobotFileParser | str] = {}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request when its host's turn has come; see `HTTPAdapter.send`."""
        parts = urlsplit(request.url or "")
        host = f"{parts.scheme}://{parts.netloc}"
        if host not in self._rules:
            self._rules[host] = self._read_rules(host)
        rules = self._rules[host]
        if isinstance(rules, str):
            raise _ForbiddenError(f"{host}{ROBOTS} cannot be read: {rules}")
        if not rules.can_fetch(USER_AGENT, request.url or ""):
            raise _ForbiddenError(f"{host}{ROBOTS} does not allow it")
        self._turns.wait(parts.netloc, float(rules.crawl_delay(USER_AGENT) or 0))
        return super().send(request, *args, **kwargs)

    def _read_rules(self, host: str) -> RobotFileParser | str:
        """A host's robots.txt, or why it cannot be had; one that does not exist allows everything."""
        rules, lines = RobotFileParser(), list[str]()
        # No rules hold for robots.txt itself, wherever it is redirected to.
        with _session(_PatientAdapter(self._turns)) as session, TemporaryDirectory() as folder:
            session.max_redirects = ROBOTS_REDIRECTS
            file = Path(folder, "robots.txt")
            try:
                transfer(session, host + ROBOTS, file, self._patience, most_bytes=MAX_ROBOTS_BYTES)
                lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
            except TransferError as error:
                if error.status not in ROBOTS_ABSENT:
                    return str(error)
        try:
            rules.parse(lines)
        except ValueError as error:
            return f"not understood ({error})"
        return rules


def _session(adapter: HTTPAdapter) -> requests.Session:
    session = requests.Session()
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
