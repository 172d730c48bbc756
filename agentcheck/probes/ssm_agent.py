"""amazon-ssm-agent on this host: its packages, processes, unit and configuration.

Paths and field names: agent source, agent/appconfig/constants_unix.go and parser.go beside it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

import psutil

from agentcheck.files import parse_json, read_bounded, read_whole
from agentcheck.hosts import without_secrets
from agentcheck.model import printable
from agentcheck.observations import (
    AGENT_PROGRAM,
    EC2MESSAGES,
    SSM,
    SSMMESSAGES,
    Agent,
    AgentConfig,
    Install,
    Process,
    Version,
)
from agentcheck.probes import agent_package, agent_state, agent_unit, command, unit_environment
from agentcheck.probes.parallel import Task

BINARY = Path("/usr/bin/amazon-ssm-agent")
SNAP = Path("/snap/amazon-ssm-agent")
SNAP_BINARY = SNAP / "current" / "amazon-ssm-agent"
CONFIG = Path("/etc/amazon/ssm/amazon-ssm-agent.json")
# With all of its fields it is 3 kB. A document takes up to 24 times its size.
MAX_CONFIG = 256 << 10
MAX_ENVIRONMENT = 1 << 20
# Go's names for proxies (both cases), certificates and time zone; nothing else of it is kept.
ENVIRONMENT = (
    *(name for pair in ("http_proxy", "https_proxy", "no_proxy") for name in (pair.upper(), pair)),
    "AWS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "TZ",
)

# The core agent, and the workers it starts; the kernel cuts a process's name to 15 characters.
PROGRAMS = (AGENT_PROGRAM, "ssm-agent-worker", "ssm-document-worker", "ssm-session-worker")
_CUT_NAMES = {program[:15] for program in PROGRAMS}
_SNAP_REVISION = re.compile(r"/snap/amazon-ssm-agent/[^/]+/")

_SECTION_OF = {SSM: "Ssm", EC2MESSAGES: "Mds", SSMMESSAGES: "Mgs"}


def probe() -> Agent:
    """Looks for the agent. Never raises for what is or is not there."""
    processes, hidden, updating = _processes()
    # The unit of the one that runs, else of the one that is there.
    main = next((process.path for process in processes if process.is_main), "")
    snap = main == str(SNAP_BINARY) or (
        main != str(BINARY) and os.path.isfile(SNAP_BINARY) and not os.path.isfile(BINARY)
    )
    environment = _environment(processes, agent_unit.SNAP_UNIT if snap else agent_unit.UNIT)
    # Beside the package databases: both run programs that may hang.
    unit = Task(lambda: agent_unit.probe(snap), "unit")
    installs = tuple(_installs(processes))
    return Agent(
        installs=installs,
        processes=processes,
        processes_hidden=hidden,
        unit=unit.result() if unit.finished(command.TIMEOUT) else None,
        config=_config(installs),
        identity=agent_state.identity(),
        environment=environment or {},
        environment_hidden=environment is None,
        running_version=_running_version(processes),
        updating=updating,
        dangling_snap=os.path.islink(SNAP_BINARY.parent) and not os.path.exists(SNAP_BINARY.parent),
    )


def _installs(processes: Sequence[Process]) -> Iterator[Install]:
    known = ((BINARY, agent_package.of_system), (SNAP_BINARY, agent_package.of_snap))
    for path, reader in known:
        if os.path.isfile(path):
            yield reader(path)
    for process in processes:
        # Somewhere else, but root runs it. It is never executed from there, so has no version.
        if process.is_main and process.path not in [str(path) for path, _ in known]:
            yield Install(process.path, "")


def _processes() -> tuple[tuple[Process, ...], bool, bool]:
    """The agent's processes, whether some may be hidden from us, and whether its updater runs.

    Only uid 0 and our own pid and network namespaces count: a container's agent serves the
    container, and anybody may call a program amazon-ssm-agent.
    """
    found = []
    updating = False
    hidden = os.geteuid() != 0 and _proc_is_hidden()
    for process in psutil.process_iter():
        try:
            if process.name() not in _CUT_NAMES and process.name() not in PROGRAMS:
                updating = updating or _is_updater(process)
                continue
            if process.uids().real != 0 or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if not _same_namespaces(process.pid):
                continue
            path, deleted = _program(process)
            started = process.create_time()
        except (psutil.Error, OSError):
            continue
        if os.path.basename(path) in PROGRAMS:
            current = _SNAP_REVISION.sub(f"{SNAP}/current/", path)
            # A snap that was refreshed runs on from its former revision's folder.
            deleted = deleted or (current != path and os.path.realpath(current) != path)
            found.append(Process(process.pid, current, deleted, started))
    return tuple(found), hidden, updating


def _is_updater(process: Any) -> bool:
    if process.name()[:7] != "updater" or process.uids().real != 0:
        return False
    return agent_state.is_updater(_program(process)[0])


def _running_version(processes: Sequence[Process]) -> Optional[Version]:
    """What a process says whose program was replaced since; None where it is the installed one."""
    for process in processes:
        if process.is_main and process.deleted:
            return agent_package.version_of_process(process.pid)
    return None


def _proc_is_hidden() -> bool:
    """Whether /proc shows us only our own processes (hidepid, ProtectProc=invisible)."""
    return not os.path.isdir("/proc/1")


def _program(process: Any) -> tuple[str, bool]:
    """Path of the program and whether it was replaced since; without rights, the command line."""
    try:
        path = os.readlink(f"/proc/{process.pid}/exe")
    except PermissionError:
        command = process.cmdline()
        return (command[0] if command else ""), False
    suffix = " (deleted)"
    return (path[: -len(suffix)], True) if path.endswith(suffix) else (path, False)


def _same_namespaces(pid: int) -> bool:
    try:
        return all(
            os.readlink(f"/proc/{pid}/ns/{kind}") == os.readlink(f"/proc/self/ns/{kind}")
            for kind in ("pid", "net")
        )
    except PermissionError:
        return True  # cannot be seen without rights; the uid was


def _config(installs: Sequence[Install]) -> AgentConfig:
    beside = SNAP_BINARY.parent / "configuration" / CONFIG.name
    use_beside = bool(installs) and installs[0].package == "snap" and os.path.exists(beside)
    path = beside if use_beside else CONFIG
    try:
        raw = read_whole(path, MAX_CONFIG)
    except FileNotFoundError:
        return AgentConfig()
    except OSError as error:
        return AgentConfig(str(path), unreadable=True, error=error.strerror or str(error))
    return parse_config(str(path), raw)


# The types of the fields that are documented (agent/appconfig/contracts.go).
_TYPES: Mapping[tuple[str, str], tuple[type, ...]] = {
    ("Agent", "Region"): (str,),
    ("Agent", "ServiceDomain"): (str,),
    ("Agent", "ContainerMode"): (bool,),
    ("Ssm", "Endpoint"): (str,),
    ("Ssm", "HealthFrequencyMinutes"): (int,),
    ("Mds", "Endpoint"): (str,),
    ("Mgs", "Endpoint"): (str,),
    ("Mgs", "Region"): (str,),
    ("S3", "Endpoint"): (str,),
    ("Kms", "Endpoint"): (str,),
    ("Profile", "ShareCreds"): (bool,),
    ("Profile", "ShareProfile"): (str,),
}


def parse_config(path: str, raw: bytes) -> AgentConfig:
    """Reads the settings that decide where the agent goes.

    Go's decoder matches keys without regard to case, takes null for unset, and refuses a value of
    the wrong type; the agent then exits (core/agent.go: "app config could not be loaded").
    """
    try:
        document = parse_json(raw.decode("utf-8", "replace"))
    except RecursionError:  # Go goes deeper
        return AgentConfig(path, unreadable=True, error="nested too deeply to be read")
    except ValueError as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        return AgentConfig(path, error=f"not JSON{where}")
    try:
        found = {place: _setting({} if document is None else document, *place) for place in _TYPES}
    except ValueError as error:
        return AgentConfig(path, error=str(error))
    texts = {place: value for place, value in found.items() if isinstance(value, str)}
    return AgentConfig(
        path,
        endpoints={
            service: endpoint
            for service, section in _SECTION_OF.items()
            if (endpoint := texts.get((section, "Endpoint"), ""))
        },
        region=texts.get(("Agent", "Region"), ""),
        messages_region=texts.get(("Mgs", "Region"), ""),
        domain=texts.get(("Agent", "ServiceDomain"), ""),
    )


def _setting(document: Any, section: str, key: str) -> Any:
    """The value, None when it is not set. Raises ValueError for what Go would refuse."""
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    part = _lookup(document, section)
    if part is None:
        return None
    if not isinstance(part, dict):
        raise ValueError(f"{section} is not a JSON object")
    value = _lookup(part, key)
    if value is None:
        return None
    allowed = _TYPES[section, key]
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        raise ValueError(f"{section}.{key} is not a {allowed[0].__name__}")
    if not isinstance(value, str):
        return value
    # A host may be given as a URL: nothing of it but host and port is kept.
    value = printable(value.strip()[:255])
    return without_secrets(value) if key == "Endpoint" and value else value


def _lookup(document: Mapping[str, Any], key: str) -> Any:
    return next((v for k, v in document.items() if k.lower() == key.lower()), None)


def _environment(processes: Sequence[Process], unit: str) -> Optional[dict[str, str]]:
    """What decides how the agent connects; None when we may not read its process's.

    Of an agent that does not run, what its unit would give it.
    """
    for process in processes:
        if not process.is_main:
            continue
        try:
            raw = read_bounded(Path(f"/proc/{process.pid}/environ"), MAX_ENVIRONMENT)
        except PermissionError:
            return None
        except OSError:
            continue
        pairs = (entry.partition("=") for entry in raw.decode("utf-8", "replace").split("\0"))
        return {key: value for key, _, value in pairs if key in ENVIRONMENT}
    return {k: v for k, v in unit_environment.read(unit).items() if k in ENVIRONMENT}
