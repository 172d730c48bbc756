"""A booted systemd, as far as `systemctl show` tells of one."""

from __future__ import annotations

import time

from tests.vpc import agent
from tests.vpc.scenario import Scenario

UNIT = "amazon-ssm-agent.service"
SNAP_UNIT = "snap.amazon-ssm-agent.amazon-ssm-agent.service"
BOOTED = "run/systemd/system"
# Where the script below finds what it prints, a file a unit: a test may change it by Vpc.put.
SHOWN = "run/systemd/shown"
SYSTEMCTL = f"""\
#!/bin/sh
# systemctl show [--property=KEY,KEY] UNIT ...; of what is asked for it prints what it knows.
[ "$1" = show ] || {{ echo "Unknown command verb $1." >&2; exit 1; }}
shift
wanted= units=
while [ $# -gt 0 ]; do
    case $1 in
        --property=*) wanted=$wanted,${{1#--property=}} ;;
        --property|-p) wanted=$wanted,$2; shift ;;
        -p*) wanted=$wanted,${{1#-p}} ;;
        -*) ;;
        *.*) units="$units $1" ;;
        *) units="$units $1.service" ;;
    esac
    shift
done
between=
for unit in $units; do
    printf "$between"
    between='\\n'
    file=/{SHOWN}/$unit
    [ -f "$file" ] || file=/{SHOWN}/not-found
    while IFS= read -r line; do
        case $line in
            Id=*) line=Id=$unit ;;
        esac
        case "${{wanted:-,${{line%%=*}}}}," in
            *",${{line%%=*}},"*) printf '%s\\n' "$line" ;;
        esac
    done <"$file"
done
"""
_NOT_FOUND = {
    "Id": "",
    "LoadState": "not-found",
    "ActiveState": "inactive",
    "SubState": "dead",
    "UnitFileState": "",
    "Result": "success",
    "Restart": "no",
    "NRestarts": "0",
    "ExecMainCode": "0",
    "ExecMainStatus": "0",
    "ExecMainStartTimestamp": "",
    "ExecMainExitTimestamp": "",
}


def texts(scenario: Scenario) -> dict[str, str]:
    """What the script prints, by path; nothing where systemd is not process 1."""
    told = scenario.agent
    if told.unit is None:
        return {}
    begun = time.strftime("%a %Y-%m-%d %H:%M:%S UTC", time.gmtime(time.time() - told.age))
    usual = {
        "Type": "simple",
        **_NOT_FOUND,
        "LoadState": "loaded",
        "ActiveState": "active" if told.running else "inactive",
        "SubState": "running" if told.running else "dead",
        "UnitFileState": "enabled",
        "Restart": "always",
        "RestartUSec": "1min 30s",
        "ExecMainStartTimestamp": begun if told.running else "",
        "ActiveEnterTimestamp": begun if told.running else "",
        "Environment": "",
    }
    known = {"not-found": _NOT_FOUND}
    if told.installed in ("deb", "both"):
        known[UNIT] = {**usual, "FragmentPath": f"/lib/systemd/system/{UNIT}", **told.unit}
    if told.installed in ("snap", "both"):
        path = f"/etc/systemd/system/{SNAP_UNIT}"
        start = f"{{ path={agent.SNAP}/current/amazon-ssm-agent ; }}"
        known[SNAP_UNIT] = {**usual, "FragmentPath": path, "ExecStart": start, **told.unit}
    return {
        f"{SHOWN}/{unit}": "".join(f"{key}={value}\n" for key, value in values.items())
        for unit, values in known.items()
    }
