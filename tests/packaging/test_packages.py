"""The built files, read but not installed (that is tests/booted/test_packages.py)."""

from __future__ import annotations

import gzip
import importlib.util
import io
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

import agentcheck
from agentcheck.settings import SETTINGS, load
from tests.vpc import host

pytestmark = pytest.mark.packages

BUILD = host.ROOT / "packaging/build"
PRIVATE = "usr/lib/agentcheck"
# What lintian and rpmlint may go on warning of, and why.
TOLERATED = {
    # The package goes to no Debian archive, so it closes no bug of theirs.
    "initial-upload-closes-no-bugs",
    # Only systemd starts it, on which it depends.
    "package-supports-alternative-init-but-no-init.d-script",
    # The private folder holds a Python package of the same name.
    "repeated-path-segment",
    # deb-systemd-invoke waits for the first round; see deb.postinst.
    "maintainer-script-calls-systemctl",
    # Python modules are no binaries; the distributions keep private ones there all the same.
    "only-non-binary-in-usr-lib",
    # The project has no home on the web that could be named.
    "no-url-tag",
    # It is in section 8, where rpmlint does not look.
    "no-manual-page-for-binary",
    # Amazon Linux and RHEL compress with gzip; this rpmlint has the habits of another system.
    "manpage-not-compressed",
    # Its list of licences is empty on Debian; these are SPDX names.
    "invalid-license",
    # Of what no package owns: caches, state.
    "dangerous-command-in-%postun",
}


