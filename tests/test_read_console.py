"""read-console: the newest report comes back out of whatever a real console makes of its text."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentcheck import report as reports
from agentcheck.diagnosis import diagnose
from agentcheck.model import EXIT_STATUS, FAIL, OK, Cause, Report
from agentcheck.render.console import MAX_BYTES, PREFIX, render
from agentcheck.verbs.read_console import MOST, Told, cleaned, find
from tests.diagnosis.catalogue import BESIDE, WORLDS
from tests.render.test_prometheus import REPORT
from tests.test_cli import agentcheck, assert_one_line

INSTANCE = "i-0123456789abcdef0"
TIME = "2026-11-25T04:00:00Z"
COMMAND = (
    "aws ec2 authorize-security-group-ingress --group-id ENDPOINT_SECURITY_GROUP --ip-permissions"
    " IpProtocol=tcp,FromPort=443,ToPort=443,UserIdGroupPairs=[{GroupId=sg-0123abcd4567ef890}]"
    " --region us-east-1"
)
BLOCKED = replace(
    REPORT.verdict,
    summary="Port 443 of the private addresses of ssm and ssmmessages does not answer: a security"
    " group or network ACL drops it.",
    remedy=["Allow TCP 443 in.", f"Endpoint's side (console: VPC, Endpoints): {COMMAND}"],
    services=["ssm", "ssmmessages"],
)
TEXT = render(replace(REPORT, verdict=BLOCKED, causes=(BLOCKED,)))
LINES = [line[len(PREFIX) :] for line in TEXT.splitlines()]
OTHER = Cause("role-missing", FAIL, "The instance has no role.", (), ["Attach one."])
OLDER = render(replace(REPORT, verdict=OTHER, causes=(OTHER,), started="2026-11-24T00:00:00.000Z"))
GOOD = render(
    replace(
        REPORT,
        verdict=Cause("healthy", OK, "All is well."),
        causes=(),
        started="2026-11-26T00:00:00.000Z",
    )
)

# What the serial line of a Nitro instance shows, of Amazon Linux 2023 and Debian.
KERNEL = """\
Command line: BOOT_IMAGE=(hd0,gpt1)/boot/vmlinuz-6.1.115-126.197.amzn2023.x86_64 root=UUID=0b1d ro \
console=tty0 console=ttyS0,115200n8 nvme_core.io_timeout=4294967295 rd.emergency=poweroff \
rd.shell=0 selinux=1 security=selinux quiet
x86/fpu: Supporting XSAVE feature 0x001: 'x87 floating point registers'
BIOS-provided physical RAM map:
BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable
DMI: Amazon EC2 t3.micro/, BIOS 1.0 10/16/2017
Hypervisor detected: KVM
kvm-clock: using sched offset of 6411482943 cycles
ACPI: RSDP 0x00000000000F8F80 000014 (v00 AMAZON)
ACPI: \\_SB_.PCI0.S08_: _PRT: 4 entries, ACPI[0x00] found [mem 0xfebf4000-0xfebf7fff 64bit]
Spectre V2 : Mitigation: Retpolines
pci 0000:00:04.0: [1d0f:8061] type 00 class 0x010802
nvme nvme0: pci function 0000:00:04.0
 nvme0n1: p1 p127 p128
