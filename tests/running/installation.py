"""`isp` as an operator meets it: processes, exit statuses, what is printed."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import DATA_DIR, free_port

LIMIT = 60
FORKS = multiprocessing.get_context("forkserver")
# Every command is a fork of one process that has imported them all: that takes a second.
FORKS.set_forkserver_preload(["app.cli"])


@dataclass(frozen=True, slots=True)
class Installation:
    """A data directory, and what else is set for whatever runs on it."""

    data_dir: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def isp(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """What a command did, in a process of its own."""
        with tempfile.TemporaryDirectory() as folder:
            streams = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
            streams[0].write_text(stdin)
            process = FORKS.Process(target=_run, args=(arguments, self.environment(), streams))
            process.start()
            process.join(LIMIT)
            if process.exitcode is None:
                process.kill()
                raise TimeoutError(f"isp {' '.join(arguments)}")
            out, err = (stream.read_text() for stream in streams[1:])
            return subprocess.CompletedProcess(arguments, process.exitcode, out, err)

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
        """A server that is ready, and the lines it printed until then."""
        with subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--port", str(free_port()), *arguments],
            env=self.environment(),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line.rstrip("\n"))
                if line.startswith("Ready: "):
                    break
            try:
                yield process, lines
            finally:
                process.terminate()

    def environment(self) -> dict[str, str]:
        """That of a server or a command; all of them share what was compiled, beside the tree."""
        compiled = str(Path(os.environ[DATA_DIR]) / "compiled")
        mine = {n: value for n, value in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
        here = {"ISP_DATA_DIR": str(self.data_dir), "PYTHONPYCACHEPREFIX": compiled}
        return mine | here | dict(self.variables)


def _run(arguments: tuple[str, ...], environment: dict[str, str], streams: list[Path]) -> None:
    from app.cli import main

    os.environ.clear()
    os.environ.update(environment)
    sys.stdin = streams[0].open()
    for number, stream in enumerate(streams[1:], 1):
        os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT), number)
    main(arguments, prog_name="isp")
