"""The instance metadata service: IMDSv2 over both families, shape checked before use.

Source of paths and behaviour: EC2 user guide, "Instance metadata"; the order of a token first and
then at most two waves of parallel requests keeps a slow service (1.5 s an answer) within a round.
"""

from __future__ import annotations

import ipaddress
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Optional

from agentcheck.model import printable
from agentcheck.observations import Imds, Instance, Role
from agentcheck.probes.imds_http import TIMEOUT, Answer, request
from agentcheck.probes.parallel import Task, side_by_side
from agentcheck.probes.systems_manager import Credentials

ADDRESSES = ("169.254.169.254", "fd00:ec2::254")
TOKEN_TTL_SECONDS = 60
_TOKEN = re.compile(r"[A-Za-z0-9+/=_-]{8,512}")
_INSTANCE_ID = re.compile(r"i-[0-9a-zA-Z]{1,32}")
_REGION = re.compile(r"[a-z]{2,8}(-[a-z0-9]+){1,4}")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,128}")  # IAM user guide: names of roles

DOCUMENT = "dynamic/instance-identity/document"
CREDENTIALS = "meta-data/iam/security-credentials/"
PROFILE = "meta-data/iam/info"
FIRST_WAVE = (
    DOCUMENT,
    "meta-data/instance-id",
    "meta-data/mac",
    "meta-data/placement/region",
    "meta-data/placement/availability-zone",
    "meta-data/services/domain",
    "meta-data/services/partition",
    "meta-data/local-ipv4",
    "meta-data/public-ipv4",
    "meta-data/ami-id",
    "meta-data/instance-type",
    "meta-data/security-groups",
    CREDENTIALS,
    PROFILE,
)
_SECRETS = ("AccessKeyId", "SecretAccessKey", "Token")
_CODE = re.compile(r"[A-Za-z][\w.-]{0,79}")
OF_THE_INTERFACE = (
    "vpc-id",
    "subnet-id",
    "vpc-ipv4-cidr-block",
    "vpc-ipv4-cidr-blocks",
    "vpc-ipv6-cidr-blocks",
    "subnet-ipv4-cidr-block",
    "subnet-ipv6-cidr-blocks",
    "security-group-ids",
)


@dataclass(frozen=True)
class Metadata:
    """One visit to the service: what it says of the instance and of its role."""

    imds: Imds
    role: Optional[Role] = None
    credentials: Optional[Credentials] = field(default=None, repr=False)


def not_asked() -> Metadata:
    """For an image, which has no instance yet."""
    return Metadata(Imds("not-asked"))


def probe() -> Metadata:
    """Visits the service once. Never raises for what the service does.

    Both families are asked at once, since an IPv6-only subnet has only the second; IPv4's answer
    is used where there is one.
    """
    started = time.monotonic()
    tasks = [Task(partial(_token, address), "imds token") for address in ADDRESSES]
    tasks[0].finished(TIMEOUT + 0.5)
    answer, address = _result(tasks[0]), ADDRESSES[0]
    if answer.status == 0 and tasks[1].finished(0.1):
        other = _result(tasks[1])
        if other.status != 0:
            answer, address = other, ADDRESSES[1]
    token_s = time.monotonic() - started
    offset = answer.clock_offset_s
    imds = Imds("ok", clock_offset_s=offset, phases={"token": round(token_s, 4)})
    trouble = _token_trouble(answer)
    if trouble:
        state, reason, error = trouble
        if state == "not-genuine":
            offset = None  # nor is its clock
        return Metadata(Imds(state, reason, error, clock_offset_s=offset, phases=imds.phases))
    token = {"X-aws-ec2-metadata-token": answer.body}
    return _read(lambda path: request(address, "GET", f"/latest/{path}", token), imds, started)


def _result(task: Task[Answer]) -> Answer:
    if task.finished(0):
        return task.result()
    return Answer(0, reason="silent", error=f"no whole answer within {TIMEOUT:g} s")


def _token(address: str) -> Answer:
    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_TTL_SECONDS)}
    return request(address, "PUT", "/latest/api/token", lifetime)


