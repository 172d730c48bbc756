"""How the single file starts: unpacks itself once where only its user can write, and runs there.

Code of C (psutil) cannot be loaded from inside an archive. Whoever can write to the place where it
is unpacked becomes who runs it, and that is mostly root: nothing is taken from a place that anybody
but root and the user could have written to or put there, whatever the environment says.
"""

# ruff: noqa: UP031, UP036
import sys

# As far as this, older Pythons must understand the text.
if sys.version_info < (3, 9):
    sys.stderr.write(
        "agentcheck: needs Python 3.9 or newer, this is %d.%d\n" % sys.version_info[:2]
    )
    sys.exit(3)

import errno
import fcntl
import os
import pwd
import shutil
import stat
import tempfile
import zipfile

BUILD = "@BUILD@"
FOLDER = "agentcheck.pyz"


def parents(uid):
    """Where the folder may lie, best first: of systemd's making, on disk, in memory."""
    told = [os.environ.get(name, "") for name in ("CACHE_DIRECTORY", "RUNTIME_DIRECTORY")]
    if uid == 0:  # not its home: HOME may be that of who has called sudo
        told += ["/var/cache", "/run"]
    else:
        told.append(os.environ.get("XDG_CACHE_HOME", ""))
        for home in (account_home(uid), os.environ.get("HOME", "")):
            if home:
                told += [os.path.join(home, ".cache"), home]
        told.append(os.environ.get("XDG_RUNTIME_DIR", ""))
    return list(dict.fromkeys(path.split(":")[0] for path in told if path.startswith("/")))


def account_home(uid):
    try:
        return pwd.getpwuid(uid).pw_dir
    except KeyError:
        return ""


def check(path, uid):
    """Raises OSError unless only root and the user can change what an absolute, real path means."""
    for end in [i for i, letter in enumerate(path) if letter == "/" and i] + [len(path)]:
        found = os.lstat(path[:end] or "/")
        ours = found.st_uid in (0, uid) and stat.S_ISDIR(found.st_mode)
        # In a sticky folder (/tmp) nobody can replace what belongs to others.
        if not ours or (found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX):
            raise PermissionError(errno.EPERM, "others can write to it", path[:end])


def private_folder(parent, uid):
    real = os.path.realpath(parent)
    check(real, uid)
    folder = os.path.join(real, FOLDER)
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or found.st_mode & 0o077:
        raise PermissionError(errno.EPERM, "not a folder of this user alone", folder)
    return folder


def hold(path):
    """Locks a folder for as long as this process lives; False when it has just been removed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def unpack(archive, folder, target, machine):
    """At one stroke, so that nobody meets half of it; even after a power failure."""
    fresh = tempfile.mkdtemp(prefix="new-", dir=folder)
    try:
        hold(fresh)
        with zipfile.ZipFile(archive) as packed:
            for name in packed.namelist():
                top, _, inside = name.partition("/")
                if top not in ("lib", "lib-" + machine) or not inside:
                    continue
                path = os.path.join(fresh, inside)
                os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
                with open(path, "wb") as file:
                    file.write(packed.read(name))
                    file.flush()
                    os.fsync(file.fileno())
        try:
            os.rename(fresh, target)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def remove_others(folder, target):
    """Earlier builds that no process uses any more."""
    for entry in os.scandir(folder):
        if entry.path == target or not entry.is_dir(follow_symlinks=False):
            continue
        descriptor = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(entry.path, ignore_errors=True)
        except OSError:
            pass
        finally:
            os.close(descriptor)


def place(archive):
    """The folder with what is in the archive. Raises SystemExit when there can be none."""
    uid = os.geteuid()
    machine = os.uname().machine
    complaints = []
    for parent in parents(uid):
        try:
            folder = private_folder(parent, uid)
            target = os.path.join(folder, BUILD + "-" + machine)
            for _ in range(3):
                if hold(target):
                    return target
                unpack(archive, folder, target, machine)
                remove_others(folder, target)
            complaints.append(target + ": does not stay")
        except (OSError, zipfile.BadZipFile) as error:
            what = getattr(error, "strerror", None) or str(error)
            complaints.append("%s: %s" % (getattr(error, "filename", None) or parent, what))
    told = "; ".join(complaints)
    sys.stderr.write("agentcheck: found no folder to unpack into; make one writable: %s\n" % told)
    sys.exit(3)


if __name__ == "__main__":
    __file__ = os.path.abspath(__file__)  # the daemon starts its rounds by it
    archive = os.path.dirname(__file__)
    sys.path[:] = [place(archive)] + [path for path in sys.path if path != archive]
    from agentcheck.cli import main

    main()
