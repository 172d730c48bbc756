"""Rounds on instances whose files are not what they should be."""

from __future__ import annotations

import pytest

from tests.hostile.world import Case, wrong
from tests.vpc.scenario import Agent, Scenario

pytestmark = pytest.mark.vpc

CONFIG = "/etc/amazon/ssm/amazon-ssm-agent.json"
LOG = "/var/log/amazon/ssm/amazon-ssm-agent.log"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
RESOLV = "/etc/resolv.conf"
TELL = "could-not-tell"
# Whatever they hold, the agent's channel lives: nothing in them may make it out to be broken.
PLACES = f"""{LOG} {LOG}.1 /var/log/amazon/ssm/hibernate.log /var/lib/dpkg/status
 /var/lib/amazon/ssm/runtimeconfig/identity_config.json /var/lib/amazon/ssm/registration
 /etc/ssl/certs/hostile.pem /etc/ssl/certs/0.pem /sys/devices/virtual/dmi/id/sys_vendor
 /etc/systemd/system/amazon-ssm-agent.service /run/systemd/resolve/resolv.conf
 /run/agentcheck/permission.json"""


def everywhere(command: str) -> str:
    """The shell's command for each of the places."""
    return (
        f"for place in {' '.join(PLACES.split())}; do mkdir -p $(dirname $place);"
        f" rm -f $place; {command}; done"
    )


def test_a_round_bears_anything_in_the_place_of_files() -> None:
    cases = {
        "pipes": Case(everywhere("mkfifo $place")),
        "10 GiB": Case(everywhere("truncate -s 10G $place")),
        "devices": Case(everywhere("ln -s /dev/zero $place")),
        "noise": Case(everywhere("head -c 3000000 /dev/urandom >$place")),
    }
    more = {
        "loops": Case(everywhere("ln -s $place $place")),
        "folders": Case(everywhere("mkdir $place")),
    }
    assert wrong(cases, more) == {}


def test_a_configuration_that_cannot_be_read_is_not_called_broken() -> None:
    make = f"mkdir -p {CONFIG.rpartition('/')[0]};"
    more = {
        "pipe": Case(f"{make} mkfifo {CONFIG}", (TELL,)),
        "10 GiB": Case(f"{make} truncate -s 10G {CONFIG}", (TELL,)),
    }
    cases = {
        "spaces": Case(f"{make} {{ printf %2000000s; echo '{{}}'; }} >{CONFIG}", (TELL,)),
        "noise": Case(f"{make} head -c 200000 /dev/urandom >{CONFIG}", ("agent-misconfigured",)),
    }
    assert wrong(cases, more) == {}


def test_resolv_conf_may_be_anything() -> None:
    def filled(command: str) -> str:
        return f"cp {RESOLV} /run/good; rm {RESOLV}; {command}"

    big = "head -c 100000000 /dev/zero"
    cases = {
        "missing": Case(f"rm {RESOLV}", ("dns-unreachable",)),
        "50 servers": Case(f"for i in $(seq 50); do echo nameserver 10.0.0.2; done >{RESOLV}"),
        "wrong bytes": Case(filled(rf"{{ printf '#\377\376\n'; cat /run/good; }} >{RESOLV}")),
        "pipe": Case(filled(f"mkfifo {RESOLV}"), (TELL,)),
        "device": Case(filled(f"ln -s /dev/zero {RESOLV}"), (TELL,)),
        "100 MB line": Case(filled(f"{{ {big}; cat /run/good; }} >{RESOLV}"), (TELL,)),
    }
    more = {
        "empty": Case(f": >{RESOLV}", ("dns-unreachable",)),
        "wrong server": Case(filled(f"{{ echo nameserver foo; cat /run/good; }} >{RESOLV}")),
        "folder": Case(filled(f"mkdir {RESOLV}"), (TELL,)),
    }
    assert wrong(cases, more) == {}


