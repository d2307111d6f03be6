"""Bring what a URL gives into a file: asked again with patience, and going on where it was cut off.

Beside the partial file stands `<file>.json`, which says of which version of which URL it is the beginning.
"""

from __future__ import annotations

import email.utils
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import requests
import requests.exceptions as failures
import urllib3.exceptions

from ugatit.files import write_json
from ugatit.strict import Strict

LOG = logging.getLogger(__name__)

USER_AGENT = "ugatit-data-prep"
CHUNK_BYTES = 1 << 16
PART, ORIGIN = ".part", ".json"
OK, RANGE, RANGE_REFUSED = 200, 206, 416
NUMBER = re.compile("[0-9]+")
"""What int reads; str.isdigit takes more, such as superscripts."""
PASSING = frozenset({408, 425, 429, *range(500, 600)})
"""Answers after which it is worth asking again."""

Report = Callable[[int, int | None], None]
"""To be called with the bytes that are there and the bytes in all, if known."""

S = TypeVar("S", bound=Strict)


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server, and how often to ask it again."""

    timeout_s: float = 30.0
    retries: int = 5
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def pause(self, retry: int, asked_s: float) -> None:
        """Wait before a retry (0 is the first): twice as long each time, and as long as the server asked."""
        self.sleep(min(max(self.first_pause_s * 2**retry, asked_s), self.longest_pause_s))


PATIENCE = Patience()


class TransferError(Exception):
    """A URL that could not be had; the message is the reason, without the URL."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status, self.retries = status, 0

    def __str__(self) -> str:
        return super().__str__() + (f" ({self.retries + 1} attempts)" if self.retries else "")


@dataclass(frozen=True)
class Transfer:
    """How a URL was had: status of the last answer, its ETag, and how often it was asked again."""

    status: int
    etag: str
    retries: int


class _PassingError(TransferError):
    """A failure that may pass; `asked_s` is the pause that the server asked for."""

    def __init__(self, reason: str, status: int = 0, asked_s: float = 0.0) -> None:
        super().__init__(reason, status)
        self.asked_s = asked_s


class _Origin(Strict):
    """Of which version of which URL a partial file is the beginning."""

    url: str
    validator: str
    total: int | None

    @property
    def etag(self) -> str:
        """The validator, unless it is a date."""
        return self.validator if self.validator.startswith('"') else ""


def transfer(
    session: requests.Session,
    url: str,
    part: Path,
    patience: Patience,
    report: Report = lambda done, total: None,
    most_bytes: int | None = None,
) -> Transfer:
    """Bring what a URL gives into a file, going on where an earlier attempt was cut off.

    Raises: TransferError if the server refuses it, keeps failing, or sends more than `most_bytes`.
    """
    retries = 0
    while True:
        try:
            status, etag = _attempt(session, url, part, patience.timeout_s, report, most_bytes)
            return Transfer(status, etag, retries)
        except TransferError as error:
            error.retries = retries
            if not isinstance(error, _PassingError) or retries >= patience.retries:
                raise
            LOG.info("%s: %s; asking again", url, error)
            patience.pause(retries, error.asked_s)
        retries += 1


def put_in_place(part: Path, target: Path) -> None:
    """Give a whole file its name, once its bytes are on the disk."""
    with part.open("rb") as handle:
        os.fsync(handle.fileno())
    part.replace(target)
    beside(part, ORIGIN).unlink(missing_ok=True)


def discard(part: Path) -> None:
    """Forget a partial file."""
    part.unlink(missing_ok=True)
    beside(part, ORIGIN).unlink(missing_ok=True)


