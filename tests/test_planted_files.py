"""Links, pipes and files that another user has put where root is about to write."""

from __future__ import annotations

import os
import signal
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agentcheck import report_file, whole_file
from agentcheck.daemon import socket_file
from agentcheck.model import OutputError

NOBODY = 65534
ROUNDS = 150

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can play another user")


class Victim:
    """A file of root's that must stay as it is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_text("precious")
        path.chmod(0o600)

    def is_untouched(self) -> bool:
        found = self.path.lstat()
        as_it_was = stat.S_IMODE(found.st_mode), found.st_uid, self.path.read_text()
        return as_it_was == (0o600, 0, "precious")


@pytest.fixture
def place() -> Iterator[Path]:
    """Where another user gets to, which is not so of pytest's own folders."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def victim(place: Path) -> Iterator[Victim]:
    made = Victim(place / "victim")
    yield made
    assert made.is_untouched()


@pytest.fixture
def shared(place: Path) -> Path:
    """A folder as /tmp is one."""
    folder = place / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@pytest.fixture
def theirs(place: Path) -> Path:
    """A folder of another user, as that of node_exporter's text files may be."""
    folder = place / "theirs"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    return folder


def plant(link: Path, target: Path) -> None:
    link.symlink_to(target)
    os.lchown(link, NOBODY, NOBODY)


def test_the_report_is_printed_rather_than_written_through_anothers_link(
    shared: Path, victim: Victim, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(shared / "report", victim.path)
    (shared / "first").symlink_to(shared / "report")  # ours, to theirs
    for name in ("report", "first"):
        with pytest.raises(OutputError, match="a link of another user"):
            report_file.write(str(shared / name), "text")
        assert capsys.readouterr().out == "text"


def test_a_folder_behind_anothers_link_is_not_written_to(
    shared: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "ours").mkdir()
    plant(shared / "out", place / "ours")
    for name in ("out/report", "x/../out/report"):
        (shared / "x").mkdir(exist_ok=True)
        with pytest.raises(OutputError, match="a link of another user"):
            report_file.write(str(shared / name), "text")
        assert capsys.readouterr().out == "text"
    assert not list((place / "ours").iterdir())


def test_a_link_of_ones_own_is_followed(shared: Path) -> None:
    (shared / "report").symlink_to("real")
    report_file.write(str(shared / "report"), "text")
    assert (shared / "report").is_symlink()
    assert (shared / "real").read_text() == "text"


def test_links_that_lead_in_a_circle_are_an_error(shared: Path) -> None:
    (shared / "one").symlink_to("two")
    (shared / "two").symlink_to("one")
    with pytest.raises(OutputError, match="levels of symbolic links"):
        report_file.write(str(shared / "one"), "text")


def test_a_hard_link_loses_its_name_and_keeps_its_content(shared: Path, victim: Victim) -> None:
    os.link(victim.path, shared / "report")
    report_file.write(str(shared / "report"), "text")
    assert (shared / "report").read_text() == "text"
    os.link(victim.path, shared / "state")
    whole_file.write(shared / "state", "text")
    assert (shared / "state").read_text() == "text"


@pytest.mark.parametrize("kind", ["link", "hard link", "file"])
def test_what_lies_at_the_guessed_name_beside_a_state_file_is_not_written_to(
    kind: str, theirs: Path, victim: Victim
) -> None:
    guessed = theirs / f".textfile.prom.{os.getpid()}"
    if kind == "link":
        plant(guessed, victim.path)
    elif kind == "hard link":
        os.link(victim.path, guessed)
    else:
        guessed.touch()
        os.chown(guessed, NOBODY, NOBODY)
    whole_file.write(theirs / "textfile.prom", "text")
    found = (theirs / "textfile.prom").lstat()
    assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (0, 0o644)
    assert [path.name for path in theirs.iterdir()] == ["textfile.prom"]


def test_a_pipe_that_becomes_a_link_is_not_written_through(
    shared: Path, victim: Victim, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = shared / "report"
    os.mkfifo(place)

    def swapped(path: str) -> bool:
        if path == str(place) and not place.is_symlink():
            place.unlink()
            plant(place, victim.path)
        return False

    monkeypatch.setattr(os.path, "isfile", swapped)
    with pytest.raises(OutputError):
        report_file.write(str(place), "text")


def test_a_socket_that_becomes_a_link_opens_nobody_elses_file(theirs: Path, victim: Victim) -> None:
    path = theirs / "socket"

    class Swapped(socket.socket):
        def bind(self, address: object) -> None:  # type: ignore[override]
            super().bind(address)  # type: ignore[arg-type]
            path.unlink()
            plant(path, victim.path)

    with Swapped(socket.AF_UNIX) as made, pytest.raises(OSError, match=r"replaced|symbolic"):
        socket_file.bind(made, str(path))


class Attacker:
    """A process of another user that puts links in the place of whatever appears in a folder."""

    def __init__(self, folder: Path, victim: Path) -> None:
        self._wins, writing = os.pipe()
        os.set_blocking(writing, False)
        self._process = os.fork()
        if self._process == 0:
            try:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                self._race(folder, victim, writing)
            finally:
                os._exit(1)
        os.close(writing)

    def _race(self, folder: Path, victim: Path, writing: int) -> None:
        link = folder / ".link"
        while True:
            for path in folder.iterdir():
                with suppress(OSError):
                    link.symlink_to(victim)
                with suppress(OSError):
                    os.rename(link, path)
                    os.write(writing, b"." if path != link else b"")

    def end(self) -> int:
        """How often it had one in place."""
        os.kill(self._process, signal.SIGKILL)
        _, status = os.waitpid(self._process, 0)
        assert os.WIFSIGNALED(status), "it died of itself"
        with os.fdopen(self._wins, "rb") as file:
            return len(file.read())


@pytest.mark.parametrize("where", ["shared", "theirs"])
@pytest.mark.parametrize("write", [report_file.write, whole_file.write])
def test_who_races_for_the_file_wins_nothing_of_roots(
    where: str,
    write: Callable[..., None],
    victim: Victim,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder: Path = request.getfixturevalue(where)
    attacker = Attacker(folder, victim.path)
    try:
        for _ in range(ROUNDS):
            (folder / "x").unlink(missing_ok=True)  # a link that lies there is none of a race
            # What it cannot write it says; whose folder it is may take a file away at any time.
            with suppress(OSError, OutputError):
                write(str(folder / "x") if write is report_file.write else folder / "x", "text")
            assert victim.is_untouched()
    finally:
        won = attacker.end()
    assert won > 0