def _token_trouble(answer: Answer) -> Optional[tuple[str, Optional[str], str]]:
    """`(state, reason, text)` unless the answer is a token."""
    if answer.status == 0:
        return "unreachable", answer.reason, answer.error
    if answer.status == 403:
        return "disabled", None, "403 to the token request"
    if answer.is_busy:
        return "error", None, f"HTTP {answer.status} to the token request"
    if answer.status != 200:
        what = f"HTTP {answer.status}" if answer.status > 0 else answer.error
        return "not-genuine", None, f"{what} to the token request"
    if not _TOKEN.fullmatch(answer.body):
        return "not-genuine", None, f"the token is {_describe(answer.body)}"
    return None


def _describe(body: str) -> str:
    """Says what a foreign body is without repeating it: it may hold anything."""
    if not body:
        return "empty"
    return "an HTML page" if "<" in body[:200] else f"{len(body)} characters that are no token"


def _read(ask: Callable[[str], Answer], imds: Imds, started: float) -> Metadata:
    first = _wave(ask, FIRST_WAVE)
    mac = _text(first, "meta-data/mac")
    listed = first[CREDENTIALS]
    role_name = listed.body.split("\n")[0].strip() if listed.status == 200 else ""
    interface = f"meta-data/network/interfaces/macs/{mac}/" if _MAC.fullmatch(mac) else ""
    wanted = [interface + leaf for leaf in OF_THE_INTERFACE] if interface else []
    if _ROLE_NAME.fullmatch(role_name):
        wanted.append(CREDENTIALS + role_name)
    second = _wave(ask, wanted)
    instance = _instance(first, second, interface)
    phases = {**imds.phases, "metadata": round(time.monotonic() - started, 4)}
    if not (instance.instance_id and instance.region):
        silent = next((a for a in first.values() if a.status == 0), None)
        if silent:
            failed = Imds("unreachable", silent.reason, silent.error, instance, None, phases)
            return Metadata(failed)
        refused = next((a for a in first.values() if a.is_busy or a.status in (401, 403)), None)
        if refused:
            what = f"HTTP {refused.status} to requests with a good token"
            return Metadata(Imds("error", None, what, instance, imds.clock_offset_s, phases))
    if not _INSTANCE_ID.fullmatch(instance.instance_id) or not _REGION.fullmatch(instance.region):
        what = "no instance id and Region that have the shape of one"
        return Metadata(Imds("not-genuine", None, what, clock_offset_s=None, phases=phases))
    answer = second.get(CREDENTIALS + role_name)
    role = _role(role_name, listed, first[PROFILE], answer)
    good = Imds("ok", None, "", instance, imds.clock_offset_s, phases)
    return Metadata(good, role, _credentials(answer) if role.state == "present" else None)


def _wave(ask: Callable[[str], Answer], paths: Sequence[str]) -> dict[str, Answer]:
    answers = side_by_side(ask, paths, "imds", TIMEOUT + 0.5)
    late = Answer(0, reason="silent", error=f"no whole answer within {TIMEOUT:g} s")
    return {path: answer or late for path, answer in zip(paths, answers)}


def _text(answers: Mapping[str, Answer], path: str) -> str:
    """A one-line answer, "" when it is not there or is no plain word."""
    answer = answers.get(path)
    text = answer.body.strip() if answer and answer.status == 200 else ""
    return text if re.fullmatch(r"[\x21-\x7e]{0,128}", text) else ""


def _lines(answers: Mapping[str, Answer], path: str) -> tuple[str, ...]:
    answer = answers.get(path)
    if not answer or answer.status != 200:
        return ()
    lines = (line.strip() for line in answer.body.splitlines()[:64])
    return tuple(line for line in lines if re.fullmatch(r"[\x20-\x7e]{1,255}", line))


def _networks(*lists: Sequence[str]) -> tuple[str, ...]:
    """The entries that are networks, in order, each once."""
    found = []
    for text in (text for texts in lists for text in texts):
        try:
            found.append(str(ipaddress.ip_network(text, strict=False)))
        except ValueError:
            continue
    return tuple(dict.fromkeys(found))


