#!/usr/bin/env python3
"""The man pages, made from the tables in the code: `generate.py` writes them beside itself.

`generate.py agentcheck.8` prints one. A test holds that the files are what this prints.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from agentcheck import checks, model, settings  # noqa: E402
from agentcheck.cli import VERBS, _parser  # noqa: E402
from agentcheck.daemon.journal import MESSAGE_IDS  # noqa: E402
from agentcheck.daemon.loop import _SIGNALS  # noqa: E402
from agentcheck.diagnosis import ROWS  # noqa: E402
from agentcheck.render import prometheus  # noqa: E402

CATALOGUE = ROOT / "systemd/agentcheck.catalog"

EXIT_CODES: Sequence[tuple[int, str]] = (
    (model.EXIT_STATUS[model.OK], "ok"),
    (
        model.EXIT_STATUS[model.WARN],
        "warning: it works, but will break or is half broken",
    ),
    (model.EXIT_STATUS[model.FAIL], "failure: the verdict is why the instance cannot be reached"),
    (model.EXIT_STATUS[model.UNKNOWN], "could not tell, pending, stale, or an internal error"),
    (model.EXIT_USAGE, "the command line is wrong: one line on stderr says what is allowed"),
    (model.EXIT_CONFIG, "the configuration is wrong: one line on stderr names the place"),
    (model.EXIT_INTERRUPTED, "interrupted"),
)
# What the parsers leave to be understood from their choices.
FLAGS = {
    "--format": "how it is printed",
    "--profile": "whether this instance is judged, or this machine as an image to be baked",
    "--fail-on": "with fail a warning ends with exit status 0",
    "--trigger": "why it runs, for the report; at boot and by hand the signed call is always made",
    "--console": "also write the verdict to the machine's console, in plain lines",
    "--version": "print the version",
    "CODE": "a verdict's code; without it, the list of them",
    "FILE": "the text of get-console-output; - or nothing reads standard input",
}
SIGNALS = {
    "SIGTERM": "ends the daemon; a round that runs is killed",
    "SIGINT": "the same",
    "SIGHUP": "reads the settings again; wrong ones are not taken over, and the journal says why",
    "SIGUSR1": "starts a round now",
}
FILES: Sequence[tuple[str, str]] = (
    (str(settings.CONFIG_FILE), "the settings, see agentcheck.conf(5)"),
    (f"{settings.DROP_INS}/*.conf", "more of them, in the order of their names; later ones win"),
    ("{run_dir}/report.json", "the daemon's last report, always whole"),
    ("{state_dir}/history.json", "when the confirmed verdict changed"),
    ("{run_dir}/permission.json", "the last answer to the signed call; no secret is in it"),
)
ENVIRONMENT: Sequence[tuple[str, str]] = (
    (f"{settings.ENVIRONMENT_PREFIX}SECTION_KEY", "a setting, such as AGENTCHECK_RUN_DEADLINE=20s"),
    ("NO_COLOR", "when it is not empty, no colour on a terminal"),
)
EXAMPLES: Sequence[tuple[str, str]] = (
    ("agentcheck run", "Why can this instance not be reached?"),
    ("agentcheck run --wait 5m --format json", "Wait for a booting instance; for programs."),
    ("agentcheck run --only 'tcp.*,tls.*'", "Only the ways to the endpoints."),
    ("agentcheck explain endpoint-blocked", "What does this verdict mean?"),
    ("agentcheck status", "What has the daemon seen last? Nothing is probed."),
    (
        "aws ec2 get-console-output --latest --output text --instance-id ID | agentcheck"
        " read-console",
        "From outside: what did the instance say on its console?",
    ),
    ("journalctl -x SYSLOG_IDENTIFIER=agentcheck", "Its journal, with causes and remedies."),
)


def escaped(text: str) -> str:
    """Text as roff prints it: hyphens that can be copied, no line that is taken for a request."""
    text = " ".join(text.split())
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("^", r"\(ha").replace("~", r"\(ti")
    text = text.replace("`", r"\(ga")
    return rf"\&{text}" if text[:1] in ".'" else text


def bold(text: str) -> str:
    return rf"\fB{escaped(text)}\fR"


def italic(text: str) -> str:
    return rf"\fI{escaped(text)}\fR"


def item(head: str, *paragraphs: str) -> Iterator[str]:
    """A term that is roff already, and plain text about it."""
    yield from (".TP", head)
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield ".IP"
        yield from sentences(paragraph)


def sentences(text: str) -> Iterator[str]:
    """A sentence a line, as roff wants it."""
    for part in re.split(r"(?<=[.?!]) +(?=[A-Z])", " ".join(text.split())):
        yield escaped(part)


def head(title: str, section: int, name: str) -> Iterator[str]:
    yield r".\" Made by packaging/man/generate.py; do not edit."
    # No date and no version: the same tables give the same page.
    yield f'.TH {title} {section} "" "agentcheck" "{name}"'
    yield from (".nh", ".ad l")


def usage(action: argparse.Action) -> str:
    """A flag or argument as it is typed, in roff."""
    value = action.metavar or (
        "|".join(map(str, action.choices)) if action.choices else action.dest.upper()
    )
    if not action.option_strings:
        return italic(str(value))
    name = bold(action.option_strings[-1])
    return name if action.nargs == 0 else f"{name} {italic(str(value))}"


def actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    found = [a for a in parser._actions if not isinstance(a, argparse._SubParsersAction)]
    return [a for a in found if "--help" not in a.option_strings]


def verb_parsers() -> dict[str, argparse.ArgumentParser]:
    for action in _parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise SystemExit("generate.py: the command line has no verbs")


def about(action: argparse.Action) -> str:
    key = action.option_strings[-1] if action.option_strings else str(action.metavar)
    text = action.help or FLAGS.get(key) or FLAGS.get(key.split("|")[0].strip("[]"))
    if not text:
        raise SystemExit(f"generate.py: {key} has no help, and FLAGS does not describe it")
    if action.choices and action.default is not None:
        text += f" (default {action.default})"
    return text[:1].upper() + text[1:] + "."


def agentcheck_8() -> Iterator[str]:
    yield from head("AGENTCHECK", 8, "System Administration")
    yield ".SH NAME"
    yield r"agentcheck \- says why Session Manager cannot reach this EC2 instance"
    yield ".SH SYNOPSIS"
    for name, parser in verb_parsers().items():
        yield ".HP"
        yield f"{bold(f'agentcheck {name}')}"
        for action in actions(parser):
            # \\& lest the end of `ID,...]` is taken for that of a sentence.
            yield rf"[{usage(action)}]\&"
    yield from (".HP", bold("agentcheck --version"))
    yield ".SH DESCRIPTION"
    yield from sentences(
        "agentcheck runs on an EC2 instance and tells in one sentence why AWS Systems Manager's"
        " Session Manager cannot reach it: the agent, the instance's role, the names of the"
        " endpoints, the security groups, TLS. It goes the way the agent goes, makes a fresh"
        " connection to every address, and changes nothing."
    )
    yield ".PP"
    yield from sentences(
        "A round asks the instance metadata service, resolves the endpoints' names, connects to"
        " their addresses, and signs one ssm:ListInstanceAssociations for this instance, which"
        " is an event in CloudTrail; signed_call = never in agentcheck.conf(5) leaves it out."
    )
    yield ".PP"
    yield from sentences(
        "Run it as root, or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH: without, it cannot see"
        " by which proxy and certificates the agent goes, and says could-not-tell rather than"
        " guess."
    )
    yield ".SH COMMANDS"
    for name, parser in verb_parsers().items():
        yield f".SS agentcheck {name}"
        yield from sentences(str(parser.description))
        for action in actions(parser):
            yield from item(usage(action), about(action))
    yield ".PP"
    yield from sentences("Durations read 90s, 5m, 1h.")
    yield ".SH EXIT STATUS"
    for number, text in EXIT_CODES:
        yield from item(bold(str(number)), text)
    yield ".SH VERDICTS"
    yield from sentences(
        "In the order of how fundamental they are. agentcheck explain CODE tells more: how each"
        " was told apart, what it is mistaken for, what the AWS console shows meanwhile."
    )
    for code, row in ROWS.items():
        yield from item(bold(code), row.explain.meaning, f"Fix: {row.explain.fix}")
    yield ".SH CHECKS"
    yield from sentences("Their ids are what --only and --skip take, and patterns such as tcp.*.")
    for check in checks.discover():
        profiles = ", ".join(check.profiles)
        yield from item(bold(check.id), f"{check.question} (profile {profiles})")
    yield ".SH SIGNALS"
    yield from sentences("Of the daemon:")
    for number in _SIGNALS:
        if number.name != "SIGCHLD":
            yield from item(bold(number.name), SIGNALS[number.name])
    yield ".SH FILES"
    defaults = {s.key: s.default for s in settings.SETTINGS if s.section == "state"}
    for path, text in FILES:
        yield from item(italic(path.format(**defaults)), text)
    yield ".SH ENVIRONMENT"
    for variable, text in ENVIRONMENT:
        yield from item(bold(variable), text)
    yield ".SH JOURNAL"
    yield from sentences(
        "The daemon writes an entry for each confirmed change of the verdict or of a check, and a"
        " heartbeat. Fields: AGENTCHECK_RUN_ID, AGENTCHECK_VERDICT, AGENTCHECK_STATUS,"
        " AGENTCHECK_PREVIOUS_STATUS, AGENTCHECK_REASON, AGENTCHECK_SERVICE, AGENTCHECK_CHECK."
        " The MESSAGE_ID tells the kind of event:"
    )
    subjects = _subjects()
    for identity in MESSAGE_IDS.values():
        yield from item(bold(identity), subjects[identity])
    yield ".SH METRICS"
    yield from sentences(
        "Of --format prometheus, of /metrics on the status port, and of the textfile; the state of"
        " the last round."
    )
    for metric in prometheus._METRICS:
        yield from item(bold(metric.name), f"{metric.help} ({metric.kind})")
    yield ".SH UNITS"
    for path in sorted((ROOT / "systemd").glob("*.service")):
        yield from item(bold(path.name), *_unit(path.read_text("utf-8")))
    yield ".SH EXAMPLES"
    for command, text in EXAMPLES:
        yield from item(bold(command), text)
    yield ".SH SEE ALSO"
    yield r"\fBagentcheck.conf\fR(5), \fBjournalctl\fR(1), \fBsystemctl\fR(1)"


def _subjects() -> dict[str, str]:
    """What the message catalogue says of each id, with its variables as plain words."""
    text = CATALOGUE.read_text("utf-8")
    found = re.findall(r"^-- ([0-9a-f]{32})\nSubject: (.+)$", text, re.MULTILINE)
    return {key: re.sub(r"@AGENTCHECK_(\w+)@", r"\1", subject) for key, subject in found}


def _unit(text: str) -> Iterator[str]:
    """What a unit says of itself, what it starts, and the file that switches it off."""
    values = dict(re.findall(r"^(\w+)=(.+)$", text, re.MULTILINE))
    yield f"{values['Description']}. Runs {values['ExecStart']}"
    unless = values.get("ConditionPathExists", "")
    if unless.startswith("!"):
        yield f"Does nothing while there is {unless[1:]}."


def agentcheck_conf_5() -> Iterator[str]:
    yield from head("AGENTCHECK.CONF", 5, "File Formats")
    yield ".SH NAME"
    yield r"agentcheck.conf \- settings of agentcheck"
    yield ".SH SYNOPSIS"
    yield italic(str(settings.CONFIG_FILE))
    yield ".br"
    yield italic(f"{settings.DROP_INS}/*.conf")
    yield ".SH DESCRIPTION"
    yield from sentences(
        f"Lines of key = value in sections. Later sources win: {settings.CONFIG_FILE}, the"
        f" drop-ins in {settings.DROP_INS} in the order of their names, the environment"
        f" ({settings.ENVIRONMENT_PREFIX}SECTION_KEY), flags. A missing file is fine; an unknown"
        " section or key, or a bad value, is an error (exit status"
        f" {model.EXIT_CONFIG}) and never ignored. With --config FILE that file stands in place"
        " of the file and its drop-ins."
    )
    yield ".PP"
    yield from sentences(
        "agentcheck config shows the settings in force and where each came from; agentcheck config"
        " --check only validates. The daemon reads them again on SIGHUP (systemctl reload"
        " agentcheck), and keeps the former ones when the new ones are wrong."
    )
    for section in settings.SECTIONS:
        yield f".SH [{section.upper()}]"
        for setting in settings.SETTINGS:
            if setting.section == section:
                variable = f"{settings.ENVIRONMENT_PREFIX}{section}_{setting.key}".upper()
                yield from item(
                    rf"{bold(setting.key)} = {italic(setting.default or '(empty)')}",
                    f"{setting.help[:1].upper()}{setting.help[1:]}.",
                    f"Allowed: {setting.kind.allowed}. Environment: {variable}.",
                )
    yield ".SH EXAMPLES"
    yield from sentences("A round every ten minutes, and a status port for this host alone:")
    yield from (".PP", ".RS", ".nf")
    for line in ("[daemon]", "interval = 10m", "[http]", "listen = 127.0.0.1:9257"):
        yield escaped(line)
    yield from (".fi", ".RE", ".SH SEE ALSO", r"\fBagentcheck\fR(8)")


PAGES = {"agentcheck.8": agentcheck_8, "agentcheck.conf.5": agentcheck_conf_5}


def page(name: str) -> str:
    return "".join(f"{line}\n" for line in PAGES[name]())


def main(arguments: Sequence[str]) -> int:
    assert tuple(VERBS) == tuple(verb_parsers())
    if arguments:
        sys.stdout.write("".join(page(name) for name in arguments))
        return 0
    for name in PAGES:
        Path(__file__).with_name(name).write_text(page(name), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
