"""The simulated VPC's proxies and signed requests."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Literal, Optional

import pytest
from botocore.auth import SigV4Auth  # type: ignore[import-untyped]
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.credentials import Credentials  # type: ignore[import-untyped]

from tests.vpc import CANARIES, Vpc
from tests.vpc.clients import CONNECT, RESOLVE, THROUGH_PROXY, peers, python, served, through
from tests.vpc.endpoints import respond
from tests.vpc.scenario import ACCESS_KEY_ID, SSM, Agent, Endpoint, Proxy, Rule, healthy
from tests.vpc.serving import Request

pytestmark = pytest.mark.vpc

PROXY = "10.0.0.99"


def test_a_proxy_reaches_what_the_instance_may_not() -> None:
    scenario = healthy(proxies=(Proxy(),), rules=(Rule(), Rule(place="nacl")))
    with Vpc(scenario) as vpc:
        found = through(vpc, "ssm.us-east-1.amazonaws.com:443")
        assert found["head"].startswith("HTTP/1.1 200 ")
        assert found["issuer"] == "agentcheck test CA"
        assert "MissingAuthenticationToken" in found["answer"]
        assert through(vpc, "10.0.1.11:443")["head"].startswith("HTTP/1.1 200 ")
        assert through(vpc, "nobody.example:443")["head"].startswith("HTTP/1.1 503 ")
        direct = vpc.run([sys.executable, "-c", CONNECT, "10.0.1.10", "443"])
        assert "TimeoutError" in direct.stderr or "timed out" in direct.stderr
        assert python(vpc, RESOLVE, "proxy.ec2.internal").strip() == PROXY
        assert [(e["host"], e["status"]) for e in served(vpc, "proxy")] == [
            ("ssm.us-east-1.amazonaws.com:443", 200),
            ("10.0.1.11:443", 200),
            ("nobody.example:443", 503),
        ]


def test_a_proxy_wants_its_password() -> None:
    with Vpc(healthy(proxies=(Proxy(user="u", password="p:w"),))) as vpc:
        for secret in ("", "u:wrong"):
            found = through(vpc, "ssm.us-east-1.amazonaws.com:443", secret)
            assert found["head"].startswith("HTTP/1.1 407 ")
            assert 'Proxy-Authenticate: Basic realm="proxy"' in found["head"]
        found = through(vpc, "ssm.us-east-1.amazonaws.com:443", "u:p:w")
        assert found["head"].startswith("HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("mode", "status"), [("deny", "403"), ("bad-gateway", "502"), ("garbage", "")]
)
@pytest.mark.parametrize("tls", ["", "tls"])
def test_a_proxy_refuses(
    mode: Literal["deny", "bad-gateway", "garbage"], status: str, tls: str
) -> None:
    with Vpc(healthy(proxies=(Proxy(mode=mode, tls=bool(tls)),))) as vpc:
        found = through(vpc, "ssm.us-east-1.amazonaws.com:443", tls=tls)
        if status:
            assert found["head"].startswith(f"HTTP/1.1 {status} ")
            assert found["body"].startswith("<html>")
        else:
            assert found["head"].startswith("SSH-")


@pytest.mark.parametrize(
    ("mode", "error"), [("hang", "timed out"), ("refuse", "refused"), ("drop", "timed out")]
)
def test_a_proxy_does_not_answer(mode: Literal["hang", "refuse", "drop"], error: str) -> None:
    with Vpc(healthy(proxies=(Proxy(mode=mode),))) as vpc:
        outcome = vpc.run([sys.executable, "-c", THROUGH_PROXY, PROXY, "3128", "", "x:443", ""])
    assert error in outcome.stderr


@pytest.mark.parametrize("proxy", [PROXY, "proxy.ec2.internal"])
@pytest.mark.parametrize("mode", ["ok", "intercept"])
def test_a_proxy_is_itself_spoken_to_over_tls(mode: Literal["ok", "intercept"], proxy: str) -> None:
    with Vpc(healthy(proxies=(Proxy(mode=mode, tls=True),))) as vpc:
        found = through(vpc, "ssm.us-east-1.amazonaws.com:443", proxy=proxy, tls="tls")
    if mode == "ok":
        assert "MissingAuthenticationToken" in found["answer"]
    else:
        assert "unable to get local issuer" in found["error"]


def test_an_intercepting_proxy_shows_a_foreign_certificate_and_passes_the_rest_on() -> None:
    code = THROUGH_PROXY.replace(
        "    context = ssl.create_default_context()\n",
        "    context = ssl._create_unverified_context()\n",
    ).replace('dict(x[0] for x in wrapped.getpeercert()["issuer"])["commonName"]', "None")
    place = "ssm.us-east-1.amazonaws.com:443"
    with Vpc(healthy(proxies=(Proxy(mode="intercept"),))) as vpc:
        assert "unable to get local issuer" in through(vpc, place)["error"]
        assert "MissingAuth" in python(vpc, code, PROXY, "3128", "", place, "")


def test_a_proxy_has_no_way_to_the_metadata_service() -> None:
    code = (
        "import http.client\n"
        f"connection = http.client.HTTPConnection('{PROXY}', 3128, timeout=3)\n"
        "connection.request('PUT', 'http://169.254.169.254/latest/api/token')\n"
        "print(connection.getresponse().status)\n"
    )
    with Vpc(healthy(proxies=(Proxy(),))) as vpc:
        assert python(vpc, code) == "503\n"


@pytest.mark.parametrize(
    ("environment", "held"),
    [
        ({"https_proxy": f"http://u:p%3Aw@{PROXY}:3128"}, [f"{PROXY}:3128"]),
        ({"HTTPS_PROXY": "http://u:p%3Aw@proxy.ec2.internal:3128"}, [f"{PROXY}:3128"]),
        ({"https_proxy": f"http://{PROXY}:3128"}, []),
        ({"https_proxy": f"http://{PROXY}:3128", "no_proxy": ".amazonaws.com"}, ["10.0.1.11:443"]),
    ],
)
def test_the_agent_goes_through_its_proxy(environment: Mapping[str, str], held: list[str]) -> None:
    proxies = (Proxy(user="u", password="p:w"),)
    with Vpc(healthy(proxies=proxies, agent=Agent(environment=environment))) as vpc:
        assert peers(vpc) == held


def _signed(
    secret: str = CANARIES["secret-key"],
    change: Optional[Mapping[str, str]] = None,
    body: bytes = b'{"InstanceId":"i-0"}',
    url: str = "https://ssm.us-east-1.amazonaws.com/",
    endpoint: Optional[Endpoint] = None,
    region: str = "us-east-1",
) -> tuple[int, str]:
    """What the service answers to a request that botocore signed and somebody then changed."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AmazonSSM.ListInstanceAssociations",
        "X-Odd": "two  spaces ",
        "Host": url.split("/")[2],
    }
    request = AWSRequest("POST", url, headers, b'{"InstanceId":"i-0"}')
    credentials = Credentials(ACCESS_KEY_ID, secret, CANARIES["session-token"])
    SigV4Auth(credentials, "ssm", region).add_auth(request)
    sent = {name.lower(): value.strip() for name, value in request.headers.items()}
    target = "/" + url.split("/", 3)[3]
    asked = Request("POST", target, {**sent, **(change or {})}, body)
    return respond(endpoint or Endpoint("ssm", SSM), region, asked)


