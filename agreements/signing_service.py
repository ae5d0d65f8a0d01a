"""The outside signing service, spoken to in JSON over HTTP: ask for a signature, look at it, take it back.

It is an adapter for one plain interface, described in docs/operations.md. A service that speaks another way gets a
class with the same three methods.
"""

from __future__ import annotations

import json
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

TIMEOUT = 10  # seconds of silence
LONGEST_ANSWER = 60  # seconds, however it trickles
MOST_BYTES = 30_000_000
LONGEST_REFERENCE = 200
STATES = ("waiting", "signed", "refused", "expired", "aborted")
_TRY_LATER = (408, 425, 429)
_is_address = URLValidator(schemes=["http", "https"])


class ServiceFault(Exception):
    """The service did not do what it was asked."""


class ServiceDown(ServiceFault):
    """It does not answer, or not so that it can be understood: the same may be tried again later."""


class ServiceRefuses(ServiceFault):
    """It answers no, and would again. The text is its own word."""


@dataclass(frozen=True)
class Asked:
    """What the service calls the request, and where the signatory signs."""

    reference: str
    address: str


@dataclass(frozen=True)
class Seen:
    """How far a request has come. `document` is what was signed, `sha256` that of the document the service was sent."""

    state: str
    told: str = ""
    document: bytes = b""
    sha256: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


class _NoDetours(HTTPRedirectHandler):
    """The key is for the address that was set, and for no other."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class SigningService:
    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key
        self._opener = build_opener(_NoDetours)

    def ask(
        self, *, token: str, title: str, name: str, document: bytes, sha256: str, signed_as: str, email: str, back: str
    ) -> Asked:
        """Have a document signed. The same `token` again gives the same request: a lost answer costs nothing."""
        told = self._call(
            "POST",
            "/requests",
            {
                "title": title,
                "document": {"name": name, "sha256": sha256, "data": b64encode(document).decode()},
                "signatory": {"signs_as": signed_as, "email": email},
                "return_to": back,
            },
            token=token,
        )
        reference = told.get("reference")
        if not isinstance(reference, str) or not 0 < len(reference) <= LONGEST_REFERENCE:
            raise ServiceDown("no reference")
        return Asked(reference, _address(told.get("address")))

    def look(self, reference: str) -> Seen:
        """How far it has come."""
        told = self._call("GET", f"/requests/{quote(reference, safe='')}")
        state = told.get("state")
        if state not in STATES:
            raise ServiceDown("no state that we know")
        evidence = told.get("evidence")
        return Seen(
            state=state,
            told=str(told.get("told") or "")[:1000],
            document=_bytes(told.get("document")) if state == "signed" else b"",
            sha256=str(told.get("document_sha256") or ""),
            evidence=evidence if isinstance(evidence, dict) else {},
        )

    def abort(self, reference: str) -> None:
        """Take the request back."""
        self._call("DELETE", f"/requests/{quote(reference, safe='')}")

    def _call(self, method: str, path: str, body: Any = None, token: str = "") -> dict[str, Any]:
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise ServiceRefuses("SIGNING_SERVICE_URL")
        headers = {"Accept": "application/json", "Authorization": f"Bearer {self.key}"}
        if token:
            headers["Idempotency-Key"] = token
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            with self._opener.open(Request(self.url + path, data, headers, method=method), timeout=TIMEOUT) as answer:
                return _object(_read(answer))
        except HTTPError as error:
            if error.code >= 500 or error.code in _TRY_LATER:
                raise ServiceDown(str(error.code)) from error
            raise ServiceRefuses(_why(error)) from error
        except (OSError, HTTPException, ValueError) as error:
            raise ServiceDown(type(error).__name__) from error


def _read(answer: Any) -> bytes:
    """The whole answer, unless it is too long in bytes or in time."""
    until, parts, size = time.monotonic() + LONGEST_ANSWER, [], 0
    while part := answer.read1(1 << 16):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES or time.monotonic() > until:
            raise ServiceDown("too much")
    return b"".join(parts)


def _object(data: bytes) -> dict[str, Any]:
    told = json.loads(data) if data.strip() else {}
    if not isinstance(told, dict):
        raise ServiceDown("not an object")
    return told


def _bytes(text: Any) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (TypeError, ValueError) as error:
        raise ServiceDown("no document") from error


def _address(text: Any) -> str:
    """Where to sign, if it is an address that a page may link to."""
    try:
        _is_address(text)
    except ValidationError:
        return ""
    return text if len(text) <= LONGEST_REFERENCE else ""


def _why(error: HTTPError) -> str:
    """What the service said when it refused, else its number."""
    try:
        told = _object(_read(error))
    except (ServiceDown, OSError, HTTPException, ValueError):
        told = {}
    return str(told.get("told") or error.code)[:1000]


def signing_service() -> SigningService | None:
    """The service that is set up, if there is one."""
    if not settings.SIGNING_SERVICE_URL:
        return None
    return SigningService(settings.SIGNING_SERVICE_URL, settings.SIGNING_SERVICE_KEY)
