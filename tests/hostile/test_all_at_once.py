"""Everybody whom a round asks is hostile at the same time, as far as they let it go on."""

from __future__ import annotations

from functools import partial

import pytest

from tests.hostile import certificates, http, names
from tests.hostile.measure import Case, attack_all, wrong
from tests.hostile.peers import answer, datagrams, metadata, secure, slow_handshake, stream
from tests.hostile.test_endpoints import crowd
from tests.hostile.test_imds import PLACE
from tests.vpc import certificates as genuine
from tests.vpc.scenario import LINK_LOCAL_RESOLVER, VPC_RESOLVER, host

pytestmark = pytest.mark.vpc

MUST_NOT_MATTER = ("meta-data/ami-id", "meta-data/instance-type", "meta-data/public-ipv4")


def cases() -> dict[str, Case]:
    """Slow everywhere, and large everywhere; nowhere so broken that what follows is not asked."""
    flood = http.NO_ANSWERS["headers of 6 MiB"]
    drip = http.NO_ANSWERS["a body that drips"]
    resolvers = (VPC_RESOLVER, LINK_LOCAL_RESOLVER)
    # The system's own answer comes from the hosts file: the servers are asked all the same.
    pins = "".join(
        f"10.0.{net}.{last} {host(service)}\n"
        for net, service in ((1, "ssm"), (2, "ssmmessages"))
        for last in range(20, 36)
    )
    many = str(certificates.folder() / "many-names-untrusted.pem")
    odd = str(certificates.folder() / "odd.pem")
    found = {}
    for name, said, asked, stranger in (
        ("slow", drip, names.silent, partial(slow_handshake, str(genuine.folder() / "ok.pem"))),
        ("large", flood, names.long_names, partial(secure, many, partial(answer, *flood))),
        ("odd", flood, names.odd_alias, partial(secure, odd, partial(answer, *drip))),
    ):
        everywhere = crowd(stranger)
        places = everywhere["strangers"]
        assert isinstance(places, dict)
        places[PLACE] = partial(metadata, dict.fromkeys(MUST_NOT_MATTER, said))
        for address in resolvers:
            places[address, 53, "udp"] = partial(datagrams, asked)
            places[address, 53, "tcp"] = partial(stream, asked)
        found[name] = Case(
            everywhere, ("could-not-tell", "tls-wrong-certificate"), {"/etc/hosts": pins}
        )
    return found


def test_whatever_all_of_them_do_at_once_a_report_is_made() -> None:
    assert wrong(cases(), attack_all(cases())) == {}