@pytest.mark.parametrize("path", ["", "a%20b/c~d?x=1&b=%2F&a=", "v1/control-channel/i-0"])
def test_a_right_signature_is_accepted(path: str) -> None:
    status, body = _signed(url=f"https://ssm.us-east-1.amazonaws.com/{path}")
    assert (status, json.loads(body)) == (200, {"Associations": []})
    url = "https://ssm.eu-central-1.amazonaws.com/"
    assert _signed(url=url, region="eu-central-1")[0] == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"secret": "another"},
        {"body": b"{}"},
        {"change": {"x-amz-target": "AmazonSSM.GetParameter"}},
        {"change": {"host": "ssm.eu-west-1.amazonaws.com"}},
        {"change": {"x-odd": "three"}},
    ],
)
def test_a_wrong_signature_is_answered_with_the_canonical_string(changed: dict[str, Any]) -> None:
    status, text = _signed(**changed)
    answer = json.loads(text)
    assert (status, answer["__type"]) == (400, "InvalidSignatureException")
    assert "The request signature we calculated does not match" in answer["message"]
    assert "The Canonical String for this request should have been\n'POST\n/" in answer["message"]
    assert CANARIES["session-token"] in answer["message"]
    assert CANARIES["secret-key"] not in answer["message"]


def test_a_signed_request_over_the_wire_may_be_answered_with_html() -> None:
    code = (
        "import sys, urllib.error, urllib.request\n"
        "from botocore.auth import SigV4Auth\n"
        "from botocore.awsrequest import AWSRequest\n"
        "from botocore.credentials import Credentials\n"
        "url = 'https://ssm.us-east-1.amazonaws.com/'\n"
        "request = AWSRequest('POST', url, {'Content-Type': 'text/plain'}, b'{}')\n"
        "SigV4Auth(Credentials(*sys.argv[1:]), 'ssm', 'us-east-1').add_auth(request)\n"
        "asked = urllib.request.Request(url, b'{}', dict(request.headers.items()))\n"
        "try:\n"
        "    urllib.request.urlopen(asked, timeout=3)\n"
        "except urllib.error.HTTPError as error:\n"
        "    print(error.code, error.headers['Content-Type'], error.read().decode())\n"
    )
    page = "<html>blocked</html>"
    scenario = healthy(endpoints=(Endpoint("ssm", SSM, signed=(403, page)),))
    with Vpc(scenario) as vpc:
        secrets = (ACCESS_KEY_ID, CANARIES["secret-key"], CANARIES["session-token"])
        assert python(vpc, code, *secrets) == f"403 text/html {page}\n"
        told = python(vpc, code, ACCESS_KEY_ID, "wrong", CANARIES["session-token"])
        assert told.startswith("400 application/x-amz-json-1.1 ")
        assert served(vpc, "tls")[-1]["canaries"] == ["session-token"]