def _attempt(
    session: requests.Session,
    url: str,
    part: Path,
    timeout_s: float,
    report: Report,
    most_bytes: int | None,
) -> tuple[int, str]:
    """One request, written to `part`; returns status and ETag once all is there."""
    origin = read_own(_Origin, beside(part, ORIGIN))
    have = part.stat().st_size if part.exists() and origin and origin.url == url and origin.validator else 0
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    if origin and have:
        if have == origin.total:
            return OK, origin.etag
        headers |= {"Range": f"bytes={have}-", "If-Range": origin.validator}
    with (
        _failures_named(timeout_s),
        session.get(url, headers=headers, stream=True, timeout=timeout_s) as response,
    ):
        origin = _begin(response, url, part, origin if have else None, have)
        done = have if response.status_code == RANGE else 0
        with part.open("ab" if done else "wb") as handle:
            for chunk in response.raw.stream(CHUNK_BYTES, decode_content=False):
                done += handle.write(chunk)
                report(done, origin.total)
                if most_bytes is not None and done > most_bytes:
                    discard(part)
                    raise TransferError(f"more than {most_bytes:,} bytes", response.status_code)
        if origin.total is not None and done != origin.total:
            raise _PassingError(f"cut off after {done} of {origin.total} bytes", response.status_code)
        return response.status_code, response.headers.get("ETag", "")


def _begin(response: requests.Response, url: str, part: Path, origin: _Origin | None, have: int) -> _Origin:
    """Judge an answer before its body: the origin of the whole file, or an error."""
    status, headers = response.status_code, response.headers
    if status in PASSING:
        raise _PassingError(f"HTTP {status}", status, _asked_pause(headers.get("Retry-After", "")))
    if status == RANGE and origin and _continues(headers, origin, have):
        return origin
    if status in (RANGE, RANGE_REFUSED):
        discard(part)
        raise _PassingError("the server's file does not continue the partial one", status)
    if status != OK:
        raise TransferError(f"HTTP {status}", status)
    discard(part)
    etag, length = headers.get("ETag", ""), headers.get("Content-Length", "")
    validator = etag if etag.startswith('"') else headers.get("Last-Modified", "")
    origin = _Origin(url=url, validator=validator, total=int(length) if NUMBER.fullmatch(length) else None)
    write_json(beside(part, ORIGIN), origin.model_dump())
    return origin


def _continues(headers: Mapping[str, str], origin: _Origin, have: int) -> bool:
    """Whether a partial answer begins where the file ends, and is of the same version."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", ""))
    if not found or int(found[1]) != have or found[2] not in ("*", str(origin.total)):
        return False
    return not origin.etag or headers.get("ETag", origin.etag) == origin.etag


def _asked_pause(value: str) -> float:
    """The seconds that a Retry-After header asks for, given as a number or as a date."""
    if NUMBER.fullmatch(value.strip()):
        return float(value)
    try:
        return email.utils.parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, OverflowError):
        return 0.0


@contextmanager
def _failures_named(timeout_s: float) -> Iterator[None]:
    """Turn what goes wrong on the network into a short reason, and into whether it may pass."""
    try:
        yield
    except (failures.Timeout, urllib3.exceptions.TimeoutError):
        raise _PassingError(f"no answer for {timeout_s:g} s") from None
    except failures.SSLError:
        raise TransferError("its certificate cannot be verified") from None
    except (failures.InvalidSchema, failures.InvalidURL, failures.TooManyRedirects) as error:
        raise TransferError(f"not to be followed ({error})") from None
    except (failures.RequestException, urllib3.exceptions.HTTPError) as error:
        cause = getattr(error.args[0] if error.args else error, "reason", error)
        raise _PassingError(f"connection failed or cut off ({type(cause).__name__})") from None
    except ValueError as error:
        # What requests lets through of an address that it cannot take apart, such as that of a redirect.
        raise TransferError(f"not to be followed ({error})") from None


def beside(file: Path, suffix: str) -> Path:
    """The file of that name with a further ending."""
    return file.with_name(file.name + suffix)


def read_own(schema: type[S], file: Path) -> S | None:
    """Read a small file of one's own; None if it is missing or damaged."""
    try:
        return schema.model_validate_json(file.read_bytes())
    except (OSError, ValueError):
        return None
