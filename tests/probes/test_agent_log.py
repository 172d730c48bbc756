"""The reader of the agent's log: lines that real agents wrote, and whatever else may stand there.

The lines are from agents 2.3 to 3.3, seen with fake services and in public issues.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcheck.observations.agent import Version
from agentcheck.observations.agent_log import AgentLog, LogEntry
from agentcheck.probes import agent_log
from agentcheck.probes.agent_log import read_lines, zone_of
from agentcheck.probes.agent_log_errors import kind_of, shown
from agentcheck.probes.agent_log_lines import duration

UTC = timezone.utc
T = datetime(2026, 11, 25, 3, 0, tzinfo=UTC).timestamp()
NOW = T + 3600

SSM = 'Post "https://ssm.eu-west-1.amazonaws.com/"'
ROLE = "arn:aws:sts::111122223333:assumed-role/web/i-0123456789abcdef0"
REPORT = "retrieved credentials failed to report to ssm."
WITH_ROLE = (
    "WARN EC2RoleProvider Failed to connect to Systems Manager with instance profile role"
    f" credentials. Err: {REPORT} "
)
NOT_REGISTERED = "ec2 instance not yet registered with Systems Manager"
WITH_SSM = "ERROR EC2RoleProvider Failed to connect to Systems Manager with SSM role credentials. "
RETRIEVE = "ERROR [CredentialRefresher] Retrieve credentials produced error: "
NONE_VALID = RETRIEVE + (
    "no valid credentials could be retrieved for ec2 identity. Default Host Management Err: "
)
UNEXPECTED = RETRIEVE + (
    "unexpected error getting instance profile role credentials or calling"
    f" UpdateInstanceInformation. Skipping default host management fallback: {REPORT} Error: "
)
SLEEP = "INFO [CredentialRefresher] Sleeping for {} before retrying retrieve credentials"
REGISTRAR = (
    "ERROR [Registrar] failed to register identity: error calling RegisterManagedInstance API: "
)
WAIT = "INFO [Registrar] sleeping for 0.26666666666666666 minutes before retrying registration"
MGS = "[ssm-agent-worker] [MessageService] [MGSInteractor] "

START = (
    "INFO Proxy environment variables:",
    "INFO https_proxy: http://user:secret@proxy:3128",
    "INFO Agent will take identity from EC2",
    "INFO [amazon-ssm-agent] amazon-ssm-agent - v3.3.987.0",
    "INFO [amazon-ssm-agent] OS: linux, Arch: amd64",
)
CREDENTIALS = (
    "INFO EC2RoleProvider Successfully connected with instance profile role credentials",
    "INFO [CredentialRefresher] Credentials ready",
    "INFO [ssm-agent-worker] ssm-agent-worker - v3.3.987.0",
)
CHANNEL = (
    f"INFO {MGS}Opening websocket connection to: wss://ssmmessages.eu-west-1.amazonaws.com/v1/c",
    f"INFO {MGS}Successfully opened websocket connection to: 10.0.1.5:443",
    f"INFO {MGS}Starting websocket listener",
    f"INFO {MGS}Set up control channel successfully",
    f"INFO {MGS}SSM Connection channel status is set to ssmmessages",
)
HEALTHY = (*START, *CREDENTIALS, *CHANNEL)
NO_EC2MESSAGES = (
    "ERROR [ssm-agent-worker] [MessageService] [MDSInteractor] error when calling AWS APIs. error"
    " details - GetMessages Error: RequestError: send request failed\ncaused by: Post"
    ' "https://ec2messages.eu-west-1.amazonaws.com/": dial tcp: lookup'
    " ec2messages.eu-west-1.amazonaws.com on 10.0.0.2:53: no such host"
)
NO_ROLE = (
    WITH_ROLE + "Error: EC2RoleRequestError: no EC2 instance role found",
    WITH_SSM + NOT_REGISTERED,
    NONE_VALID + NOT_REGISTERED,
    SLEEP.format("5m0s"),
)
DENIAL = f"AccessDeniedException: User: {ROLE} is not authorized to perform: "
ON = " on resource: arn:aws:ssm:eu-west-1:111122223333:*"
DENIED = (
    WITH_ROLE + f"RequestId: 1 Error: {DENIAL}ssm:UpdateInstanceInformation{ON}",
    WITH_SSM + NOT_REGISTERED,
    NONE_VALID + NOT_REGISTERED,
    SLEEP.format("5m0s"),
)
DHMC = "error calling RequestManagedInstanceRoleToken: AccessDeniedException: not enabled"
NETWORK = (UNEXPECTED + "RequestError: send request failed", SLEEP.format("9m12s"))
CHANNEL_DENIED = (
    f"ERROR {MGS}Failed to get controlchannel token, error: CreateControlChannel failed with"
    " error: createControlChannel request failed: unexpected response from the service"
    f" <AccessDeniedException><Message>User: {ROLE} is not authorized to perform:"
    " ssmmessages:CreateControlChannel</Message></AccessDeniedException>",
    f"INFO {MGS}SSM Connection channel status is set to ec2messages",
)
LOST = (
    f"WARN {MGS}Reach the retry limit 5 for receive messages."
    " Error: websocket: close 1006 (abnormal closure): unexpected EOF",
    f"INFO {MGS}Closing websocket channel connection to: wss://ssmmessages.eu-west-1.amazonaws.com",
)


def stamp(at: float, zone: object = UTC) -> str:
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M:%S.%f")[:-2]  # type: ignore[arg-type]


def log(*groups: object, start: float = T, zone: object = UTC) -> bytes:
    """Lines a second apart, from `start`; a number among them is a pause in seconds."""
    at, lines = start, []
    for group in groups:
        if isinstance(group, (int, float)):
            at += group
            continue
        for line in (group,) if isinstance(group, str) else tuple(group):  # type: ignore[arg-type]
            lines.append(f"{stamp(at, zone)} {line}\n")
            at += 1
    return "".join(lines).encode()


def read(*groups: object, now: float = NOW) -> AgentLog:
    return read_lines(log(*groups), UTC, now)


def failed(*groups: object, now: float = NOW) -> LogEntry:
    failure = read(*groups, now=now).failure
    assert failure is not None
    return failure


# --- healthy --------------------------------------------------------------------------------------


def test_a_healthy_agent_with_two_endpoints_complains_of_ec2messages_and_nothing_failed() -> None:
    found = read(START, CREDENTIALS, [NO_EC2MESSAGES] * 4, CHANNEL, [NO_EC2MESSAGES] * 3)
    assert (found.state, found.failure, found.denied) == ("read", None, ())
    assert found.connected
    assert found.channel == "ssmmessages"
    assert (found.started, found.running_version) == (T + 3, Version(3, 3, 987, 0))
    assert found.credentials_at == T + 7
    assert found.newest == T + 19
    assert (found.asleep_since, found.retry_at, found.hibernating) == (None, None, False)


def test_plugins_inventory_and_a_missing_configuration_of_the_log_are_no_failures() -> None:
    found = read(
        "WARN Error adding the directory '/etc/amazon/ssm' to watcher: no such file or directory",
        HEALTHY,
        f"ERROR [ssm-agent-worker] [Inventory] {DENIAL}ssm:PutInventory{ON}",
        "ERROR [ssm-agent-worker] [Association] unable to load instance associations, "
        f"{DENIAL}ssm:ListInstanceAssociations{ON}",
        "ERROR [ssm-document-worker] plugin crashed: dial tcp 10.0.0.1:443: i/o timeout",
    )
    assert (found.failure, found.denied, found.connected) == (None, (), True)


def test_an_old_agent_without_fractions_and_status_lines_is_read_as_well() -> None:
    text = (
        "2020-06-23 15:00:00 INFO amazon-ssm-agent - v2.3.1319.0\n"
        "2020-06-23 15:00:01 INFO [MessageGatewayService] Starting websocket listener\n"
        "2020-06-23 15:00:02 INFO [MessageGatewayService] Starting receiving message from control\n"
    )
    found = read_lines(text.encode(), UTC, NOW)
    assert (found.connected, found.running_version) == (True, Version(2, 3, 1319, 0))


def test_a_restart_ends_the_channel_that_was_there_before() -> None:
    assert not read(HEALTHY, START).connected
    assert not read(HEALTHY, "INFO [amazon-ssm-agent] Stopping Core Agent").connected
    assert read(HEALTHY, START, CREDENTIALS, CHANNEL).connected


# --- credentials ----------------------------------------------------------------------------------


def test_no_role_is_the_cause_and_the_lines_that_follow_from_it_are_not() -> None:
    found = read(START, NO_ROLE)
    assert found.failure == LogEntry(
        T + 5,
        "no-role",
        "Failed to connect to Systems Manager with instance profile role credentials. Err: "
        f"{REPORT} Error: EC2RoleRequestError: no EC2 instance role found",
    )
    assert (found.asleep_since, found.retry_at) == (T + 8, T + 308)
    assert not found.connected


def test_a_window_that_begins_behind_the_cause_still_shows_a_failure() -> None:
    assert failed(NO_ROLE[1:]).kind == "other"


def test_a_role_without_permission_is_denied_the_action_that_the_text_names() -> None:
    found = read(START, DENIED)
    assert found.failure is not None
    assert found.failure.kind == "access-denied"
    assert found.failure.action == "ssm:UpdateInstanceInformation"
    assert [entry.action for entry in found.denied] == ["ssm:UpdateInstanceInformation"]


def test_default_host_management_that_refuses_is_denied_too_and_the_agent_sleeps() -> None:
    found = read(START, DENIED[0], WITH_SSM + DHMC, NONE_VALID + DHMC, SLEEP.format("28m23s"), 600)
    assert [entry.action for entry in found.denied] == [
        "ssm:UpdateInstanceInformation",
        "ssm:RequestManagedInstanceRoleToken",
    ]
    assert found.failure is not None
    assert found.failure.action == "ssm:UpdateInstanceInformation"
    assert found.asleep_since == T + 8
    assert found.retry_at == T + 8 + 28 * 60 + 23


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("InvalidSignatureException: Signature expired: 20261125T030000Z is now earlier", "clock"),
        ("InvalidSignatureException: Signature not yet current: 20261125T0", "clock"),
        ("ExpiredTokenException: The security token included in the request is expired", "expired"),
        ("UnrecognizedClientException: The security token included in ... is invalid.", "rejected"),
        ("InvalidSignatureException: The request signature we calculated does not", "rejected"),
        ("ThrottlingException: Rate exceeded", "throttled"),
        ("RequestError: send request failed", "network"),
        ("something new", "other"),
    ],
)
def test_errors_of_the_role_have_a_kind(error: str, kind: str) -> None:
    assert failed(START, UNEXPECTED + error).kind.startswith(kind)


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        ("dial tcp: lookup ssm.eu-west-1.amazonaws.com on 127.0.0.53:53: no such host", "dns"),
        ("dial tcp: lookup ssm.x on 10.0.0.2:53: read udp 1->2: i/o timeout", "dns"),
        ("dial tcp: lookup ssm.x: i/o timeout", "dns"),
        ("dial tcp 127.0.0.9:443: i/o timeout", "unreachable"),
        ("dial tcp 127.0.0.9:443: connect: connection refused", "unreachable"),
        ("proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: no route to host", "unreachable"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown", "tls"),
        ("read tcp 10.0.0.1:4->10.0.0.2:443: read: connection reset by peer", "network"),
        ("Proxy Authentication Required", "network"),
    ],
)
def test_the_cause_of_a_failed_request_stands_in_a_continuation_line(cause: str, kind: str) -> None:
    found = read(
        START, f"{REGISTRAR}RequestError: send request failed\ncaused by: {SSM}: {cause}", WAIT
    )
    assert found.failure is not None
    assert found.failure.kind == kind
    assert found.failure.text.endswith(f"send request failed caused by: {SSM}: {cause}")
    assert found.asleep_since == T + 6
    assert found.retry_at == pytest.approx(T + 6 + 16)


def test_a_request_error_without_its_cause_does_not_hide_the_one_with_it() -> None:
    cause = f"{REGISTRAR}RequestError: send request failed\ncaused by: {SSM}: x509: unknown"
    assert failed(START, cause, WAIT, NETWORK).kind == "tls"
    assert failed(START, NETWORK).kind == "network"
    assert failed(START, cause, WAIT, NO_ROLE, 20, cause).kind == "no-role"


def test_a_registration_that_nobody_needs_may_fail() -> None:
    rejected = (
        REGISTRAR + "UnrecognizedClientException: invalid.\n\tstatus code: 400, request id: 1"
    )
    assert failed(START, rejected, WAIT).kind == "rejected"
    found = read(START, rejected, WAIT, CREDENTIALS, CHANNEL, rejected, WAIT)
    assert (found.failure, found.retry_at, found.connected) == (None, None, True)
    registered = "INFO [EC2Identity] EC2 registration was successful."
    assert read(START, rejected, WAIT, registered).failure is None


def test_an_agent_that_finds_no_identity_says_so_before_its_start_line() -> None:
    exit_line = (
        "ERROR Error occurred when starting amazon-ssm-agent: failed to get identity: dial tcp"
        " 169.254.169.254:80: i/o timeout"
    )
    assert failed(exit_line, 90, exit_line).kind == "unreachable"
    assert read(exit_line, 90, START).failure is None


def test_a_success_resolves_what_failed_before_it() -> None:
    found = read(START, DENIED, 300, CREDENTIALS, CHANNEL)
    assert (found.failure, found.denied, found.retry_at) == (None, (), None)
    assert found.connected


def test_a_failure_after_a_success_is_open_and_then_the_agent_is_not_called_connected() -> None:
    found = read(HEALTHY, 1800, DENIED)
    assert found.failure is not None
    assert found.credentials_at == T + 7
    assert not found.connected


def test_after_three_errors_silence_is_no_health_not_even_a_week_later() -> None:
    health = "INFO [ssm-agent-worker] [HealthCheck] HealthCheck reporting agent health."
    week = 7 * 86400
    found = read(HEALTHY, NETWORK, NETWORK, NETWORK, 3 * 86400, health, now=T + week)
    assert found.retries_silenced
    assert found.failure is not None
    assert found.failure.kind == "network"
    assert found.retry_at == T + 18 + 9 * 60 + 12
    assert not read(HEALTHY, NETWORK, NETWORK).retries_silenced
    assert not read(HEALTHY, NETWORK, NETWORK, NETWORK, CREDENTIALS).retries_silenced
    debug = UNEXPECTED.replace("ERROR", "DEBUG") + "RequestError"
    assert not read(HEALTHY, NETWORK, NETWORK, NETWORK, debug).retries_silenced


def test_where_successes_are_not_logged_a_failure_ends_after_a_day() -> None:
    denied = CHANNEL_DENIED[0]
    assert read(denied, now=T + 3600).failure is not None
    found = read(denied, now=T + 86500)
    assert (found.failure, found.denied) == (None, ())
    assert read("INFO x", denied, now=T + 86500).failure is not None


def test_a_restart_ends_sleep_at_once_and_a_failure_when_it_does_not_come_back() -> None:
    found = read(NO_ROLE, START)
    assert found.failure is not None
    assert (found.asleep_since, found.retry_at) == (None, None)
    assert read(NO_ROLE, START, 700, "INFO [x] still here").failure is None
    again = read(NO_ROLE, START, NO_ROLE, 700, "INFO [x] still here")
    assert again.failure is not None
    assert again.failure.at == T + 9


# --- the channel ----------------------------------------------------------------------------------


def test_a_refused_channel_is_denied_with_its_action_and_a_channel_resolves_it() -> None:
    found = read(START, CREDENTIALS, CHANNEL_DENIED)
    assert found.failure is not None
    assert found.failure.action == "ssmmessages:CreateControlChannel"
    assert [entry.action for entry in found.denied] == ["ssmmessages:CreateControlChannel"]
    assert (found.channel, found.connected) == ("ec2messages", False)
    bare = CHANNEL_DENIED[0].partition("<Message>")[0]
    assert failed(START, CREDENTIALS, bare).action == "ssmmessages:CreateControlChannel"
    # Credentials that ssm takes say nothing of ssmmessages.
    assert read(START, CHANNEL_DENIED, CREDENTIALS).denied
    later = read(START, CREDENTIALS, CHANNEL_DENIED, 60, CHANNEL)
    assert (later.failure, later.denied, later.connected) == (None, (), True)


def test_a_status_that_falls_back_to_ec2messages_is_a_refusal_that_is_not_logged() -> None:
    found = read(HEALTHY, LOST, CHANNEL_DENIED[1])
    assert [entry.action for entry in found.denied] == ["ssmmessages:CreateControlChannel"]
    assert not found.connected
    assert read(HEALTHY, LOST, CHANNEL_DENIED[1], CHANNEL[-1]).connected


def test_a_lost_channel_has_two_minutes_to_come_back() -> None:
    status = CHANNEL[-1]  # also written when a reconnect fails
    at = T + len(HEALTHY)
    soon = read(HEALTHY, LOST, status, now=at + 60)
    assert (soon.failure, soon.connected, soon.channel_ended) == (None, False, at)
    late = read(HEALTHY, LOST, status, now=at + 300)
    assert late.failure is not None
    assert (late.failure.kind, late.connected) == ("network", False)
    assert read(HEALTHY, LOST, CHANNEL[1:3], status).connected


def test_a_session_that_may_not_open_is_denied_until_one_opens_or_a_day_passed() -> None:
    session = "[ssm-session-worker] [alice-0123] [DataBackend] "
    refusal = f"ERROR {session}Failed: {DENIAL}ssmmessages:CreateDataChannel{ON}"
    found = read(HEALTHY, refusal, LOST, CHANNEL)
    assert [entry.action for entry in found.denied] == ["ssmmessages:CreateDataChannel"]
    assert (found.failure, found.connected) == (None, True)
    assert read(HEALTHY, refusal, f"INFO {session}Starting websocket listener").denied == ()
    assert read(HEALTHY, refusal, now=NOW + 86400).denied == ()


# --- hibernation ----------------------------------------------------------------------------------

HIBERNATES = (
    "INFO [ssm-agent-worker] Entering SSM Agent hibernate - RequestError: send request failed\n"
    f"caused by: {SSM}: dial tcp 10.0.1.4:443: i/o timeout"
)
IN_HIBERNATION = (
    f"{stamp(T + 10)[:19]} INFO Agent is in hibernate mode. Reducing logging. Logging will be"
    " reduced to one log per backoff period\n"
)
BACK_OFF = (
    f"{stamp(T + 310)[:19]} INFO Backing off health check to every 600 seconds for 1800 seconds.\n"
    f"{stamp(T + 310)[:19]} ERROR Health ping failed with error - AccessDeniedException: x\n"
)


def hibernating(*groups: object, hibernate: str, now: float) -> AgentLog:
    return read_lines(log(START, CREDENTIALS[:2], 3, *groups), UTC, now, hibernate.encode())


def test_a_hibernating_agent_asks_again_after_five_minutes_and_then_ever_more_rarely() -> None:
    first = hibernating(HIBERNATES, hibernate=IN_HIBERNATION, now=T + 20)
    assert (first.hibernating, first.asleep_since, first.retry_at) == (True, T + 10, T + 310)
    assert first.failure is not None
    assert first.failure.kind == "unreachable"
    later = hibernating(HIBERNATES, hibernate=IN_HIBERNATION + BACK_OFF, now=T + 1000)
    assert (later.hibernating, later.retry_at) == (True, T + 310 + 1200)
    assert later.failure is not None
    assert later.failure.kind == "access-denied"
    alone = hibernating(HIBERNATES, hibernate="", now=T + 20)
    assert (alone.hibernating, alone.retry_at) == (True, T + 310)


def test_credentials_that_work_again_do_not_wake_a_hibernating_worker_but_its_start_does() -> None:
    works = hibernating(
        HIBERNATES, 900, CREDENTIALS[:2], hibernate=IN_HIBERNATION + BACK_OFF, now=NOW
    )
    assert (works.failure, works.denied, works.hibernating) == (None, (), True)
    for sign in (CREDENTIALS[2:], START, CHANNEL):
        woken = hibernating(HIBERNATES, 900, sign, hibernate=IN_HIBERNATION + BACK_OFF, now=NOW)
        assert (woken.hibernating, woken.retry_at) == (False, None)


# --- times ----------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Our own process lives in another zone than the agent."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("elsewhere")
def test_times_are_in_the_zone_of_the_agent_never_in_ours(tmp_path: Path) -> None:
    kolkata = ZoneInfo("Asia/Kolkata")
    data = log("INFO [amazon-ssm-agent] amazon-ssm-agent - v3.3.987.0", zone=kolkata)
    (tmp_path / agent_log.NAME).write_bytes(data)
    assert data.startswith(b"2026-11-25 08:30:00")
    assert agent_log.probe(NOW, "Asia/Kolkata", tmp_path).started == T
    assert agent_log.probe(NOW, ":/usr/share/zoneinfo/Asia/Kolkata", tmp_path).started == T
    localtime = Path("/usr/share/zoneinfo/Asia/Kolkata")
    assert read_lines(data, zone_of("", localtime), NOW).started == T


def test_a_zone_that_is_not_there_is_utc_as_in_go(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"TZif2" + b"\xff" * 100)
    for zone in ("No/Such", "../../etc/passwd", "/no/such", str(garbage), str(tmp_path), "A\0B"):
        assert zone_of(zone) is UTC
    assert zone_of("", tmp_path / "absent") is UTC
    assert zone_of("", garbage) is UTC


def test_a_time_in_the_future_is_now_and_the_order_of_lines_decides() -> None:
    future = log(HEALTHY, start=NOW + 86400)
    found = read_lines(future, UTC, NOW)
    assert (found.channel_at, found.newest, found.connected) == (NOW, NOW, True)
    later = read_lines(future + log(DENIED, start=NOW - 60), UTC, NOW)
    assert later.channel_at == NOW - 60
    assert not later.connected
    assert later.failure is not None


def test_a_start_with_a_clock_that_was_ahead_does_not_outlive_the_right_clock() -> None:
    data = log(START, start=T + 7200) + log(CREDENTIALS, CHANNEL)
    assert read_lines(data, UTC, NOW).connected


def test_the_hour_that_is_there_twice_is_told_apart_by_the_order_of_lines() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 10, 25, 0, 59, tzinfo=UTC).timestamp()  # 02:59 summer time
    data = log("INFO a", 120, "INFO b", start=before, zone=berlin)
    assert b"02:01:01" in data
    assert read_lines(data, berlin, NOW).newest == before + 121


def test_a_clock_that_was_not_set_at_boot_does_not_change_what_was_before() -> None:
    data = log(HEALTHY) + b"1970-01-01 00:00:09.0000 INFO [x] early\n"
    assert read_lines(data, UTC, NOW).channel_at == T + len(HEALTHY) - 2


def test_zeros_that_a_crash_left_before_a_line_do_not_hide_it() -> None:
    assert read_lines(b"\0" * 5000 + log(HEALTHY), UTC, NOW).started == T + 3
    assert read_lines(log(START[:3]) + b"\0" * 50 + log(START[3]), UTC, NOW).started == T


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("28m23s", 1703),
        ("5m0s", 300),
        ("1h0m0s", 3600),
        ("1.5s", 1.5),
        ("250ms", 0.25),
        ("", None),
        ("5", None),
        ("5m x", None),
        ("m5", None),
    ],
)
def test_durations_of_go(text: str, seconds: float) -> None:
    assert duration(text) == seconds


# --- texts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "proxyconnect: https_proxy: http://user:hush@proxy:3128",
        "http://user:hu/sh?#[@x:hush@proxy:3128: refused",
        'invalid proxy address "user:a b hush@p:1": parse "http://user:a b hush@p:1": invalid',
        r'parse "http://user:a\" hush@proxy": net/url: invalid userinfo',
        "does not match. The Canonical String for this request should have been 'POST hush",
        "sent Authorization: AWS4-HMAC-SHA256 Credential=hush, Signature=hush",
        'sent "Proxy-Authorization": ["Basic hush"]',
        "x-amz-security-token: hush",
        "X-aws-ec2-metadata-token: hush",
        "Credential=hush/20261125/eu-west-1",
        '{"AccessKeyId":"hush","SecretAccessKey": "hush","SessionToken":"hush"}',
        "?X-Amz-Signature=hush&X-Amz-Security-Token=hush",
        "<TokenValue>hush</TokenValue>",
        "key ASIAHUSHHUSHHUSH and " + "x" * 200 + "hush",
    ],
)
def test_no_secret_survives_in_a_text(text: str) -> None:
    assert "hush" not in shown(text).lower()


def test_sentences_about_tokens_and_signatures_stay_as_they_are() -> None:
    for text in (
        "UnrecognizedClientException: The security token included in the request is invalid.",
        "error calling RequestManagedInstanceRoleToken: AccessDeniedException: not enabled",
        "Failed to get controlchannel token, error: x",
        f"{DENIAL}ssm:UpdateInstanceInformation{ON}",
    ):
        assert shown(text) == text


def test_a_long_text_keeps_the_reason_at_its_end_and_no_control_characters() -> None:
    why = DENIAL + "ssm:UpdateInstanceInformation because no identity-based policy allows it"
    text = shown(f"{WITH_ROLE}RequestId: 1 Error: {why}\x1b[31m\x07")
    assert text == f"{why}?[31m?"
    assert len(shown("a b" * 1000)) == 300


def test_the_proxy_line_of_a_start_leaves_nothing() -> None:
    assert "secret" not in repr(read(START, NO_ROLE))


# --- the files ------------------------------------------------------------------------------------


def write(folder: Path, name: str, data: bytes, age: float = 0) -> Path:
    path = folder / name
    path.write_bytes(data)
    os.utime(path, (NOW - age, NOW - age))
    return path


def test_no_log_is_not_the_same_as_one_that_cannot_be_read(tmp_path: Path) -> None:
    assert agent_log.probe(NOW, "", tmp_path / "none").state == "absent"
    path = tmp_path / agent_log.NAME
    os.mkfifo(path)
    found = agent_log.probe(NOW, "", tmp_path)
    assert (found.state, found.error) == ("unreadable", "not a regular file")
    assert (found.path, found.connected, found.failure) == (str(path), False, None)
    path.unlink()
    path.mkdir()
    assert agent_log.probe(NOW, "", tmp_path).state == "unreadable"


def test_without_rights_the_log_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **more: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    found = agent_log.probe(NOW, "", tmp_path)
    assert (found.state, found.error) == ("unreadable", "Permission denied")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"hello\n", b"\xff\x00\xfe", b"Nov 25 x: INFO y\n"])
def test_a_file_without_a_line_of_the_agent_says_nothing(data: bytes, tmp_path: Path) -> None:
    write(tmp_path, agent_log.NAME, data)
    assert agent_log.probe(NOW, "", tmp_path).state == "foreign"


def test_a_window_begins_in_the_middle_of_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = log(START, "ERROR " + "x" * 200, CHANNEL)
    write(tmp_path, agent_log.NAME, data)
    wanted = log(CHANNEL, start=T + 6)
    for more in (0, 1, 100):
        monkeypatch.setattr(agent_log, "TAIL", len(wanted) + more)
        found = agent_log.probe(NOW, "UTC", tmp_path)
        assert (found.truncated, found.started, found.channel_at) == (True, None, T + 9)
    # A window that happens to begin with a line has all of it.
    monkeypatch.setattr(agent_log, "TAIL", len(log(START[3:], "ERROR " + "x" * 200, CHANNEL)))
    assert agent_log.probe(NOW, "UTC", tmp_path).started == T + 3
    monkeypatch.setattr(agent_log, "TAIL", len(data))
    assert not agent_log.probe(NOW, "UTC", tmp_path).truncated


@pytest.mark.parametrize(("older", "newer"), [("9", "10"), ("2", "1")])
def test_after_a_rotation_the_newest_rolled_file_is_read_too(
    older: str, newer: str, tmp_path: Path
) -> None:
    write(tmp_path, f"{agent_log.NAME}.{older}", log(NO_ROLE, start=T - 9000), age=9000)
    write(tmp_path, f"{agent_log.NAME}.{newer}", log(HEALTHY), age=60)
    write(tmp_path, f"{agent_log.NAME}.3.gz", b"\x1f\x8b", age=0)
    current = write(tmp_path, agent_log.NAME, log("INFO [x] quiet", start=T + 100))
    found = agent_log.probe(NOW, "UTC", tmp_path)
    assert (found.connected, found.newest, found.truncated) == (True, T + 100, True)
    current.unlink()
    assert agent_log.probe(NOW, "UTC", tmp_path).connected


def test_a_full_log_needs_no_rolled_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_log, "TAIL", 200)
    write(tmp_path, f"{agent_log.NAME}.1", log(NO_ROLE, start=T - 60))
    write(tmp_path, agent_log.NAME, log(["INFO [x] quiet"] * 20))
    assert agent_log.probe(NOW, "UTC", tmp_path).failure is None


def test_hibernation_is_read_from_its_own_log(tmp_path: Path) -> None:
    write(tmp_path, agent_log.NAME, log(START, CREDENTIALS[:2], 3, HIBERNATES))
    write(tmp_path, agent_log.HIBERNATE, (IN_HIBERNATION + BACK_OFF).encode())
    found = agent_log.probe(T + 1000, "UTC", tmp_path)
    assert (found.hibernating, found.retry_at) == (True, T + 1510)


# --- anything -------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [
        *(log(line).rstrip(b"\n") for line in (*HEALTHY, *NO_ROLE, *DENIED, *NETWORK)),
        *(log(line) for line in (*CHANNEL_DENIED, *LOST, HIBERNATES, WAIT, NO_EC2MESSAGES)),
        b"0000-13-99 99:99:99 INFO x\n",
        b"9999-12-31 23:59:59.999999999 ERROR [Func @ file.go.1] [[[\n",
        b"0001-01-01 00:00:00 INFO [CredentialRefresher] Sleeping for 9h9h9h before retrying\n",
        b"\n",
        b"\0\0",
        IN_HIBERNATION.encode(),
        BACK_OFF.encode(),
    ]
)
_ANY = st.lists(st.one_of(_PIECES, st.binary(max_size=40)), max_size=30).map(b"".join)


@given(_ANY, _ANY, st.sampled_from(["UTC", "Asia/Kolkata", "Europe/Berlin"]))
def test_any_bytes_are_a_log(data: bytes, hibernate: bytes, zone: str) -> None:
    found = read_lines(data, ZoneInfo(zone), NOW, hibernate)
    assert found.state in ("read", "foreign")
    for at in (found.newest, found.started, found.channel_at, found.credentials_at):
        assert at is None or at <= NOW
    for entry in (*found.denied, *([found.failure] if found.failure else [])):
        assert entry.text.isprintable()
        assert len(entry.text) <= 300
        assert "secret" not in entry.text
    assert not (found.connected and found.failure and found.failure.at > (found.channel_at or 0))


@given(st.text())
def test_any_text_can_be_shown(text: str) -> None:
    assert shown(text).isprintable()
    assert kind_of(text)


_PASSWORD = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)


@given(_PASSWORD, _PASSWORD, st.sampled_from(["http://", ""]))
def test_any_password_of_a_proxy_is_cut_out_of_a_text(left: str, right: str, scheme: str) -> None:
    url = f"{scheme}user:{left}hush{right}@proxy:3128"
    assert "hush" not in shown(f"proxyconnect {url}: refused")
    quoted = url.replace("\\", "\\\\").replace('"', '\\"')
    assert "hush" not in shown(f'invalid proxy address "{quoted}": parse "{quoted}": bad')


@pytest.mark.parametrize(
    "unit",
    [
        b"\n",
        b"a",
        b'"',
        b"@",
        b"[a] ",
        b"dial tcp ",
        b"lookup ",
        b"token=",
        log("ERROR x"),
        log(DENIED[0]),
        log("ERROR [a] [b] " + "error: " * 600),
    ],
)
def test_half_a_megabyte_of_anything_is_read_in_no_time(unit: bytes) -> None:
    head = log("ERROR " + CHANNEL_DENIED[0].partition(" ")[2]).rstrip(b"\n")
    data = head + unit * (agent_log.TAIL // len(unit))
    began = time.process_time()
    read_lines(data, UTC, NOW, data[: agent_log.HIBERNATE_TAIL])
    assert time.process_time() - began < 5
