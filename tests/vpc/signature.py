"""AWS Signature Version 4, as a service reckons it from a request."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional
from urllib.parse import quote

_ALGORITHM = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM}\s+Credential=([^/,\s]+)/(\d{{8}})/([^/,\s]+)/([^/,\s]+)/aws4_request,\s*"
    r"SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True)
class Authorization:
    """The header of that name, taken apart."""

    key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str


def parse(header: str) -> Optional[Authorization]:
    found = _AUTHORIZATION.fullmatch(header.strip())
    if found is None:
        return None
    key_id, date, region, service, names, signature = found.groups()
    return Authorization(key_id, date, region, service, tuple(names.split(";")), signature)


def complaint(
    told: Authorization,
    secret: str,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
) -> Optional[str]:
    """What the service says of a signature that is not right, in its own many words.

    `target` is path and query, `headers` have names in lower case.
    """
    stamp = headers.get("x-amz-date", "")
    if stamp[:8] != told.date:
        return (
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            f"HTTP: '{told.date}' != '{stamp[:8]}', from '{stamp}'."
        )
    if "host" not in told.signed_headers:
        return "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    digest = hashlib.sha256(body).hexdigest()
    if headers.get("x-amz-content-sha256", digest) != digest:
        return "The value passed in as x-amz-content-sha256 does not match the computed digest."
    canonical = _canonical(told, method, target, headers, digest)
    scope = f"{told.date}/{told.region}/{told.service}/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join((_ALGORITHM, stamp, scope, hashed))
    key = f"AWS4{secret}".encode()
    for part in (told.date, told.region, told.service, "aws4_request", to_sign):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    if hmac.compare_digest(key.hex(), told.signature):
        return None
    return (
        "The request signature we calculated does not match the signature you provided. Check your "
        "AWS Secret Access Key and signing method. Consult the service documentation for details."
        f"\n\nThe Canonical String for this request should have been\n'{canonical}'\n\n"
        f"The String-to-Sign should have been\n'{to_sign}'\n"
    )


def _canonical(
    told: Authorization, method: str, target: str, headers: Mapping[str, str], digest: str
) -> str:
    path, _, query = target.partition("?")
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    values = {name: " ".join(headers.get(name, "").split()) for name in told.signed_headers}
    return "\n".join(
        (
            method,
            quote(path or "/", safe="/~"),  # once more: only S3 takes it as it is
            "&".join(f"{key}={value}" for key, value in sorted((k, v) for k, _, v in pairs)),
            *(f"{name}:{value}" for name, value in values.items()),
            "",
            ";".join(told.signed_headers),
            digest,
        )
    )