def build(folder: Path, what: str, **environment: str) -> list[Path]:
    done = subprocess.run(
        [sys.executable, str(BUILD), what, "--output", str(folder)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Path(line) for line in done.stdout.splitlines()]


def need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By kind."""
    made = build(tmp_path_factory.mktemp("built"), "all")
    return {path.suffix[1:]: path for path in made}


@pytest.fixture(scope="module")
def deb(built: dict[str, Path]) -> dict[str, tarfile.TarInfo]:
    need("dpkg-deb")
    done = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", str(built["deb"])], stdout=subprocess.PIPE, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        return {member.name[2:]: member for member in archive if member.name != "."}


def rpm(built: dict[str, Path], *asked: str) -> str:
    need("rpm")
    command = ["rpm", "--query", "--package", *asked, str(built["rpm"])]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def rpm_files(built: dict[str, Path]) -> dict[str, str]:
    """Mode by path."""
    told = rpm(built, "--queryformat", "[%{FILENAMES} %{FILEMODES:perms}\n]").splitlines()
    return {line.split()[0][1:]: line.split()[1] for line in told}


def modules() -> set[str]:
    return {
        f"{PRIVATE}/{path.relative_to(host.ROOT)}"
        for path in (host.ROOT / "agentcheck").rglob("*.py")
    }


def test_both_packages_bring_the_same_files_at_their_systems_places(
    built: dict[str, Path], deb: dict[str, tarfile.TarInfo]
) -> None:
    of_deb = {name for name, member in deb.items() if member.isfile()}
    of_rpm = {name for name, mode in rpm_files(built).items() if mode[0] == "-"}
    assert modules() <= of_deb & of_rpm
    expected = {
        "usr/bin/agentcheck",
        f"{PRIVATE}/agentcheck/report.schema.json",
        f"{PRIVATE}/requests_aws4auth/__init__.py",
        "etc/agentcheck/agentcheck.conf",
        "usr/lib/systemd/system/agentcheck.service",
        "usr/lib/systemd/catalog/agentcheck.catalog",
        "usr/lib/sysusers.d/agentcheck.conf",
        "usr/lib/tmpfiles.d/agentcheck.conf",
        "usr/share/man/man8/agentcheck.8.gz",
        "usr/share/man/man5/agentcheck.conf.5.gz",
    }
    assert expected <= of_deb & of_rpm
    assert {name for name in of_deb - of_rpm if "/zsh/" not in name} == {
        "usr/share/doc/agentcheck/changelog.Debian.gz",
        "usr/share/doc/agentcheck/changelog.gz",
        "usr/share/doc/agentcheck/copyright",
        "usr/share/python3/runtime.d/agentcheck.rtupdate",
    }
    assert {name for name in of_rpm - of_deb if "/zsh/" not in name} == {
        "usr/lib/systemd/system-preset/80-agentcheck.preset",
        "usr/share/doc/agentcheck/CHANGELOG.md",
        "usr/share/licenses/agentcheck/LICENSE",
        "usr/share/licenses/agentcheck/LICENSE.requests-aws4auth",
    }


def test_all_files_are_roots_and_nobody_else_can_write_to_them(
    built: dict[str, Path], deb: dict[str, tarfile.TarInfo]
) -> None:
    runnable = {"usr/bin/agentcheck", "usr/share/python3/runtime.d/agentcheck.rtupdate"}
    for name, member in deb.items():
        assert (member.uid, member.gid) == (0, 0)
        assert member.mode == (0o755 if member.isdir() or name in runnable else 0o644), name
    owners = rpm(built, "--queryformat", "[%{FILEUSERNAME}:%{FILEGROUPNAME}\n]").split()
    assert set(owners) == {"root:root"}
    for name, mode in rpm_files(built).items():
        wanted = "drwxr-xr-x" if mode[0] == "d" else "-rw-r--r--"
        assert mode == ("-rwxr-xr-x" if name in runnable else wanted), name


def test_no_folder_of_the_system_is_owned_by_the_rpm(built: dict[str, Path]) -> None:
    folders = {name for name, mode in rpm_files(built).items() if mode[0] == "d"}
    assert {name for name in folders if "agentcheck" not in name} <= {
        # RHEL's systemd has both; named as its own they may be shared.
        "usr/lib/systemd/catalog",
        "usr/lib/systemd/system-preset",
    }


def test_the_version_is_the_codes_in_every_file(built: dict[str, Path]) -> None:
    version = agentcheck.__version__
    assert built["deb"].name == f"agentcheck_{version}-1_all.deb"
    assert built["rpm"].name == f"agentcheck-{version}-1.noarch.rpm"
    command = [sys.executable, "-I", str(built["pyz"]), "--version"]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert told == f"agentcheck {version}\n"


def test_dependencies_are_those_of_the_project_by_the_distributions_names(
    built: dict[str, Path],
) -> None:
    need("dpkg-deb")
    fields = ["Depends", "Recommends", "Architecture"]
    told = subprocess.run(
        ["dpkg-deb", "--field", str(built["deb"]), *fields], stdout=subprocess.PIPE, text=True
    ).stdout
    text = (host.ROOT / "pyproject.toml").read_text()
    floors = dict(re.findall(r'"([a-z0-9-]+)>=([\d.]+)"', text))
    for name, package in {
        "requests": "python3-requests",
        "psutil": "python3-psutil",
        "dnspython": "python3-dnspython",
        "systemd-python": "python3-systemd",
    }.items():
        assert f"{package} (>= {floors[name]})" in told.partition("Recommends")[0]
    assert f"Recommends: python3-waitress (>= {floors['waitress']})" in told
    assert "Architecture: all" in told
    required = rpm(built, "--requires").splitlines()
    for name, package in {
        "requests": "python3-requests",
        "psutil": "python3-psutil",
        "dnspython": "python3-dns",
        "systemd-python": "python3-systemd",
    }.items():
        assert f"{package} >= {floors[name]}" in required
    assert rpm(built, "--recommends").strip() == f"python3-waitress >= {floors['waitress']}"
    assert "bundled(python3dist(requests-aws4auth))" in rpm(built, "--provides")


def test_the_configuration_is_kept_and_says_nothing_but_the_defaults(
    built: dict[str, Path], deb: dict[str, tarfile.TarInfo], tmp_path: Path
) -> None:
    assert deb["etc/agentcheck/agentcheck.conf"].isfile()
    assert rpm(built, "--configfiles").split() == ["/etc/agentcheck/agentcheck.conf"]
    flags = rpm(built, "--queryformat", "[%{FILENAMES} %{FILEFLAGS:fflags}\n]")
    assert "/etc/agentcheck/agentcheck.conf cn\n" in flags
    need("dpkg-deb")
    subprocess.run(["dpkg-deb", "--extract", str(built["deb"]), str(tmp_path)], check=True)
    path = tmp_path / "etc/agentcheck/agentcheck.conf"
    assert {found.origin for found in load(path).all()} == {"default"}
    uncommented = re.sub(r"(?m)^#(?=\w)", "", path.read_text())
    path.write_text(uncommented)
    told = load(path).all()
    assert {found.origin for found in told} == {str(path)}
    assert [found.text for found in told] == [" ".join(s.default.split()) for s in SETTINGS]


def test_the_scripts_are_valid_and_filled_in(built: dict[str, Path], tmp_path: Path) -> None:
    need("dpkg-deb")
    subprocess.run(["dpkg-deb", "--control", str(built["deb"]), str(tmp_path)], check=True)
    scripts = [(tmp_path / name).read_text() for name in ("postinst", "prerm", "postrm")]
    for tag in ("POSTIN", "PREUN", "POSTUN"):
        scripts.append(rpm(built, "--queryformat", f"%{{{tag}}}"))
    for script in scripts:
        assert not re.search(r"@[A-Z]+@", script)
        assert "agentcheck.service" in script
        subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    assert (tmp_path / "conffiles").read_text().split() == ["/etc/agentcheck/agentcheck.conf"]


def test_lintian_finds_no_error(built: dict[str, Path]) -> None:
    need("lintian")
    command = ["lintian", "--allow-root", "--display-info", "--pedantic", "--fail-on=none"]
    told = subprocess.run([*command, str(built["deb"])], stdout=subprocess.PIPE, text=True).stdout
    tags = re.findall(r"^([EWIP]): \S+: (\S+)", told, re.M)
    assert not [tag for kind, tag in tags if kind == "E"], told
    assert {tag for _, tag in tags} <= TOLERATED, told


def test_rpmlint_finds_no_error_in_a_signed_package(tmp_path: Path) -> None:
    """Not signed, that is the one error: who publishes it has the key."""
    need("rpmlint", "gpg")
    home = tmp_path / "keys"
    home.mkdir(0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", ""]
    gpg.append("--pinentry-mode=loopback")
    subprocess.run([*gpg, "--quick-generate-key", "test", "rsa2048", "sign"], check=True)
    exported = {}
    for kind in ("--export-secret-keys", "--export"):
        done = subprocess.run([*gpg, "--armor", kind], stdout=subprocess.PIPE, check=True)
        exported[kind] = tmp_path / f"{kind[2:]}.asc"
        exported[kind].write_bytes(done.stdout)
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
    (tmp_path / ".rpmmacros").write_text(f"%_dbpath {tmp_path}/rpm\n")
    environment = {**os.environ, "HOME": str(tmp_path)}
    trust = ["rpm", "--import", str(exported["--export"])]
    subprocess.run(trust, env=environment, check=True)
    (path,) = build(tmp_path, "rpm", RPM_KEY=str(exported["--export-secret-keys"]))
    told = subprocess.run(
        ["rpmlint", str(path)], env=environment, stdout=subprocess.PIPE, text=True
    ).stdout
    tags = re.findall(r"^\S+: ([EW]): (\S+)", told, re.M)
    assert not [tag for kind, tag in tags if kind == "E"], told
    assert {tag for _, tag in tags} <= TOLERATED, told


def test_a_second_build_gives_the_same_bytes(built: dict[str, Path], tmp_path: Path) -> None:
    for path in build(tmp_path, "all"):
        assert path.read_bytes() == built[path.suffix[1:]].read_bytes(), path.name


def test_the_licence_of_what_is_bundled_is_there(built: dict[str, Path], tmp_path: Path) -> None:
    need("dpkg-deb")
    subprocess.run(["dpkg-deb", "--extract", str(built["deb"]), str(tmp_path)], check=True)
    told = (tmp_path / "usr/share/doc/agentcheck/copyright").read_text()
    assert "Sam Washington" in told
    assert "Permission is hereby granted" in told
    manual = gzip.decompress((tmp_path / "usr/share/man/man8/agentcheck.8.gz").read_bytes())
    assert b".TH" in manual
    with zipfile.ZipFile(built["pyz"]) as archive:
        names = archive.namelist()
    pins = re.findall(r"(?m)^([\w-]+)==", (host.ROOT / "packaging/requirements.txt").read_text())
    for name in set(pins) - {"nfpm"}:
        pattern = rf"lib/{name.replace('-', '[-_]')}-.*\.dist-info/.*LICENSE"
        assert any(re.match(pattern, one, re.I) for one in names), name


# --- the single file ---------------------------------------------------------------------------


def test_the_single_file_has_psutil_for_both_machines_and_no_other_compiled_code(
    built: dict[str, Path],
) -> None:
    with zipfile.ZipFile(built["pyz"]) as archive:
        compiled = {name: archive.read(name) for name in archive.namelist() if ".so" in name}
    machines = {"x86_64": 62, "aarch64": 183}  # e_machine of ELF
    assert set(compiled) == {f"lib-{name}/psutil/_psutil_linux.abi3.so" for name in machines}
    for name, number in machines.items():
        raw = compiled[f"lib-{name}/psutil/_psutil_linux.abi3.so"]
        assert int.from_bytes(raw[18:20], "little") == number


def test_the_single_file_starts_isolated(built: dict[str, Path]) -> None:
    assert built["pyz"].read_bytes().startswith(b"#!/usr/bin/python3 -I\nPK")
    assert built["pyz"].stat().st_mode & 0o777 == 0o755


@pytest.fixture
def start() -> ModuleType:
    """The code that the single file starts with."""
    path = host.ROOT / "packaging/scripts/pyz_main.py"
    spec = importlib.util.spec_from_file_location("pyz_main", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_pyz(pyz: Path, cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(pyz), "--version"],
        env={"CACHE_DIRECTORY": str(cache), "PATH": os.defpath, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_unpacks_once_for_its_user_alone(built: dict[str, Path], tmp_path: Path) -> None:
    for _ in range(2):
        assert run_pyz(built["pyz"], tmp_path).returncode == 0
    folder = tmp_path / "agentcheck.pyz"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (unpacked,) = folder.iterdir()
    assert (unpacked / "psutil/_psutil_linux.abi3.so").exists()
    assert (unpacked / "agentcheck/cli.py").exists()


def test_a_folder_that_is_not_ours_alone_is_not_used(start: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "agentcheck.pyz"
    folder.mkdir(0o755)
    folder.chmod(0o755)
    with pytest.raises(PermissionError, match="not a folder of this user alone"):
        start.private_folder(str(tmp_path), os.geteuid())
    folder.chmod(0o700)
    assert start.private_folder(str(tmp_path), os.geteuid()) == str(folder)
    with pytest.raises(PermissionError):
        start.private_folder(str(tmp_path), os.geteuid() + 1)


def test_a_link_in_its_place_is_not_followed(start: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(0o700)
    (tmp_path / "agentcheck.pyz").symlink_to("elsewhere")
    with pytest.raises(PermissionError, match="not a folder of this user alone"):
        start.private_folder(str(tmp_path), os.geteuid())


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757])
def test_a_parent_that_others_can_write_to_is_not_used(
    start: ModuleType, tmp_path: Path, mode: int
) -> None:
    parent = tmp_path / "parent"
    (parent / "below").mkdir(parents=True)
    parent.chmod(mode)
    with pytest.raises(PermissionError, match="others can write to it"):
        start.private_folder(str(parent / "below"), os.geteuid())
    parent.chmod(0o1777)  # as /tmp is: what is in there cannot be replaced
    assert start.private_folder(str(parent / "below"), os.geteuid())


def test_root_uses_nobodys_home(start: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """sudo may have kept HOME and XDG_CACHE_HOME of who called it."""
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "TMPDIR", "SHIV_ROOT"):
        monkeypatch.setenv(name, "/home/mallory")
    monkeypatch.delenv("CACHE_DIRECTORY", raising=False)
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    assert start.parents(0) == ["/var/cache", "/run"]


def test_another_users_folder_is_passed_over_for_the_next_place(
    built: dict[str, Path], tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to somebody else")
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    for path in (theirs, ours):
        path.mkdir(0o755)
    (theirs / "agentcheck.pyz").mkdir(0o700)
    os.chown(theirs / "agentcheck.pyz", 12345, 12345)
    done = run_pyz(built["pyz"], theirs, RUNTIME_DIRECTORY=str(ours))
    assert done.returncode == 0, done.stderr
    assert not list((theirs / "agentcheck.pyz").iterdir())
    assert len(list((ours / "agentcheck.pyz").iterdir())) == 1


def test_an_earlier_build_goes_once_nobody_uses_it(
    built: dict[str, Path], start: ModuleType, tmp_path: Path
) -> None:
    folder = tmp_path / "agentcheck.pyz"
    folder.mkdir(0o700)
    for name in ("0.0.1-unused", "0.0.2-used"):
        (folder / name).mkdir(0o700)
    assert start.hold(str(folder / "0.0.2-used"))
    assert run_pyz(built["pyz"], tmp_path).returncode == 0
    left = {path.name.partition("-")[0] for path in folder.iterdir()}
    assert left == {"0.0.2", agentcheck.__version__}


def test_an_old_python_is_told_so_in_one_line(built: dict[str, Path]) -> None:
    with zipfile.ZipFile(built["pyz"]) as archive:
        text = archive.read("__main__.py").decode()
    old = text.replace("sys.version_info < (3, 9)", "True")
    done = subprocess.run([sys.executable, "-c", old], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert re.fullmatch(r"agentcheck: needs Python 3\.9 or newer, this is [\d.]+\n", done.stderr)