ena 0000:00:05.0 ens5: Local page cache is disabled for less than 16 channels
XFS (nvme0n1p1): Ending clean mount
SELinux:  policy capability network_peer_controls=1
systemd[1]: systemd 252.23-2.amzn2023 running in system mode (+PAM +AUDIT +SELINUX -APPARMOR +IMA)
systemd[1]: Detected virtualization amazon.
systemd-journald[1092]: Received client request to flush runtime journal.
audit: type=1400 audit(1732507200.123:4): avc:  denied  { read } for  pid=1200 comm="x[2]" name="y"
cloud-init[1544]: Cloud-init v. 22.2.2 running 'init' at Wed, 25 Nov 2026 03:59:40 +0000.
cloud-init[1544]: ci-info: | ens5 | True | 10.0.0.50 | 255.255.255.0 | global | 0a:ff:d1:5f:2b:11 |
zram0: detected capacity change from 0 to 1951744
agentcheckd: no program of ours, though it is called nearly so
""".splitlines()
STATUS = """\
[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mamazon-ssm-agent.service\x1b[0m - amazon-ssm-agent.
[\x1b[0;1;31mFAILED\x1b[0m] Failed to start \x1b[0;1;39mx.service\x1b[0m - Something else.
         Starting \x1b[0;1;39msshd.service\x1b[0m - OpenSSH server daemon...
[  OK  ] Reached target network-online.target - Network is Online.
""".splitlines()
USERS = """\
-----BEGIN SSH HOST KEY KEYS-----
ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJ root@ip-10-0-0-50
-----END SSH HOST KEY KEYS-----
Amazon Linux 2023.6.20241121
Kernel 6.1.115-126.197.amzn2023.x86_64 on an x86_64 (-)
\x1b[H\x1b[J\x1b[1;1Hip-10-0-0-50 login:\x20
""".splitlines()


class Log:
    """A made console: lines of one boot or more, and reports put into them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.time = 0.0
        self.parts: list[str] = []

    def kernel(self) -> str:
        self.time += self.random.random() / 7
        return f"[{self.time:12.6f}] {self.random.choice(KERNEL)}\r\n"

    def status(self) -> str:
        return f"\r{self.random.choice(STATUS)}\r\n"

    def noise(self, count: int) -> Log:
        kinds: Sequence[Callable[[], str]] = [self.kernel, self.kernel, self.kernel, self.status]
        self.parts += [self.random.choice(kinds)() for _ in range(count)]
        return self

    def boot(self, count: int = 400) -> Log:
        """To its login prompt, after which the line is not ended."""
        self.time = 0.0
        self.parts.append("[    0.000000] Linux version 6.1.115-126.197.amzn2023.x86_64 (gcc)\r\n")
        self.noise(count)
        self.parts += [f"{line}\r\n" for line in USERS[:-1]] + [USERS[-1]]
        return self

    def report(self, text: str, cuts: int = 0, before: str = "") -> Log:
        """Its lines; as many times another's message comes in between, at any place of them."""
        for line in text.splitlines():
            whole = f"{before}{line}\r\n"
            for at in sorted((self.random.randrange(len(line)) for _ in range(cuts)), reverse=True):
                at += len(before)
                whole = (
                    f"{whole[:at]}{self.random.choice((self.kernel, self.status))()}{whole[at:]}"
                )
            self.parts += [*(self.kernel() for _ in range(self.random.randrange(3))), whole]
        return self

    def raw(self) -> bytes:
        return "".join(self.parts).encode()[-65536:]


def read(raw: bytes) -> Told:
    told, _ = find(cleaned(raw))
    assert told is not None
    return told


def remarks(raw: bytes) -> list[str]:
    return find(cleaned(raw))[1]


def assert_blocked(raw: bytes) -> None:
    """The whole report, every line of it."""
    assert read(raw) == Told("fail", "endpoint-blocked", INSTANCE, TIME, LINES)


def test_the_plain_text_as_it_was_written() -> None:
    assert_blocked(TEXT.encode())
    assert_blocked(TEXT.replace("\n", "\r\n").encode())
    assert_blocked(TEXT.replace("\n", "\r\r\n").encode())


def _cli_text(text: str) -> bytes:
    return f"i-0123456789abcdef0\t{text}\t2026-11-25T04:05:00+00:00\n".encode()


def _cli_json(text: str) -> bytes:
    document = {"InstanceId": INSTANCE, "Output": text, "Timestamp": "2026-11-25T04:05:00+00:00"}
    return json.dumps(document, indent=4).encode()


FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "output text": _cli_text,
    "output json": _cli_json,
    "query Output": lambda text: json.dumps(text).encode(),
    "json of base64": lambda text: _cli_json(base64.b64encode(text.encode()).decode()),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 in lines": lambda text: base64.encodebytes(text.encode()).replace(b"\n", b"\r\n"),
    "the API's XML": lambda text: (
        b"<GetConsoleOutputResponse><output>"
        + base64.encodebytes(text.encode())
        + b"</output></GetConsoleOutputResponse>"
    ),
    "a part of the json": lambda text: _cli_json(text)[90:],
    "yaml": lambda text: b"Output: " + json.dumps(text).replace("\\u001b", "\\e").encode(),
    "UTF-16 of PowerShell": lambda text: text.encode("utf-16"),
    "UTF-16 without its mark": lambda text: text.encode("utf-16-le"),
    "UTF-8 with its mark": lambda text: text.encode("utf-8-sig"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_in_which_the_output_comes(form: str) -> None:
    text = Log(1).boot().report(TEXT).noise(40).raw().decode()
    assert_blocked(FORMS[form](text))


@pytest.mark.parametrize(
    "before",
    [
        "[   12.345678] ",
        "[   12.345678] agentcheck[612]: ",
        "[   12.345678][  T612] agentcheck[612]: ",
        "cloud-init[1544]: ",
        "[   21.345678] cloud-init[1544]: ",
        "systemd[1]: ",
        "Nov 25 04:00:01 ip-10-0-0-50 agentcheck[612]: ",
        "Nov 25 04:00:01 ip-10-0-0-50 agentcheck: ",
        "\x1b[0m\x1b[1;31m",
        "\x1b]0;a title\x07",
        "[0;32m",
        "\r",
    ],
)
def test_what_others_put_before_our_lines(before: str) -> None:
    assert_blocked(Log(2).boot(30).report(TEXT, before=before).noise(5).raw())


@pytest.mark.parametrize("seed", range(60))
def test_messages_of_others_in_the_middle_of_our_lines(seed: int) -> None:
    """Up to three in each line, even in the beginning that all have: every line is whole again."""
    assert_blocked(Log(seed).boot(300).report(TEXT, cuts=seed % 4).noise(seed).raw())


def test_the_newest_of_several_boots_and_reports_counts() -> None:
    log = Log(3).boot().report(OLDER).boot().report(GOOD).report(TEXT, cuts=1).noise(30)
    assert_blocked(log.raw())
    assert read(log.boot(100).report(GOOD).raw()).verdict == "healthy"


def test_a_report_that_broke_off_does_not_run_into_the_next() -> None:
    """Power went, or the line was held up: neither its lines nor its half SUMMARY are taken."""
    for cut in range(20, len(OLDER) - 2, 7):
        log = Log(cut).boot(20).report(GOOD)
        log.parts.append(OLDER[:cut].replace("\n", "\r\n"))
        assert_blocked(log.boot(20).report(TEXT).raw())
        assert read(log.raw()).lines == LINES


def test_only_the_end_of_a_report_is_still_there() -> None:
    """64 KiB are kept, and they begin anywhere."""
    last = len(TEXT) - len(LINES[-1]) - 1
    for cut in range(last + 1):
        raw = TEXT.encode()[cut:]
        told = read(raw)
        assert (told.status, told.verdict, told.instance) == ("fail", "endpoint-blocked", INSTANCE)
        assert told.lines[-1] == LINES[-1]
        assert set(told.lines) <= set(LINES)
    assert remarks(TEXT.encode()[100:]) == ["the beginning of the report is not in it"]
    assert remarks(TEXT.encode()) == []


@pytest.mark.parametrize("width", [60, 80, 81, 95, 100, 132, 160])
@pytest.mark.parametrize("trimmed", [False, True])
def test_lines_that_a_terminal_has_wrapped(width: int, trimmed: bool) -> None:
    log = Log(4).boot(60).report(TEXT).noise(30).raw().decode()
    log = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", log).replace("\r", "")
    rows = [line[i : i + width] for line in log.split("\n") for i in range(0, len(line), width)]
    text = "\n".join(row.rstrip() if trimmed else row for row in rows)
    told = read(text.encode())
    assert list(told.lines) == LINES
    alone = "\n".join(textwrap.wrap(TEXT, width, replace_whitespace=False, drop_whitespace=False))
    assert read(alone.encode()).instance == INSTANCE


@pytest.mark.parametrize("seed", range(10))
def test_lines_that_are_there_twice(seed: int) -> None:
    """Two ways to the same console: line by line, or the one after the other."""
    twice = "".join(line * 2 for line in TEXT.splitlines(keepends=True))
    assert_blocked(Log(seed).boot(30).report(twice).raw())
    assert_blocked(Log(seed).boot(30).report(TEXT).report(TEXT).raw())
    other = "".join(
        f"{line}[    9.000001] agentcheck[1]: {line}" for line in TEXT.splitlines(keepends=True)
    )
    assert_blocked(Log(seed).boot(30).report(other).raw())


def test_empty_lines_between_ours() -> None:
    assert_blocked(TEXT.replace("\n", "\n\n").encode())


def test_what_came_after_the_report_is_told() -> None:
    log = Log(5).boot().report(TEXT)
    assert remarks(log.raw()) == []
    log.parts.append("\r\nagentcheck: OK healthy\r\n")
    assert remarks(log.raw()) == [
        "a newer report has begun and is not whole: ask again in a minute"
    ]
    assert remarks(Log(5).boot().report(TEXT).boot(50).raw()) == [
        "the instance has started anew since that report"
    ]
    quiet = f"{TEXT}\r\n\x1b[1mWelcome to \x1b[0;32mDebian GNU/Linux 12 (bookworm)\x1b[0m!\r\n"
    assert remarks(quiet.encode()) == ["the instance has started anew since that report"]


def test_an_instance_that_does_not_know_itself() -> None:
    told = read(render(replace(REPORT, instance={}, started="")).encode())
    assert (told.instance, told.time) == (None, None)


def _report(code: str) -> Report:
    world = WORLDS.get(code) or BESIDE[code]
    verdict, causes = diagnose(world, code != "partial")
    return replace(REPORT, verdict=verdict, causes=causes, instance=reports._instance(world))


@pytest.mark.parametrize("code", [*WORLDS, *BESIDE])
def test_every_verdict_comes_back_out_of_a_log_and_its_text_fits(code: str) -> None:
    made = _report(code)
    text = render(made)
    assert text.isascii()
    assert len(text.replace("\n", "\r\n")) <= MAX_BYTES
    for seed in range(4):
        told = read(Log(seed).boot().report(OLDER).report(text, cuts=seed).noise(seed * 20).raw())
        assert (told.status, told.verdict) == (made.status, made.verdict.code)
        assert told.instance == made.instance["instance_id"]
        assert [PREFIX + line for line in told.lines] == text.splitlines()


PIECES = st.sampled_from(
    [
        *(line + "\n" for line in TEXT.splitlines()),
        *(line + "\r\n" for line in KERNEL + STATUS),
        "agentcheck: ",
        "SUMMARY status=",
        LINES[-1],
        "[   12.345678] ",
        "[  OK  ] ",
        "\x1b[",
        "\\n",
        "\\u",
        "\\x1",
        "\\",
        '{"Output": "',
        '"}',
        "[[[[",
        "<output>",
        "</output>",
        "\r",
        "\n",
        "\0",
        "         Starting ",
    ]
)


def _hold(raw: bytes) -> None:
    told, remarks = find(cleaned(raw))
    assert told is not None or len(remarks) == 1
    for line in told.lines if told else []:
        assert line.isascii()
        assert line.isprintable()


@given(st.binary())
@example(b"[" * 100_000)
@example(b'{"Output":' * 50_000)
@example(b'"' + b"\\" * 4001 + b'"')
@example(b'"\\ud800"')
@example(b"9" * 5000)
@example(b"\xff\xfe\x00\xd8")
@example(b"A" * 17)
def test_no_bytes_make_it_fail(raw: bytes) -> None:
    _hold(raw)
    _hold(TEXT.encode() + raw)
    _hold(raw + TEXT.encode())


@settings(max_examples=300)
@given(st.lists(PIECES | st.text(max_size=9), max_size=60))
def test_no_mixture_makes_it_fail(pieces: list[str]) -> None:
    _hold("".join(pieces).encode("utf-8", "surrogatepass"))


@settings(max_examples=100)
@given(st.lists(PIECES | st.text(max_size=9), max_size=60), st.integers(0, 99))
def test_whatever_was_before_the_newest_report_is_found(pieces: list[str], seed: int) -> None:
    before = "".join(pieces).replace("\\", "/").encode("utf-8", "replace").lstrip(b'{["')
    text = b"[    1.000000] x\r\n" + before + b"\r\n" + GOOD.encode()
    if b"<output>" not in text:
        assert read(text).verdict == "healthy"


WORST = (
    b"\r", b" ", b"[ ", b"[[", b"a[1.000000]\n", b"\x1b[0", b"\x1b]", b"SUMMARY", b"A\n", b"\\\n",
    b"         Aing ", b"agentcheck: x[1.000000] y\n", b"agentcheck: ", b"[1;", b"<output>",
)  # fmt: skip


@pytest.mark.parametrize("piece", WORST)
def test_hostile_bytes_take_no_time(piece: bytes) -> None:
    """A megabyte of whatever is worst."""
    begun = time.monotonic()
    _hold(piece * (1_000_000 // len(piece)))
    assert time.monotonic() - begun < 20


def verb(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "agentcheck", "read-console", *arguments],
        input=given,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        timeout=60,
    )


def test_it_prints_the_lines_and_ends_as_run_does(tmp_path: Path) -> None:
    path = tmp_path / "console.txt"
    path.write_bytes(Log(6).boot().report(TEXT, cuts=1).noise(9).raw())
    for arguments in ([str(path)], [], ["-"]):
        done = verb(*arguments, given=path.read_bytes())
        assert (done.returncode, done.stderr) == (2, b"")
        assert done.stdout.decode() == "".join(f"{line}\n" for line in LINES)


def test_the_same_as_json() -> None:
    done = verb("--format", "json", given=_cli_json(TEXT))
    assert json.loads(done.stdout) == {
        "status": "fail",
        "verdict": "endpoint-blocked",
        "instance": INSTANCE,
        "time": TIME,
        "lines": LINES,
    }
    assert done.returncode == 2


@pytest.mark.parametrize("status", EXIT_STATUS)
def test_the_exit_status_is_that_of_the_report(status: str) -> None:
    cause = replace(BLOCKED, status=status)
    done = verb(given=render(replace(REPORT, verdict=cause, causes=(cause,))).encode())
    assert done.returncode == EXIT_STATUS[status]


def test_no_report_is_one_line_with_the_next_step() -> None:
    for raw in (b"", b"\0\xff\x1b[2J", Log(7).boot().raw()):
        done = verb(given=raw)
        assert (done.returncode, done.stdout) == (3, b"")
        (line,) = done.stderr.decode().splitlines()
        for word in ("stdin", "--latest", "Nitro", "in the image"):
            assert word in line
    done = verb(given=TEXT[:-60].encode())
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"no SUMMARY yet" in done.stderr


def test_a_wrong_file_is_one_line(tmp_path: Path) -> None:
    assert_one_line(agentcheck("read-console", "/no/such"), 64, "/no/such", "stdin")
    assert_one_line(agentcheck("read-console", str(tmp_path)), 64, str(tmp_path), "a file")
    assert_one_line(agentcheck("read-console", "/proc/self/mem"), 3, "/proc/self/mem")
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m agentcheck read-console <&-"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )
    assert_one_line(done, 64, "closed", "FILE")


def test_hostile_bytes_do_not_reach_the_terminal() -> None:
    evil = TEXT.replace("Port", "\x1b[2J\x1b]0;evil\x07\x9b2J\b\u202e\ud7ffPort").encode("utf-8")
    done = verb(given=evil.replace(b"name", b"\xff\x07"))
    assert done.returncode == 2
    assert done.stdout.isascii()
    assert not set(done.stdout) & (set(range(32)) - {10} | {127})


def test_of_a_long_log_the_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "years.log"
    with path.open("wb") as file:
        file.write(OLDER.encode())
        for _ in range(300):
            file.write(Log(8).boot(400).raw())
        file.write(TEXT.encode())
    assert path.stat().st_size > 2 * MOST
    assert verb(str(path)).stdout.decode().splitlines() == LINES


def test_it_runs_where_only_python_is_and_not_linux() -> None:
    """On Windows and macOS there is nothing of what these modules and functions are."""
    missing = (
        "fcntl", "termios", "pwd", "grp", "resource", "syslog", "pty", "tty", "select.epoll",
        "requests", "urllib3", "psutil", "dns", "systemd", "waitress", "requests_aws4auth",
        "agentcheck.probes", "agentcheck.console",
    )  # fmt: skip
    code = (
        "import os, signal, sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name in {missing!r}:\n"
        "            raise ImportError(f'{name} is not there')\n"
        f"for name in {missing!r}:\n"
        "    sys.modules.pop(name, None)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "for name in ('geteuid', 'getuid', 'uname', 'fork', 'sysconf', 'O_NOCTTY', 'O_CLOEXEC',\n"
        "        'O_NONBLOCK', 'sched_getaffinity', 'pidfd_open', 'killpg', 'setsid'):\n"
        "    if hasattr(os, name):\n"
        "        delattr(os, name)\n"
        "for name in ('SIGHUP', 'SIGUSR1', 'SIGCHLD', 'SIGKILL', 'set_wakeup_fd'):\n"
        "    if hasattr(signal, name):\n"
        "        delattr(signal, name)\n"
        "from agentcheck.cli import main\n"
        "main(['read-console'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=TEXT.encode(),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )
    assert (done.returncode, done.stderr) == (2, b"")
