"""Causes about TLS to the endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentcheck.clock import utc
from agentcheck.diagnosis.machine import true_now
from agentcheck.diagnosis.rows import (
    BOTH,
    CauseRow,
    Explain,
    aws,
    hosted_zones,
    listing,
    without_login,
)
from agentcheck.diagnosis.services import names_of, required, usable
from agentcheck.model import FAIL, WARN, Cause
from agentcheck.observations import Connection, Endpoint, Observed

Broken = tuple[Endpoint, Connection]
_WORST_FIRST = (
    "untrusted",
    "wrong-name",
    "expired",
    "not-yet-valid",
    "not-tls",
    "hangs",
    "cut",
    "failed",
)


def _broken(o: Observed, *states: str) -> list[Broken]:
    """Required endpoints that TCP reached but TLS did not, where that is in one of the states."""
    found = []
    for endpoint in required(o):
        if usable(o, endpoint.service):
            continue
        tried = [
            c
            for c in _reached(o, endpoint.service)
            if c.tls in _WORST_FIRST
            and not _clock_is_it(o, c)
            and not (c.tls == "untrusted" and _partial(o, endpoint.service))
        ]
        if tried:
            worst = min(tried, key=lambda c: _WORST_FIRST.index(str(c.tls)))
            if worst.tls in states:
                found.append((endpoint, worst))
    return found


def _reached(o: Observed, service: str) -> Sequence[Connection]:
    """The connections that TCP made: through the proxy where the agent takes one."""
    if service in o.proxies:
        tunnel = o.tunnels.get(service)
        return (tunnel.connection,) if tunnel and tunnel.connection else ()
    path = o.paths.get(service)
    return path.reached if path else ()


def _clock_is_it(o: Observed, seen: Connection) -> bool:
    """Whether only this host's wrong clock makes the certificate look out of date."""
    now = true_now(o)
    if seen.tls not in ("expired", "not-yet-valid") or now == o.now:
        return False
    certificate = seen.certificate
    return certificate is None or certificate.not_before <= now <= certificate.not_after


def _partial(o: Observed, service: str) -> bool:
    """Whether the certificate's root may be in the part of the store that was not read."""
    store = o.trust_stores.get(service)
    return store is not None and store.partial


def _of_store(o: Observed, service: str, seen: Connection) -> bool:
    """Whether the store, not the certificate, is at fault."""
    store = o.trust_stores.get(service)
    empty = store is not None and store.certificates == 0
    return empty or (seen.certificate is not None and _by_amazon(seen.certificate.issuer))


def _by_amazon(issuer: str) -> bool:
    return issuer.split(",")[0].strip() == "Amazon"


def _line(endpoint: Endpoint, seen: Connection) -> str:
    issuer = f", issued by {seen.certificate.issuer}" if seen.certificate else ""
    return f"{endpoint.host} at {seen.address}: {seen.error}{issuer}"


def _store_empty(o: Observed) -> Iterator[Cause]:
    if o.image is not None and o.image.certificates == 0:
        yield Cause(
            "trust-store-empty",
            FAIL,
            "The image holds no CA certificates, so its instances can verify no TLS connection.",
            [f"0 certificates in {o.image.store or 'the places where the agent looks'}"],
            _REINSTALL,
            reason="empty",
        )
    found = [(e, c) for e, c in _broken(o, "untrusted") if _of_store(o, e.service, c)]
    if not found:
        return
    store = o.trust_stores.get(found[0][0].service)
    empty = store is None or store.certificates == 0
    what = "no certificates" if empty else "no root that signs Amazon's certificates"
    yield Cause(
        "trust-store-empty",
        FAIL,
        f"The system's CA bundle holds {what}, so no TLS connection can be verified.",
        [
            f"{store.certificates if store else 0} certificates in"
            f" {(store.source if store else '') or 'the places where the agent looks'}",
            *(_line(endpoint, seen) for endpoint, seen in found),
        ],
        [*_REINSTALL, "In a private subnet bake it into the AMI.", *without_login(o.instance)],
        names_of(endpoint for endpoint, _ in found),
        reason="empty" if empty else "amazon-roots-missing",
    )


_REINSTALL = (
    "Install the CA bundle again: apt-get install --reinstall ca-certificates &&"
    " update-ca-certificates, or dnf reinstall ca-certificates && update-ca-trust.",
)


def _inspection(o: Observed) -> list[str]:
    return [
        "If it is AWS Network Firewall (console: VPC, Network Firewall, TLS inspection"
        " configurations):",
        aws(o.instance, "network-firewall list-tls-inspection-configurations"),
    ]


def _intercepted(o: Observed) -> Iterator[Cause]:
    found = [(e, c) for e, c in _broken(o, "untrusted") if not _of_store(o, e.service, c)]
    if not found:
        return
    issuers = tuple(dict.fromkeys(c.certificate.issuer for _, c in found if c.certificate))
    who = listing(issuers) or "an unknown issuer"
    services = names_of(endpoint for endpoint, _ in found)
    yield Cause(
        "tls-intercepted",
        FAIL,
        f"Something between here and {listing(services)} answers with certificates of {who},"
        " which this system does not trust.",
        [_line(endpoint, seen) for endpoint, seen in found],
        [
            f"Exempt {listing([endpoint.host for endpoint, _ in found])} from TLS inspection.",
            f"Or add the CA {who} to the system's store: update-ca-certificates (Debian, Ubuntu)"
            " or update-ca-trust (Amazon Linux, RHEL), then restart the agent.",
            *_inspection(o),
            *without_login(o.instance),
        ],
        services,
        reason="untrusted-issuer",
    )


