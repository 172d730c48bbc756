"""The signed call: its signature is AWS's, and every kind of answer is told apart."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any
from unittest import mock

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from agentcheck.probes import systems_manager
from agentcheck.probes.systems_manager import Credentials, read_answer, signed

SECRET = "CanarySecretKey0000000000000000000EXAMPL"
TOKEN = "CanaryToken/EXAMPLE+with/odd=chars=="
CREDENTIALS = Credentials("ASIAEXAMPLE012345678", SECRET, TOKEN)
WHO = "User: arn:aws:sts::123456789012:assumed-role/app/i-0abc1234def567890"
DENIED = f"{WHO} is not authorized to perform: ssm:ListInstanceAssociations on resource: *"


@pytest.mark.parametrize(
    ("host", "port", "region"),
    [
        ("ssm.us-east-1.amazonaws.com", 443, "us-east-1"),
        ("ssm.cn-north-1.amazonaws.com.cn", 443, "cn-north-1"),
        ("ssm.corp.example", 8443, "eu-central-1"),
    ],
)
def test_the_signature_is_the_one_that_botocore_makes(host: str, port: int, region: str) -> None:
    """The same request signed by AWS's own library has the same Authorization header."""
    request = signed(CREDENTIALS, host, port, region, "i-0abc1234def567890")
    stamp = request.headers["x-amz-date"]
    when = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    kept = ("Content-Type", "X-Amz-Target", "x-amz-content-sha256")
    theirs = AWSRequest(
        "POST", request.url, {name: request.headers[name] for name in kept}, request.body
    )
    known = BotocoreCredentials(CREDENTIALS.access_key_id, SECRET, TOKEN)
    with mock.patch("botocore.auth.get_current_datetime", return_value=when):
        SigV4Auth(known, "ssm", region).add_auth(theirs)
    ours = request.headers["Authorization"].replace(" ", "")
    assert ours == theirs.headers["Authorization"].replace(" ", "")
    assert request.headers["Host"] in request.url


def body(code: str, message: str, key: str = "message") -> bytes:
    return json.dumps({"__type": code, key: message}).encode()


@pytest.mark.parametrize(
    ("status", "raw", "state", "policy"),
    [
        (200, b'{"Associations": []}', "ok", ""),
        (400, body("AccessDeniedException", DENIED, "Message"), "denied", ""),
        (
            400,
            body("AccessDeniedException", f"{DENIED} because no identity-based policy allows it"),
            "denied",
            "identity-policy",
        ),
        (
            400,
            body("AccessDeniedException", f"{DENIED} because no permissions boundary allows it"),
            "denied",
            "permissions-boundary",
        ),
        (
            400,
            body(
                "AccessDeniedException", f"{DENIED} with an explicit deny in a permissions boundary"
            ),
            "denied",
            "permissions-boundary",
        ),
        (
            400,
            body(
                "AccessDeniedException",
                f"{DENIED} with an explicit deny in an identity-based policy",
            ),
            "denied",
            "explicit-deny",
        ),
        (
            400,
            body(
                "AccessDeniedException",
                f"{DENIED} with an explicit deny in a service control policy",
            ),
            "denied",
            "scp",
        ),
        (
            400,
            body("AccessDeniedException", f"{DENIED} because no VPC endpoint policy allows it"),
            "denied",
            "endpoint-policy",
        ),
        (400, body("com.amazon#ExpiredTokenException", "expired"), "expired", ""),
        (400, body("UnrecognizedClientException", "invalid"), "rejected", ""),
        (403, body("InvalidSignatureException", "The request signature we..."), "rejected", ""),
        (400, body("InvalidSignatureException", "Signature expired: 2026"), "clock", ""),
        (400, body("InvalidSignatureException", "Signature not yet current: 2"), "clock", ""),
        (400, body("ThrottlingException", "Rate exceeded"), "throttled", ""),
        (429, body("Whatever", "Rate exceeded"), "throttled", ""),
        (500, body("InternalServerError", "oops"), "server-error", ""),
        (503, b"<html>busy</html>", "server-error", ""),
        (200, b"<html>Please log in</html>", "foreign", ""),
        (403, b"blocked", "foreign", ""),
        (400, body("InvalidInstanceId", "no such"), "ok", ""),
        (400, b"[]", "foreign", ""),
    ],
)
def test_every_answer_is_told_apart(status: int, raw: bytes, state: str, policy: str) -> None:
    found = read_answer(status, raw)
    assert (found.state, found.policy) == (state, policy)


def test_a_denial_names_the_action_and_who_asked() -> None:
    found = read_answer(400, body("AccessDeniedException", DENIED))
    assert found.action == "ssm:ListInstanceAssociations"
    assert "assumed-role/app" in found.text


def test_a_refused_time_gives_the_clock_of_the_service() -> None:
    text = (
        "Signature expired: 20261125T030000Z is now earlier than 20261125T035500Z"
        " (20261125T040000Z - 5 min.)"
    )
    assert read_answer(400, body("InvalidSignatureException", text)).clock_offset_s == 3600
    assert read_answer(400, body("InvalidSignatureException", "Signature expired: x")).state == (
        "clock"
    )


def test_the_text_about_a_wrong_signature_is_not_repeated() -> None:
    """It holds the whole canonical request, with the session token."""
    text = f"The Canonical String for this request should have been 'x-amz-security-token:{TOKEN}'"
    found = read_answer(403, body("InvalidSignatureException", text))
    assert TOKEN not in repr(found)


def test_credentials_do_not_show_themselves() -> None:
    assert SECRET not in repr(CREDENTIALS)
    assert TOKEN not in repr(CREDENTIALS)
    assert "ASIA" not in repr(CREDENTIALS)


@settings(deadline=None)
@given(st.integers(100, 599), st.binary(max_size=300))
def test_any_answer_is_read_without_an_error(status: int, raw: bytes) -> None:
    assert read_answer(status, raw).state


def test_a_connection_that_cannot_be_made_is_no_answer() -> None:
    def dial() -> Any:
        raise ConnectionRefusedError(111, "refused")

    found = systems_manager.probe(CREDENTIALS, "ssm.example", 443, "us-east-1", "i-1", dial)
    assert (found.state, found.text) == ("no-answer", "no connection (ConnectionRefusedError)")
