"""Causes about the proxy that the agent goes through."""

from __future__ import annotations

from collections.abc import Iterator

from agentcheck.diagnosis.rows import CauseRow, Explain, listing, without_login
from agentcheck.diagnosis.services import names_of, required
from agentcheck.model import FAIL, WARN, Cause
from agentcheck.observations import Endpoint, Observed, Tunnel
from agentcheck.proxy import proxy_for, shown

DROP_IN = "/etc/systemd/system/amazon-ssm-agent.service.d/override.conf"
SNAP_DROP_IN = "/etc/systemd/system/snap.amazon-ssm-agent.amazon-ssm-agent.service.d/override.conf"
RESTART = "then: systemctl daemon-reload && systemctl restart amazon-ssm-agent."
IMDS = "169.254.169.254"


def _variable(o: Observed, name: str) -> str:
    """The name under which the agent has it: where upper case is set, Go ignores the lower."""
    environ = o.agent.environment if o.agent else {}
    return name.upper() if environ.get(name.upper()) else name


def covering_imds(o: Observed) -> str:
    """The proxy that the agent's requests to IMDS go to, "" for none that can be seen."""
    if o.agent is None or o.agent.environment_hidden:
        return ""
    return proxy_for(IMDS, 80, o.agent.environment, "http") or ""


def _place(o: Observed) -> str:
    install = o.agent.install if o.agent else None
    return SNAP_DROP_IN if install and install.package == "snap" else DROP_IN


def _covers_imds(o: Observed) -> Iterator[Cause]:
    proxy = covering_imds(o)
    if not proxy or o.imds is None or o.imds.state != "ok":
        return
    connected = o.connected is True
    yield Cause(
        "agent-proxy-covers-imds",
        WARN if connected else FAIL,
        f"The agent asks the proxy {shown(proxy)} for {IMDS}, since its no_proxy lacks that"
        " address: it "
        + ("is connected, but may not be after a restart." if connected else "finds no identity."),
        [
            f"http_proxy of the agent: {shown(proxy)}; no_proxy does not cover {IMDS}",
            "IMDS itself answers a direct request",
        ],
        [
            f"Add {IMDS} to {_variable(o, 'no_proxy')} in {_place(o)}, {RESTART}",
            f"Or leave {_variable(o, 'http_proxy')} away there: for the endpoints https_proxy is"
            " enough.",
            *without_login(o.instance),
        ],
        reason="no-proxy-lacks-imds",
    )


def _through(o: Observed, *states: str) -> list[tuple[Endpoint, Tunnel]]:
    """The required services whose way through the proxy ended in one of the states."""
    found = [(e, o.tunnels[e.service]) for e in required(o) if e.service in o.tunnels]
    return [(endpoint, tunnel) for endpoint, tunnel in found if tunnel.state in states]


_UNREACHABLE = {
    "unresolved": "its name does not resolve",
    "timeout": "it does not answer",
    "refused": "it refuses connections",
    "no-route": "there is no route to it",
    "prohibited": "this host prohibits the connection",
    "failed": "the connection to it fails",
    "tls": "TLS with it fails",
    "hangs": "it accepts connections, but does not answer CONNECT",
    "not-proxy": "what answers there is no HTTP proxy",
    "invalid": "the setting is not the URL of one",
}


def _unreachable(o: Observed) -> Iterator[Cause]:
    found = _through(o, *_UNREACHABLE)
    if not found:
        return
    proxy, state = found[0][1].proxy, found[0][1].state
    services = names_of(endpoint for endpoint, _ in found)
    directly = names_of(e for e, _ in found if (p := o.paths.get(e.service)) and p.usable)
    yield Cause(
        "proxy-unreachable",
        FAIL,
        f"The agent goes to {listing(services)} through the proxy {proxy}, and"
        f" {_UNREACHABLE[state]}.",
        [f"{endpoint.service} through {t.proxy}: {t.error}" for endpoint, t in found]
        + ([f"directly, {listing(directly)} can be reached"] if directly else []),
        [
            _first_step(o, found, directly),
            "Let its port out in the instance's security group, and in at the proxy's own.",
            *without_login(o.instance),
        ],
        services,
        reason=state,
    )


