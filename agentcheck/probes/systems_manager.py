"""One signed, read-only call to Systems Manager: may the instance's credentials do this?

`ssm:ListInstanceAssociations` for this very instance is what the agent itself asks, and changes
nothing. Every call is an event in CloudTrail, under a User-Agent of our own.
"""

from __future__ import annotations

import http.client
import json
import re
import time
import zlib
from calendar import timegm
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Optional

import requests
from requests_aws4auth import AWS4Auth

from agentcheck.model import printable
from agentcheck.observations.permission import Permission, policy_in
from agentcheck.probes import bounded_http
from agentcheck.probes.connection import USER_AGENT, Stream
from agentcheck.probes.parallel import Task

TARGET = "AmazonSSM.ListInstanceAssociations"
# The service answers within a second; a denial takes no longer.
TIMEOUT = 3.0
# It may come with the association's document, which has up to 64 KiB (SSM quotas), as a JSON text.
MAX_ANSWER = 256 << 10


@dataclass(frozen=True)
class Credentials:
    """Those of the instance's role. Never printed, and gone with the round."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)


def probe(
    credentials: Credentials,
    host: str,
    port: int,
    region: str,
    instance_id: str,
    dial: Callable[[], Stream],
) -> Permission:
    """Makes the call over a verified TLS connection that `dial` opens. Never raises."""
    task = Task(lambda: _call(credentials, host, port, region, instance_id, dial), "signed call")
    if task.finished(2 * TIMEOUT):
        return task.result()
    return Permission("no-answer", text=f"no answer within {2 * TIMEOUT:g} s")


def signed(
    credentials: Credentials, host: str, port: int, region: str, instance_id: str
) -> requests.PreparedRequest:
    """The request with its Signature Version 4."""
    auth = AWS4Auth(
        credentials.access_key_id,
        credentials.secret_access_key,
        region,
        "ssm",
        session_token=credentials.session_token,
    )
    place = host if port == 443 else f"{host}:{port}"
    return requests.Request(
        "POST",
        f"https://{place}/",
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": TARGET,
            "User-Agent": USER_AGENT,
            "Host": place,
        },
        data=json.dumps({"InstanceId": instance_id, "MaxResults": 1}),
        auth=auth,
    ).prepare()


def _call(
    credentials: Credentials,
    host: str,
    port: int,
    region: str,
    instance_id: str,
    dial: Callable[[], Stream],
) -> Permission:
    request = signed(credentials, host, port, region, instance_id)
    try:
        stream = dial()
    except OSError as error:
        return Permission("no-answer", text=f"no connection ({type(error).__name__})")
    try:
        # Its own Host is among the signed headers.
        answer = bounded_http.ask(
            stream,
            "POST",
            "/",
            request.headers,
            _encoded(request),
            seconds=TIMEOUT,
            most=MAX_ANSWER,
        )
        body = answer.body
        if answer.headers.get("Content-Encoding", "").lower() == "gzip":  # nobody asked for it
            body = zlib.decompressobj(31).decompress(body, MAX_ANSWER)
    except (OSError, http.client.HTTPException, zlib.error) as error:
        return Permission("no-answer", text=f"no answer ({type(error).__name__})")
    finally:
        stream.close()
    kind = answer.headers.get("x-amzn-ErrorType", "")
    return read_answer(answer.status, body, answer.clock_offset_s, kind)


def _encoded(request: requests.PreparedRequest) -> bytes:
    return request.body if isinstance(request.body, bytes) else str(request.body or "").encode()


def read_answer(
    status: int, body: bytes, offset: Optional[float] = None, error_type: str = ""
) -> Permission:
    """Tells the answers apart. Of a body nothing is kept but what is known to be no secret.

    `error_type` is the header x-amzn-ErrorType, which may stand in the place of the body's.

    The text about a wrong signature repeats the whole request, session token and all.
    """
    try:
        document = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        state = "server-error" if status >= 500 else "foreign"
        what = "an HTML page" if b"<" in body[:200] else f"{len(body)} bytes that are no JSON"
        return Permission(state, status, text=f"HTTP {status} with {what}", clock_offset_s=offset)
    if status == 200:
        if not isinstance(document.get("Associations"), list):
            return Permission("foreign", status, text="HTTP 200, but not the answer of ssm")
        return Permission("ok", status, clock_offset_s=offset)
    named = str(document.get("__type") or error_type.partition(":")[0])
    # Not what is no code: it might repeat the request too.
    found = _CODE.fullmatch(named.rpartition("#")[2])
    code = found[0] if found else ""
    text = str(document.get("message") or document.get("Message") or "")
    state = _state(status, code, text)
    if state == "denied":
        return _denied(status, code, text, offset)
    if state == "clock":
        refused = _refused_by(text)
        said = f"HTTP {status} {code}: the signature's time is refused"
        return Permission(state, status, code, said, clock_offset_s=refused or offset)
    return Permission(state, status, code, f"HTTP {status} {code}", clock_offset_s=offset)


_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,79}")
_STATES = {
    "AccessDeniedException": "denied",
    "AccessDenied": "denied",
    "NotAuthorized": "denied",
    "UnauthorizedOperation": "denied",
    "ExpiredTokenException": "expired",
    "ExpiredToken": "expired",
    "RequestExpired": "clock",
    "ThrottlingException": "throttled",
    "Throttling": "throttled",
    "RequestLimitExceeded": "throttled",
    "TooManyUpdates": "throttled",
    "UnrecognizedClientException": "rejected",
    "InvalidClientTokenId": "rejected",
    "InvalidSignatureException": "rejected",
    "SignatureDoesNotMatch": "rejected",
    "IncompleteSignature": "rejected",
    "IncompleteSignatureException": "rejected",
    "MissingAuthenticationTokenException": "rejected",
    "OptInRequired": "rejected",
    "SubscriptionRequiredException": "rejected",
    "AccountSuspendedException": "rejected",
    # What ssm says once it has let us in (SSM API reference, ListInstanceAssociations).
    "InvalidInstanceId": "ok",
    "InvalidNextToken": "ok",
}


def _state(status: int, code: str, text: str) -> str:
    if code.startswith("InvalidSignature") and re.match(r"Signature (expired|not yet)", text):
        return "clock"
    if code in _STATES:
        return _STATES[code]
    if status == 429:
        return "throttled"
    if status >= 500:
        return "server-error"
    return "other" if code else "foreign"


_STAMP = re.compile(r"\b\d{8}T\d{6}Z\b")


def _refused_by(text: str) -> Optional[float]:
    """The service's clock minus ours, out of "Signature expired: OURS is now earlier than LIMIT
    (THEIRS - 5 min.)"; None where the text has no three times."""
    try:
        stamps = [time.strptime(stamp, "%Y%m%dT%H%M%SZ") for stamp in _STAMP.findall(text)[:3]]
    except ValueError:
        return None
    if len(stamps) < 3:
        return None
    return float(timegm(stamps[2]) - timegm(stamps[0]))


_DENIED = re.compile(
    r"User: (?P<who>[\w:/+=,.@-]{1,300}) is not authorized to perform: (?P<action>[\w:*-]{1,80})"
    r"(?: on resource: (?P<resource>[\w:/+=,.@*-]{1,300}))?(?P<because>[ \w().,:/-]{0,300})"
)


def _denied(status: int, code: str, text: str, offset: Optional[float]) -> Permission:
    found = _DENIED.search(text)
    if found is None:
        return Permission("denied", status, code, code, clock_offset_s=offset)
    policy = policy_in(found["because"])
    return Permission(
        "denied", status, code, printable(found[0])[:600], found["action"], policy, offset
    )