def _wrong_name(o: Observed) -> Iterator[Cause]:
    found = _broken(o, "wrong-name")
    if not found:
        return
    services = names_of(endpoint for endpoint, _ in found)
    evidence = []
    for endpoint, seen in found:
        names = listing(seen.certificate.names[:5]) if seen.certificate else ""
        evidence.append(
            f"{endpoint.host} at {seen.address}: the certificate is for {names or 'another name'}"
        )
    yield Cause(
        "tls-wrong-certificate",
        FAIL,
        f"What answers for {listing(services)} has a certificate for other names: it is not that"
        " endpoint.",
        evidence,
        [
            "Mend the record that leads there (private hosted zone, hosts file, Resolver rule), so"
            " that the name leads to its own endpoint (console: Route 53, Hosted zones).",
            hosted_zones(o.instance),
        ],
        services,
        reason="name",
    )


def _expired(o: Observed) -> Iterator[Cause]:
    found = _broken(o, "expired", "not-yet-valid")
    if not found:
        return
    services = names_of(endpoint for endpoint, _ in found)
    state = str(found[0][1].tls)
    evidence = []
    for endpoint, seen in found:
        dates = "dates unknown"
        if seen.certificate:
            first, last = utc(seen.certificate.not_before), utc(seen.certificate.not_after)
            dates = f"valid {first} to {last}"
        evidence.append(f"{endpoint.host} at {seen.address}: {dates}")
    yield Cause(
        "tls-certificate-expired",
        FAIL,
        f"The certificate shown for {listing(services)} is"
        f" {'expired' if state == 'expired' else 'not valid yet'}.",
        [*evidence, f"this host's clock: {utc(o.now)}"],
        [
            "AWS renews its certificates long before: find the proxy or own server that shows this"
            " one and renew it there (console: Route 53, Hosted zones: where does the name lead?).",
            hosted_zones(o.instance),
        ],
        services,
        reason=state,
    )


_FAILED = {
    "not-tls": "answers, but not in TLS",
    "hangs": "accepts the connection and never answers the TLS handshake",
    "cut": "cuts the connection during the TLS handshake",
    "failed": "does not complete the TLS handshake",
}


def _failed(o: Observed) -> Iterator[Cause]:
    found = _broken(o, *_FAILED)
    if not found:
        return
    services = names_of(endpoint for endpoint, _ in found)
    state = str(found[0][1].tls)
    # A live channel of the agent shows that its own handshakes pass: our library objects.
    ours = state == "failed" and o.connected is True
    yield Cause(
        "tls-failed",
        WARN if ours else FAIL,
        f"Port 443 of {listing(services)} {_FAILED[state]}.",
        [_line(endpoint, seen) for endpoint, seen in found]
        + (["the agent itself is connected"] if ours else []),
        [
            "Find the firewall, proxy or load balancer in between that filters by name (SNI) or"
            " does not speak TLS 1.2.",
            f"Exempt {listing([endpoint.host for endpoint, _ in found])} there.",
            *_inspection(o),
        ],
        services,
        reason=state,
    )


CAUSES = (
    CauseRow(
        "trust-store-empty",
        _store_empty,
        Explain(
            "The system has no CA certificates to verify the endpoints with.",
            "Verification fails, and the files where the agent (Go) looks for CA certificates "
            "hold none that is usable, or none that signs Amazon's.",
            "Install ca-certificates again, best in the AMI.",
            "tls-intercepted.",
        ),
        profiles=BOTH,
    ),
    CauseRow(
        "tls-intercepted",
        _intercepted,
        Explain(
            "A proxy or firewall opens TLS and shows certificates of its own.",
            "The certificate bears the right name but its issuer is not in the system's store.",
            "Exempt the endpoints from inspection, or add the inspecting CA to the store.",
            "trust-store-empty, where the store is at fault.",
        ),
    ),
    CauseRow(
        "tls-wrong-certificate",
        _wrong_name,
        Explain(
            "Another server answers at the endpoint's address.",
            "The names in its certificate do not cover the endpoint's host.",
            "Mend the record or the hosts file that leads there.",
            "tls-intercepted, where the names are right.",
        ),
    ),
    CauseRow(
        "tls-certificate-expired",
        _expired,
        Explain(
            "The certificate is out of date.",
            "Its dates, by this host's clock, after the clock was compared with others: with a "
            "wrong clock the cause is clock-skew.",
            "Renew it on the proxy or server that shows it.",
            "clock-skew.",
        ),
    ),
    CauseRow(
        "tls-failed",
        _failed,
        Explain(
            "TCP connects, but there is no TLS.",
            "not-tls: another protocol answers. hangs: no answer to the handshake. cut: closed or "
            "reset during it (typical of filters by SNI). failed: no common version or cipher.",
            "Exempt the endpoints on the middlebox in between.",
            "endpoint-blocked: there not even TCP connects.",
        ),
    ),
)