def _first_step(
    o: Observed, found: list[tuple[Endpoint, Tunnel]], directly: tuple[str, ...]
) -> str:
    setting = f"{_variable(o, 'https_proxy')} in {_place(o)}"
    if directly:
        return (
            f"{listing(directly)} can be reached without it: add {_hosts(found, directly)} to"
            f" {_variable(o, 'no_proxy')} in {_place(o)}, {RESTART}"
        )
    if found[0][1].state == "invalid":
        return (
            f"Write {setting} as http://USER:PASSWORD@HOST:PORT, with / ? # @ of the password as"
            f" %2F %3F %23 %40, {RESTART}"
        )
    return f"Mend or replace the proxy {found[0][1].proxy} ({setting}), {RESTART}"


def _hosts(found: list[tuple[Endpoint, Tunnel]], services: tuple[str, ...]) -> str:
    return ",".join(endpoint.host for endpoint, _ in found if endpoint.service in services)


def _refuses(o: Observed) -> Iterator[Cause]:
    found = _through(o, "denied")
    if not found:
        return
    proxy, status = found[0][1].proxy, found[0][1].status or 0
    services = names_of(endpoint for endpoint, _ in found)
    hosts = listing([f"{endpoint.host}:{endpoint.port}" for endpoint, _ in found])
    if status == 407:
        reason, what = "authentication", "wants a user and password, or other ones"
        setting = f"{_variable(o, 'https_proxy')} in {_place(o)}"
        first = f"Set user and password of the proxy in {setting}, {RESTART}"
    elif status >= 500:
        reason, what = "cannot-reach", "cannot reach them itself"
        first = f"Let the proxy resolve and reach {hosts} (its DNS, routes, security group)."
    else:
        reason, what = "forbidden", "does not let it through"
        first = f"Allow CONNECT to {hosts} in the proxy's rules."
    yield Cause(
        "proxy-refuses",
        FAIL,
        f"The proxy {proxy} answers {status} to the agent's way to {listing(services)}: it {what}.",
        [f"{endpoint.service} through {t.proxy}: {t.error}" for endpoint, t in found],
        [
            first,
            f"Or go past it with VPC endpoints and {_variable(o, 'no_proxy')} in {_place(o)}.",
            *without_login(o.instance),
        ],
        services,
        reason=reason,
    )


CAUSES = (
    CauseRow(
        "agent-proxy-covers-imds",
        _covers_imds,
        Explain(
            "The agent sends its requests to the instance metadata service to a proxy, which "
            "cannot answer them. So it has neither identity nor credentials.",
            "http_proxy of the agent's process (or of its unit, when it does not run), by Go's "
            f"rules, covers {IMDS}, while a direct request works. https_proxy alone does not "
            "matter here, since IMDS is plain http.",
            f"Put {IMDS} into no_proxy beside http_proxy, in the drop-in of the agent's unit.",
            "role-missing, imds-unreachable: there IMDS itself does not answer.",
        ),
    ),
    CauseRow(
        "proxy-unreachable",
        _unreachable,
        Explain(
            "The agent is told to use a proxy, and that proxy cannot be used.",
            "The proxy comes from the environment of the agent's process, by Go's rules (upper "
            "case wins, no_proxy, no ALL_PROXY). Its name, TCP, TLS with an https proxy and its "
            "answer to CONNECT are tried as the agent does.",
            "Mend the proxy or its setting in the drop-in of the agent's unit, or exclude the "
            "endpoints by no_proxy where VPC endpoints serve them.",
            "endpoint-blocked: the direct way does not matter while there is a proxy.",
        ),
    ),
    CauseRow(
        "proxy-refuses",
        _refuses,
        Explain(
            "The agent's proxy answers, but does not let it through to the endpoints.",
            "The status of its answer to CONNECT: 407 wants other credentials, 403 and others "
            "deny the host, 502 to 504 say that the proxy itself cannot reach it.",
            "Allow CONNECT to the endpoints' hosts on port 443 in the proxy, or mend user and "
            "password in https_proxy.",
            "proxy-unreachable; tls-intercepted, where it lets through but opens TLS.",
        ),
    ),
)
