"""A private PostgreSQL under the data directory, for whoever brings none.

The server comes in a wheel; it listens on a Unix socket only, in a directory nobody else may enter.
Every `isp` process that uses it holds a shared file lock; the last one to leave stops it. A process
that is killed loses its lock with its life, so nothing has to be tidied up after it.
"""

import fcntl
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.storage import postmaster
from app.storage.postmaster import EmbeddedError, Server

log = logging.getLogger(__name__)

TUNING: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "200",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "synchronous_commit": "on",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    # Many short statements share few cores: one statement on two of them helps nobody.
    "max_parallel_workers_per_gather": "0",
    # Until what was loaded has been looked at, a statement may be planned for empty tables.
    "autovacuum_naptime": "15s",
    "autovacuum_vacuum_scale_factor": "0.02",
    "autovacuum_vacuum_insert_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    # Values in statements and in error details are health records: none may reach the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


def for_memory(size: int) -> Mapping[str, str]:
    """What suits a machine with so many bytes of memory; pages are taken as they are needed.

    A quarter for PostgreSQL's own cache, as its manual advises, but no more than 8 GB: what it
    notes of each page is taken at once.
    https://www.postgresql.org/docs/18/runtime-config-resource.html
    """
    quarter = size // 4 >> 20
    return {
        "shared_buffers": f"{min(max(quarter, 128), 8192)}MB",
        "effective_cache_size": f"{max(2 * quarter, 256)}MB",
    }


def memory(limit: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """Bytes of the machine, or of the container where it is given less.

    https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        allowed = limit.read_text().strip()
    except OSError:
        return machine
    return min(machine, int(allowed)) if allowed.isdecimal() else machine


@contextmanager
def embedded(data_dir: Path, tuning: Mapping[str, str] | None = None) -> Iterator[str]:
    """The DSN of the private database of `data_dir`, which runs while any process is inside.

    Made the first time. `tuning` overrides what TUNING and the memory say, for the process that
    starts it. Raises EmbeddedError.
    """
    server = postmaster.locate(data_dir)
    settings = {**TUNING, **for_memory(memory()), **(tuning or {})}
    with (server.home / "users.lock").open("w") as users:
        try:
            with _locked(server):
                fcntl.flock(users, fcntl.LOCK_SH)
                postmaster.start(server, settings)
            with _revived(server, settings):
                yield server.dsn
        finally:
            with _locked(server):
                if _is_last(users):
                    postmaster.stop(server)


@contextmanager
def _locked(server: Server) -> Iterator[None]:
    """Alone, among all processes, to start or stop the server."""
    with (server.home / "starting.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_last(users: IO[str]) -> bool:
    """Trade our share of the lock for the whole, which only the last user gets."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _revived(server: Server, settings: Mapping[str, str]) -> Iterator[None]:
    """Start the server again, from a thread, should it die under us (out of memory, kill -9)."""
    leaving = threading.Event()

    def watch() -> None:
        while not leaving.wait(1):
            if postmaster.pid(server) is None:
                log.error("the private PostgreSQL is gone; starting it again")
                try:
                    with _locked(server):
                        postmaster.start(server, settings)
                except EmbeddedError as error:
                    log.error("%s", error)

    thread = threading.Thread(target=watch, name="embedded-postgres", daemon=True)
    thread.start()
    try:
        yield
    finally:
        leaving.set()
        thread.join()