def _instance(
    first: Mapping[str, Answer], second: Mapping[str, Answer], interface: str
) -> Instance:
    document = _document(first[DOCUMENT])

    def word(path: str, key: str = "") -> str:
        return _text(first, "meta-data/" + path) or document.get(key, "")

    region = word("placement/region", "region")
    domain = word("services/domain")
    groups = _lines(second, interface + "security-group-ids")
    return Instance(
        instance_id=word("instance-id", "instanceId"),
        region=region,
        availability_zone=word("placement/availability-zone", "availabilityZone"),
        vpc_id=_text(second, interface + "vpc-id"),
        subnet_id=_text(second, interface + "subnet-id"),
        vpc_cidrs=_networks(
            _lines(second, interface + "vpc-ipv4-cidr-blocks"),
            _lines(second, interface + "vpc-ipv4-cidr-block"),
            _lines(second, interface + "vpc-ipv6-cidr-blocks"),
        ),
        subnet_cidrs=_networks(
            _lines(second, interface + "subnet-ipv4-cidr-block"),
            _lines(second, interface + "subnet-ipv6-cidr-blocks"),
        ),
        local_ipv4=word("local-ipv4", "privateIp"),
        public_ipv4=word("public-ipv4"),
        ami_id=word("ami-id", "imageId"),
        instance_type=word("instance-type", "instanceType"),
        partition=word("services/partition"),
        domain=domain if _DOMAIN.fullmatch(domain) else "",
        security_groups=groups or _lines(first, "meta-data/security-groups"),
    )


def _document(answer: Answer) -> dict[str, str]:
    try:
        document = json.loads(answer.body) if answer.status == 200 else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(document, dict):
        return {}
    return {
        key: value
        for key, value in document.items()
        if isinstance(value, str) and re.fullmatch(r"[\x21-\x7e]{0,128}", value)
    }


def _role(name: str, listed: Answer, profile: Answer, answer: Optional[Answer]) -> Role:
    """The state of the role, without the document's secrets."""
    if listed.status == 0 or listed.is_busy:
        return Role("unreadable", error=listed.error or f"HTTP {listed.status}")
    if listed.status == 404 or (listed.status == 200 and not name):
        # A profile that was deleted meanwhile says so in Code, and is none.
        there = profile.status == 200 and "NotFound" not in profile.body
        return Role("no-role" if there else "no-profile")
    if listed.status != 200 or not _ROLE_NAME.fullmatch(name):
        return Role("unreadable", error=listed.error or f"HTTP {listed.status}, no role name in it")
    if answer is None or answer.status == 404:
        return Role("no-document", name)
    if answer.status != 200:
        return Role("unreadable", name, error=answer.error or f"HTTP {answer.status}")
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    code = str(document.get("Code") or "") if isinstance(document, dict) else ""
    if not _CODE.fullmatch(code) or code in _secrets(document):
        return Role("unreadable", name, error="the credentials document is not the JSON of one")
    key = document.get("AccessKeyId")
    if code == "Success" and not _credentials(answer):
        return Role("unreadable", name, error="the credentials document lacks its keys")
    return Role(
        "present" if code == "Success" else "refused",
        name,
        code=code,
        message=printable(_message(document)[:300]) if code != "Success" else "",
        expiration=parse_time(document.get("Expiration")),
        last_updated=parse_time(document.get("LastUpdated")),
        access_key_prefix=printable(key[:4]) if isinstance(key, str) else "",
    )


def _secrets(document: dict[str, object]) -> list[str]:
    return [str(document[key]) for key in _SECRETS if document.get(key)]


def _message(document: dict[str, object]) -> str:
    """Its text for people, without what no text should hold."""
    text = str(document.get("Message") or "")
    for secret in _secrets(document):
        text = text.replace(secret, "***")
    return text


def _credentials(answer: Optional[Answer]) -> Optional[Credentials]:
    """The document's secrets, for the one signed call."""
    document = json.loads(answer.body) if answer else {}
    key, secret, token = (str(document.get(k) or "") for k in _SECRETS)
    if all(re.fullmatch(r"[\x21-\x7e]+", value) for value in (key, secret, token)):
        return Credentials(key, secret, token)
    return None


def parse_time(text: object) -> Optional[float]:
    """Epoch seconds of RFC 3339 text (Go writes up to nine decimals); None when it is not one."""
    found = re.fullmatch(
        r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)", str(text or "")
    )
    if not found:
        return None
    zone = "+00:00" if found[2] == "Z" else found[2]
    try:
        return datetime.fromisoformat(found[1] + zone).timestamp()
    except (ValueError, OverflowError):
        return None