def test_files_that_are_large_with_good_reason_are_read_to_their_end() -> None:
    """Block lists, the packages of a large machine, a bundle that somebody appends to."""
    ours = "cp /var/lib/dpkg/status /run/ours; "
    seq = "seq -f"
    cases = {
        "hosts": Case(
            f"{seq} '0.0.0.0 advertising%.0f.example' 1000000 >>/etc/hosts;"
            " echo 10.0.1.10 ssm.us-east-1.amazonaws.com >>/etc/hosts"
        ),
        "packages": Case(
            ours + rf"{{ {seq} 'Package: p%.0f@Status: install ok installed@Version: 1@'"
            " 200000 | tr @ '\\n'; cat /run/ours; } >/var/lib/dpkg/status"
        ),
        "certificates": Case(
            f"yes -- '-----BEGIN CERTIFICATE-----' | head -n 1000000 >>{BUNDLE};"
            " head -c 1000000 /dev/urandom >/etc/ssl/certs/1.pem;"
            " for i in $(seq 2 3000); do echo /etc/ssl/certs/$i.pem; done |"
            " xargs -n1 ln /etc/ssl/certs/1.pem"
        ),
    }
    assert wrong(cases) == {}


def test_a_log_that_is_written_and_rolled_meanwhile_is_read() -> None:
    roll = (
        f"while [ -d /run ]; do for i in 1 2 3 4 5 6 7 8 9; do cp /run/lines {LOG}.new;"
        f" mv {LOG} {LOG}.$i; mv {LOG}.new {LOG}; rm -f {LOG}.$(( (i + 5) % 10 )); done; done"
    )
    cases = {
        "rolled": Case(f"cp {LOG} /run/lines; ({roll}) >/dev/null 2>&1 </dev/null &"),
        "grows": Case(f'(yes "$(cat {LOG})" >>{LOG}) >/dev/null 2>&1 </dev/null & sleep 0.1'),
        "one line of 1 GiB": Case(
            f"printf '2026-11-25 03:00:00 ERROR ' >{LOG}; truncate -s 1G {LOG}"
        ),
    }
    assert wrong(cases) == {}


def test_units_with_thousands_of_settings_cost_seconds_at_most() -> None:
    folder = "/etc/systemd/system/amazon-ssm-agent.service.d"
    stopped = Scenario(agent=Agent(running=False))
    cases = {
        "drop-ins": Case(
            f"mkdir -p {folder}; cd {folder}; {{ printf '[Service]\\nEnvironment=';"
            " yes A=b | head -n 20000 | tr '\\n' ' '; } >1.conf;"
            " for i in $(seq 2 100); do ln 1.conf $i.conf; done",
            ("agent-not-running",),
            stopped,
        ),
        "files": Case(
            f"mkdir -p {folder}; {{ echo '[Service]'; yes 'EnvironmentFile=-/**/*' |"
            f" head -n 2000; }} >{folder}/1.conf",
            ("agent-not-running",),
            stopped,
        ),
        "no_proxy": Case(
            "true",
            ("proxy-unreachable",),
            Scenario(
                agent=Agent(environment={"https_proxy": "10.0.0.99:1", "no_proxy": "a," * 60_000})
            ),
        ),
    }
    assert wrong(cases) == {}


def test_an_image_may_hold_anything() -> None:
    image = ("--profile", "image")
    keys = "mkdir -p /home/u$i/.aws; mkfifo /home/u$i/.aws/credentials"
    many = "truncate -s 1G /etc/profile.d/$i.sh"
    script = f"mkdir -p /etc/profile.d; for i in $(seq 120); do {keys}; {many}; done"
    unsaid = ("image-lacks-service", "agent-not-enabled", "healthy", "image-ready")
    sparse = everywhere("truncate -s 10G $place")
    assert wrong({"files": Case(f"{script}; {sparse}", unsaid, arguments=image)}) == {}
