"""A metadata service that breaks off, drips, floods, lies about its sizes and types."""

from __future__ import annotations

import json
from functools import partial

import pytest

from tests.hostile import http
from tests.hostile.http import ESCAPES, Speech, body
from tests.hostile.measure import Case, attack, attack_all, wrong
from tests.hostile.peers import answer, metadata
from tests.vpc import Vpc
from tests.vpc.scenario import ACCESS_KEY_ID, CANARIES, IMDS_ADDRESS, Proxy

pytestmark = pytest.mark.vpc

PLACE = (IMDS_ADDRESS, 80, "tcp")
ROLE = "meta-data/iam/security-credentials/app-role"
LIST = "meta-data/iam/security-credentials/"
IDENTITY = "dynamic/instance-identity/document"
SHUT = ("imds-not-genuine", "imds-unreachable", "could-not-tell")
UNSURE = ("could-not-tell",)
# test_answers has more of these, and quicker.
OF_NO_SIZE = ("chunks of no size", "two lengths", "a length below none", "no HTTP", "nothing")


def token(speech: Speech) -> Case:
    """It says so to the request for a token."""
    return Case({"strangers": {PLACE: partial(answer, *speech)}}, SHUT)


def rest(speech: Speech) -> Case:
    """A good token, and then it says so to all of the fourteen requests that follow at once."""
    return some(SHUT, **{"*": speech})


def some(may_say: tuple[str, ...], **odd: Speech) -> Case:
    """It says so at some paths, and is healthy else."""
    return Case({"strangers": {PLACE: partial(metadata, odd)}}, may_say)


def document(**changes: object) -> Speech:
    """The role's credentials, with what differs."""
    good: dict[str, object] = {
        "Code": "Success",
        "LastUpdated": "2026-01-01T00:00:00Z",
        "Type": "AWS-HMAC",
        "AccessKeyId": ACCESS_KEY_ID,
        "SecretAccessKey": CANARIES["secret-key"],
        "Token": CANARIES["session-token"],
        "Expiration": "2099-01-01T00:00:00Z",
    }
    return body(json.dumps({**good, **changes}).encode())


SOME = (
    "nothing",
    "a body that breaks off",
    "a head that drips",
    "a body of 10 MiB",
    "a redirect to a file",
    "no Unicode",
)
CASES = {
    **{f"token: {name}": token(http.NO_ANSWERS[name]) for name in SOME},
    **{
        f"rest: {name}": rest(speech)
        for name, speech in http.NO_ANSWERS.items()
        if name not in OF_NO_SIZE
    },
    **{f"role: {name}": some(UNSURE, **{ROLE: http.NO_ANSWERS[name]}) for name in SOME},
    "a token with escapes": token(body(ESCAPES.encode())),
    "a token of headers": token(body(b"abcdefgh\r\nX-Evil: yes")),
    "a date before time": token(
        body(b"x" * 56, b"Date: Mon, 01 Jan 0001 00:00:00 +2359", status=b"404 Not Found")
    ),
    "an instance id with escapes": some(
        SHUT,
        **{
            "meta-data/instance-id": body(ESCAPES.encode()),
            IDENTITY: body(json.dumps({"instanceId": ESCAPES, "region": ESCAPES}).encode()),
        },
    ),
    "an identity of odd types": some(
        ("healthy",), **{IDENTITY: body(json.dumps({"instanceId": [], "region": {}}).encode())}
    ),
    "names of roles with escapes": some(UNSURE, **{LIST: body(ESCAPES.encode())}),
    "a thousand roles": some(UNSURE, **{LIST: body(b"../../api/token\n" * 1000)}),
    "a Code with escapes": some(UNSURE, **{ROLE: document(Code=ESCAPES, Message=ESCAPES)}),
    "a Message with escapes": some(
        ("role-not-assumable",), **{ROLE: document(Code="Failed", Message=ESCAPES)}
    ),
    **{
        f"a Code that is {str(value)[:9]!r}": some(
            (*UNSURE, "role-not-assumable"), **{ROLE: document(Code=value)}
        )
        for value in (None, 7, "x" * 9999, [])
    },
    "keys of odd types": some(UNSURE, **{ROLE: document(AccessKeyId=[], SecretAccessKey={})}),
    "a key with a line of its own": some(
        UNSURE, **{ROLE: document(Token=CANARIES["session-token"] + "\r\nX-Evil: yes")}
    ),
    "an end of odd type": some(("healthy",), **{ROLE: document(Expiration=[ESCAPES])}),
    "an end after time": some(("healthy",), **{ROLE: document(Expiration="9999-99-99T99:99:99Z")}),
    "an end in the year 10000": some(
        ("healthy",), **{ROLE: document(Expiration="9999-12-31T23:59:59-23:59")}
    ),
    "an end in the year 0": some(
        ("credentials-expired",), **{ROLE: document(Expiration="0001-01-01T00:00:00+23:59")}
    ),
    "a clock in the year 10000": some(
        ("credentials-expired", "clock-skew"),
        **{
            "api/token": body(
                CANARIES["imds-token"].encode(), b"Date: Fri, 31 Dec 9999 23:59:59 -2359"
            ),
            ROLE: document(),
        },
    ),
    "networks that are none": some(
        ("healthy",),
        **{
            f"meta-data/network/interfaces/macs/0e:49:61:0f:c3:11/{leaf}": body(b"10.0.0.0/99\n0/0")
            for leaf in ("vpc-ipv4-cidr-blocks", "subnet-ipv4-cidr-block", "vpc-ipv6-cidr-blocks")
        },
    ),
    "groups without end": some(
        ("healthy",),
        **{
            "meta-data/network/interfaces/macs/0e:49:61:0f:c3:11/security-group-ids": body(
                b"sg-1\n" * 3000
            )
        },
    ),
}


def test_whatever_the_metadata_service_says_a_report_is_made() -> None:
    assert wrong(CASES, attack_all(CASES)) == {}


def test_a_redirect_to_another_host_is_not_followed() -> None:
    """The proxy of the VPC stands for that host, and records whoever asks it for anything."""
    target = b"Location: http://10.0.0.99:3128/latest/api/token"
    for case in (token, rest):
        with Vpc("healthy") as vpc:
            changes = case(body(b"", target, status=b"307 Temporary Redirect")).changes
            vpc.update(**changes, proxies=(Proxy(),))
            outcome = attack(vpc)
            assert (outcome.broken, outcome.codes[0] in SHUT) == ([], True)
            assert not [line for line in vpc.served if '"proxy"' in line]
