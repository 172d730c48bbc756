"""User data, image building and the install script: read as their readers do, and run with fakes.

Nothing here starts the real agentcheck, a package manager or the AWS CLI: PATH holds fakes of them
and no more of the system's tools than the scripts need.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentcheck.cli import _parser
from agentcheck.settings import load
from tests.packaging.test_docs import PACKAGING, generator, needs

INSTALL = PACKAGING / "install/install.sh"
CLOUD = PACKAGING / "cloud-init"
CONFIGS = ("run-once.yaml", "status-port.yaml")
COMPONENT = PACKAGING / "image-builder/agentcheck.yaml"
PACKER = PACKAGING / "packer/agentcheck.pkr.hcl"

# --- YAML: as much of it as these files use; whatever else stands in them is an error ------------


class Lines:
    """The reader of block YAML: mappings, lists, literal blocks, plain and quoted scalars."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._at = 0

    def _peek(self) -> tuple[int, str]:
        """Indent and text of the next line that says something; -1 at the end."""
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.strip() and not line.lstrip().startswith("#"):
                return len(line) - len(line.lstrip()), line.strip()
            self._at += 1
        return -1, ""

    def block(self, least: int = 0) -> Any:
        indent, text = self._peek()
        assert indent >= least, f"line {self._at + 1}: nothing where a value is due"
        return self._list(indent) if text.startswith("- ") else self._mapping(indent)

    def _list(self, indent: int) -> list[Any]:
        found = []
        while True:
            here, text = self._peek()
            if here != indent or not text.startswith("- "):
                return found
            rest = text[2:]
            if re.match(r"[\w.]+:( |$)", rest):
                # The mapping's first line, without its dash, is a line of the mapping.
                self._lines[self._at] = " " * (indent + 2) + rest
                found.append(self._mapping(indent + 2))
            else:
                self._at += 1
                found.append(self._scalar(rest, indent))

    def _mapping(self, indent: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while True:
            here, text = self._peek()
            if here != indent or text.startswith("- "):
                assert here <= indent, f"line {self._at + 1}: indented too far"
                return found
            key, colon, rest = text.partition(":")
            assert colon, f"line {self._at + 1}: no key"
            assert re.fullmatch(r"\w+", key), f"line {self._at + 1}: no key"
            assert key not in found, f"line {self._at + 1}: {key} twice"
            self._at += 1
            rest = rest.strip()
            found[key] = self._scalar(rest, indent) if rest else self.block(indent)

    def _scalar(self, text: str, indent: int) -> Any:
        if text == "|":
            return self._literal(indent)
        if text.startswith('"'):
            return json.loads(text)
        assert not re.match(r"[\[{&*!>%@'`|]", text), f"{text}: not read here"
        assert ": " not in text, f"{text}: quote it"
        assert " #" not in text, f"{text}: quote it"
        return (
            float(text)
            if re.fullmatch(r"\d+\.\d+", text)
            else (int(text) if text.isdigit() else text)
        )

    def _literal(self, outside: int) -> str:
        rows: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.strip() and len(line) - len(line.lstrip()) <= outside:
                break
            rows.append(line)
            self._at += 1
        first = next(row for row in rows if row.strip())
        inside = len(first) - len(first.lstrip())
        return "\n".join(row[inside:] for row in rows).rstrip("\n") + "\n"


def read_yaml(path: Path) -> Any:
    lines = Lines(path.read_text("utf-8"))
    found = lines.block()
    assert lines._peek()[0] == -1
    return found


@needs("/usr/bin/python3")
@pytest.mark.parametrize("path", [*(CLOUD / name for name in CONFIGS), COMPONENT])
def test_our_reader_of_yaml_reads_what_others_read(path: Path) -> None:
    code = "import json, sys\ntry:\n import yaml\nexcept ImportError: sys.exit(3)\n"
    code += "json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)"
    done = subprocess.run(
        ["/usr/bin/python3", "-c", code, str(path)], capture_output=True, text=True
    )
    assert done.returncode in (0, 3), done.stderr
    if done.returncode == 0:  # PyYAML is there
        assert json.loads(done.stdout) == read_yaml(path)


# --- the files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["run-once.sh", "run-once.yaml", "agentcheck.yaml"])
def test_the_file_is_what_its_generator_prints(name: str) -> None:
    made = generator("cloud-init")
    same = made.made(name) == made.FILES[name].read_text("utf-8")
    assert same, "install.sh or a .in file has changed since: run packaging/cloud-init/generate.py"


def test_a_cloud_config_has_only_keys_that_cloud_init_knows() -> None:
    """cloud-init accepts what it does not know, and then does nothing."""
    for name in CONFIGS:
        text = (CLOUD / name).read_text("utf-8")
        assert text.startswith("#cloud-config\n")
        config = read_yaml(CLOUD / name)
        assert set(config) <= {"write_files", "runcmd"}
        for file in config.get("write_files", ()):
            assert set(file) == {"path", "permissions", "content"}
            assert re.fullmatch(r"0[0-7]{3}", file["permissions"])
        assert all(isinstance(command, str) for command in config["runcmd"])


@needs("cloud-init")
@pytest.mark.parametrize("name", CONFIGS)
def test_cloud_init_accepts_the_cloud_config(name: str) -> None:
    done = subprocess.run(
        ["cloud-init", "schema", "--config-file", str(CLOUD / name)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Valid")


def scripts() -> dict[str, str]:
    """Every piece of shell in the recipes, by where it stands."""
    found = {"install.sh": INSTALL.read_text("utf-8")}
    found["run-once.sh"] = (CLOUD / "run-once.sh").read_text("utf-8")
    for name in CONFIGS:
        config = read_yaml(CLOUD / name)
        for number, command in enumerate(config["runcmd"]):
            found[f"{name} runcmd {number}"] = f"#!/bin/sh\n{command}"
        for file in config.get("write_files", ()):
            found[f"{name} {file['path']}"] = file["content"]
    for phase in read_yaml(COMPONENT)["phases"]:
        for step in phase["steps"]:
            for command in step["inputs"]["commands"]:
                found[f"component {phase['name']}"] = f"#!/bin/bash\n{command}"
    return found


@needs("shellcheck")
@pytest.mark.parametrize("place", scripts())
def test_shellcheck_has_nothing_to_say(place: str) -> None:
    done = subprocess.run(
        ["shellcheck", "-"], input=scripts()[place], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_user_data_is_small_enough_and_starts_as_cloud_init_wants() -> None:
    for name in ("run-once.sh", *CONFIGS):
        text = (CLOUD / name).read_bytes()
        assert len(text) <= 16384
        assert text.startswith((b"#!/bin/sh\n", b"#cloud-config\n"))


def test_the_component_has_the_shape_that_image_builder_documents() -> None:
    """Image Builder user guide, "Component document schema" and "ExecuteBash"."""
    document = read_yaml(COMPONENT)
    assert set(document) == {"name", "description", "schemaVersion", "parameters", "phases"}
    assert document["schemaVersion"] == 1.0
    names = set()
    for parameter in document["parameters"]:
        ((name, definition),) = parameter.items()
        names.add(name)
        assert set(definition) == {"type", "default", "description"}
        assert definition["type"] == "string"
        assert isinstance(definition["default"], str)
    assert [phase["name"] for phase in document["phases"]] == ["build", "validate", "test"]
    for phase in document["phases"]:
        assert set(phase) == {"name", "steps"}
        assert len({step["name"] for step in phase["steps"]}) == len(phase["steps"])
        for step in phase["steps"]:
            assert set(step) <= {
                "name",
                "action",
                "timeoutSeconds",
                "onFailure",
                "maxAttempts",
                "inputs",
            }
            assert step["action"] == "ExecuteBash"
            assert step["onFailure"] in ("Abort", "Continue", "Ignore")
            assert isinstance(step["timeoutSeconds"], int)
            assert set(step["inputs"]) == {"commands"}
            for command in step["inputs"]["commands"]:
                assert isinstance(command, str)
                used = re.findall(r"\{\{(.*?)\}\}", command)
                assert {reference.strip() for reference in used} <= names
    assert len(COMPONENT.read_bytes()) <= 16000  # CreateComponent: data


def test_the_component_checks_the_image_before_the_snapshot_and_an_instance_after() -> None:
    phases = {phase["name"]: phase for phase in read_yaml(COMPONENT)["phases"]}
    validate = phases["validate"]["steps"][0]["inputs"]["commands"][0]
    test = phases["test"]["steps"][0]
    assert "agentcheck run --profile image" in validate
    assert "agentcheck run " in test["inputs"]["commands"][0]
    assert "--profile" not in test["inputs"]["commands"][0]
    assert test["timeoutSeconds"] > 300  # --wait 5m


def commands_of_agentcheck() -> list[list[str]]:
    """Every command line of agentcheck in the recipes."""
    texts = [*scripts().values(), PACKER.read_text("utf-8")]
    found = []
    for text in texts:
        code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
        for words in re.findall(r"\bagentcheck ((?:run|config) [a-z0-9 -]+)", code):
            found.append(words.removesuffix(" 2").split())  # of 2>/dev/null
    return found


def test_every_command_of_agentcheck_in_the_recipes_is_one_that_it_takes() -> None:
    found = commands_of_agentcheck()
    assert len(found) >= 8
    for words in found:
        assert _parser().parse_args(words).verb == words[0]


# --- Packer ------------------------------------------------------------------------------------

SOURCE = """
source "amazon-ebs" "image" {
  ami_name      = "agentcheck-test"
  region        = "us-east-1"
  source_ami    = "ami-0123456789abcdef0"
  instance_type = "t3.micro"
  ssh_username  = "admin"
}
"""


def test_the_packer_snippet_s_blocks_are_closed_and_its_variables_declared() -> None:
    text = PACKER.read_text("utf-8")
    code = re.sub(r'"(?:[^"\\]|\\.)*"|#.*', "", text)
    assert code.count("{") == code.count("}")
    assert code.count("[") == code.count("]")
    declared = set(re.findall(r'^variable "(\w+)"', text, re.MULTILINE))
    assert set(re.findall(r"\bvar\.(\w+)", text)) == declared
    assert set(re.findall(r"\blocal\.(\w+)", text)) == {"agentcheck_suffix"}
    assert text.rindex("--profile image") > text.rindex("agentcheck-install.sh")


@needs("packer")
def test_packer_accepts_the_snippet(tmp_path: Path) -> None:
    folder = tmp_path / "template"
    folder.mkdir()
    shutil.copy(PACKER, folder)
    (folder / "source.pkr.hcl").write_text(SOURCE)
    (tmp_path / "agentcheck.deb").touch()
    env = {**os.environ, "CHECKPOINT_DISABLE": "1", "PACKER_CONFIG_DIR": str(tmp_path)}
    values = {
        "agentcheck_package": f"{tmp_path}/agentcheck.deb",
        "agentcheck_sha256": "0" * 64,
        "agentcheck_install": str(INSTALL),
    }
    variables = [word for name, value in values.items() for word in ("-var", f"{name}={value}")]
    done = subprocess.run(
        ["packer", "validate", *variables, str(folder)], capture_output=True, text=True, env=env
    )
    assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run(["packer", "fmt", "-check", str(PACKER)], capture_output=True, env=env)
    assert done.returncode == 0


# --- the scripts, run --------------------------------------------------------------------------

PACKAGE = b"a package"
SHA256 = hashlib.sha256(PACKAGE).hexdigest()
TOOLS = (
    *("sh", "cat", "chmod", "cmp", "cp", "cut", "env", "grep", "head", "hostname", "mkdir"),
    *("mktemp", "mv", "rm", "sed", "sha256sum", "tail", "timeout", "tr"),
)
# Each notes how it was called; then what it does. `$0.state` is what it remembers.
FAKES = {
    "id": "echo 0",
    "aws": 'cp "$FAKE_PACKAGE" "$(eval "echo \\${$#}")"',
    "curl": "case $* in *api/token*) echo TOKEN ;; *placement/region*) echo eu-west-1 ;;"
    ' *) while [ "$1" != -o ]; do shift; done; cp "$FAKE_PACKAGE" "$2" ;; esac',
    "dpkg": "echo installed >dpkg.state",
    "dpkg-deb": "echo 1.2.3-1",
    "dpkg-query": "[ -e dpkg.state ] && printf 'install ok installed 1.2.3-1'",
    "rpm": "case $1 in -qp) printf 1.2.3-1 ;; -q) [ -e rpm.state ] && printf 1.2.3-1 ;;"
    " -U) echo installed >rpm.state ;; esac",
    "python3": ":",
}


@dataclass
class Machine:
    """A folder that stands for a machine: its PATH, and the calls that were made on it."""

    folder: Path

    def fake(self, name: str, does: str) -> None:
        path = self.folder / "bin" / name
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>calls\n{does}\n')
        path.chmod(0o755)

    def lacks(self, *names: str) -> None:
        for name in names:
            (self.folder / "bin" / name).unlink()

    def sh(self, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", str(script), *arguments],
            cwd=self.folder,
            env={
                "PATH": str(self.folder / "bin"),
                "FAKE_PACKAGE": str(self.folder / "package"),
                "TMPDIR": str(self.folder / "tmp"),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def install(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.sh(INSTALL, *arguments)

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def called(self, start: str) -> list[str]:
        return [call for call in self.calls if call.startswith(start)]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "bin").mkdir()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "package").write_bytes(PACKAGE)
    for tool in TOOLS:
        real = shutil.which(tool)
        if real:
            (tmp_path / "bin" / tool).symlink_to(real)
    made = Machine(tmp_path)
    for name, does in FAKES.items():
        made.fake(name, does)
    return made


S3 = "s3://bucket/agentcheck.{}"


@pytest.mark.parametrize("kind", ["deb", "rpm"])
def test_it_installs_from_the_bucket_once(machine: Machine, kind: str) -> None:
    manager = {"deb": "dpkg --force-confold -i", "rpm": "rpm -U"}[kind]
    done = machine.install(S3.format(kind), SHA256)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "agentcheck 1.2.3-1 is installed\n"
    (copy,) = machine.called("aws s3 cp")
    assert "--region eu-west-1" in copy  # IMDS said so
    assert S3.format(kind) in copy
    assert len(machine.called(manager)) == 1
    done = machine.install(S3.format(kind), SHA256)
    assert (done.returncode, done.stdout) == (0, "agentcheck 1.2.3-1 is already installed\n")
    assert len(machine.called(manager)) == 1
    assert list((machine.folder / "tmp").iterdir()) == []


def test_apt_and_dnf_are_used_where_they_are(machine: Machine) -> None:
    """They bring what the package depends on, or leave everything as it was."""
    machine.fake("apt-get", ":")
    machine.fake("dnf", ":")
    assert machine.install(S3.format("deb"), SHA256, "us-east-1").returncode == 0
    assert machine.install(S3.format("rpm"), SHA256, "us-east-1").returncode == 0
    assert len(machine.called("apt-get -q -y")) == 1
    assert len(machine.called("dnf -q -y install")) == 1
    assert machine.called("dpkg --force") == []
    assert machine.called("rpm -U") == []
    assert machine.called("curl") == []  # the Region was given


def test_a_presigned_url_is_fetched_and_its_secret_not_repeated(machine: Machine) -> None:
    url = "https://bucket.s3.us-east-1.amazonaws.com/agentcheck.deb?X-Amz-Signature=abcdef"
    assert machine.install(url, SHA256).returncode == 0
    for sha256 in ("0" * 64, SHA256):
        machine.fake(
            "curl",
            "echo 'curl: (28) timed out' >&2; exit 28" if sha256 == SHA256 else FAKES["curl"],
        )
        done = machine.install(url, sha256)
        assert done.returncode in (65, 69)
        assert "abcdef" not in done.stdout + done.stderr


def test_the_single_file_is_put_in_its_place(machine: Machine) -> None:
    copy = machine.folder / "install.sh"
    copy.write_text(
        INSTALL.read_text().replace("target=/usr/local", f"target={machine.folder}/usr/local")
    )
    done = machine.sh(copy, f"{machine.folder}/package.pyz", SHA256)
    assert done.returncode == 69  # there is no such file
    shutil.copy(machine.folder / "package", machine.folder / "package.pyz")
    for words in ("is installed", "is already installed"):
        done = machine.sh(copy, f"{machine.folder}/package.pyz", SHA256)
        assert (done.returncode, done.stderr) == (0, "")
        assert words in done.stdout
    program = machine.folder / "usr/local/bin/agentcheck"
    assert program.read_bytes() == PACKAGE
    assert os.access(program, os.X_OK)
    assert [path.name for path in program.parent.iterdir()] == ["agentcheck"]


FAULTS: dict[str, tuple[Sequence[str], dict[str, str], Sequence[str], int, str]] = {
    "no arguments": ((), {}, (), 64, "usage: install.sh"),
    "no source": (("agentcheck.deb", SHA256), {}, (), 64, "not s3://BUCKET/PATH"),
    "another kind": (("s3://bucket/agentcheck.zip", SHA256), {}, (), 64, "neither .deb"),
    "no sum": ((S3.format("deb"), "abc"), {}, (), 64, "not a SHA-256"),
    "a sum in capitals": ((S3.format("deb"), "A" * 64), {}, (), 64, "not a SHA-256"),
    "not root": ((S3.format("deb"), SHA256), {"id": "echo 1000"}, (), 77, "only root"),
    "another file": ((S3.format("deb"), "0" * 64), {}, (), 65, "nothing was installed"),
    "no AWS CLI": ((S3.format("deb"), SHA256), {}, ("aws",), 69, "aws is not installed"),
    "no dpkg": ((S3.format("deb"), SHA256), {}, ("dpkg",), 69, "dpkg is not installed"),
    "no rpm": ((S3.format("rpm"), SHA256), {}, ("rpm",), 69, "rpm is not installed"),
    "no IMDS": ((S3.format("deb"), SHA256), {"curl": "exit 28"}, (), 69, "Region is not known"),
    "no way to S3": (
        (S3.format("deb"), SHA256),
        {"aws": "printf '\\nConnect timeout on endpoint URL: \"https://bucket\"\\n' >&2; exit 1"},
        (),
        69,
        "Connect timeout on endpoint URL",
    ),
    "no package": (
        (S3.format("deb"), SHA256),
        {"dpkg-deb": "echo 'not a Debian format archive' >&2; exit 2"},
        (),
        65,
        "not a Debian format archive",
    ),
    "what it depends on is out of reach": (
        (S3.format("deb"), SHA256),
        {
            "apt-get": "printf ' agentcheck : Depends: python3-x but it is not installable\\n"
            "E: Unable to correct problems\\n' >&2; exit 100"
        },
        (),
        73,
        "apt-get: agentcheck : Depends: python3-x but it is not installable; where packages are"
        " out of reach take the .pyz",
    ),
    "dpkg fails": (
        (S3.format("deb"), SHA256),
        {"dpkg": "echo 'dpkg: error: database is locked' >&2; exit 2"},
        (),
        73,
        "database is locked",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line_with_its_status_and_installs_nothing(
    machine: Machine, fault: str
) -> None:
    arguments, fakes, lacking, status, words = FAULTS[fault]
    for name, does in fakes.items():
        machine.fake(name, does)
    machine.lacks(*lacking)
    done = machine.install(*arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith("install agentcheck: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert not list(machine.folder.glob("*.state"))
    assert list((machine.folder / "tmp").iterdir()) == []


def first_boot(machine: Machine, form: str) -> subprocess.CompletedProcess[str]:
    """What cloud-init does with the user data: the script, or the files and then the commands."""
    put = machine.folder / "install-from-user-data.sh"
    values = {"0" * 64: SHA256, "/run/agentcheck-install.sh": str(put)}
    script = machine.folder / "user-data"
    if form == "run-once.sh":
        text = (CLOUD / form).read_text()
    else:
        config = read_yaml(CLOUD / form)
        (file,) = config["write_files"]
        put.write_text(file["content"])
        # cloud-init makes one script of them, without `set -e`.
        text = "#!/bin/sh\n" + "\n".join(config["runcmd"])
    for old, new in values.items():
        text = text.replace(old, new)
    script.write_text(text)
    return machine.sh(script)


ONCE = "run --console --trigger boot"


@pytest.mark.parametrize("form", ["run-once.sh", "run-once.yaml"])
def test_user_data_installs_and_runs_once_apart_from_the_boot(machine: Machine, form: str) -> None:
    machine.fake("agentcheck", "exit 2")
    machine.fake("systemd-run", ":")
    done = first_boot(machine, form)
    assert (done.returncode, done.stderr) == (0, "")
    assert "agentcheck 1.2.3-1 is installed" in done.stdout
    (call,) = machine.called("systemd-run")
    assert "--no-block" in call
    assert f"agentcheck {ONCE} --wait 5m" in call
    assert machine.called("agentcheck") == []


@pytest.mark.parametrize("form", ["run-once.sh", "run-once.yaml"])
def test_user_data_runs_a_round_itself_where_there_is_no_systemd(
    machine: Machine, form: str
) -> None:
    machine.fake("agentcheck", "exit 2")
    done = first_boot(machine, form)
    assert done.returncode == 0  # a verdict is no failure of the boot
    assert machine.called("agentcheck") == [f"agentcheck {ONCE}"]
    assert "agentcheck: status 2" in done.stdout


@pytest.mark.parametrize("form", ["run-once.sh", "run-once.yaml"])
@pytest.mark.parametrize("fault", ["aws", "dpkg"])
def test_user_data_is_harmless_when_it_fails(machine: Machine, form: str, fault: str) -> None:
    machine.fake(fault, "echo 'it broke' >&2; exit 1")
    done = first_boot(machine, form)
    assert done.returncode == 0
    assert "it broke" in done.stdout
    assert "agentcheck: not installed, see above" in done.stdout
    assert machine.called("agentcheck") == []


def test_user_data_opens_the_port_to_the_address_of_the_instance(machine: Machine) -> None:
    (command,) = read_yaml(CLOUD / "status-port.yaml")["runcmd"]
    machine.fake("hostname", "echo '10.0.1.23 fd00::1 '")
    machine.fake("agentcheck", "exit ${CHECK-0}")
    machine.fake("systemctl", ":")
    script = machine.folder / "port.sh"
    script.write_text(command.replace("folder=/etc/", f"folder={machine.folder}/etc/"))
    assert machine.sh(script).returncode == 0
    written = machine.folder / "etc/agentcheck/agentcheck.conf.d/50-port.conf"
    settings = load(written)
    assert settings["http", "listen"] == "0.0.0.0:9257"
    assert settings["http", "allow_remote"] is True
    assert "10.0.1.23" in settings["http", "allowed_hosts"]
    assert machine.called("systemctl try-restart agentcheck.service")
    machine.fake("agentcheck", "exit 78")
    assert machine.sh(script).returncode == 0
    assert not written.exists()
