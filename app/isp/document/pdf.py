"""The page on paper: PDF, made by a process apart, a few at a time."""

import asyncio
import logging
import os
import sys
from pathlib import Path

from app.fhir.errors import Timeout, Unavailable

logger = logging.getLogger("isp")
PRINTER = Path(__file__).with_name("printer.py")
AT_ONCE, WAITING, SECONDS = 2, 16, 60
"""Prints at the same time and in the queue, of each process of the server; how long one takes."""

_PLACES = asyncio.Semaphore(AT_ONCE)
_QUEUE = asyncio.Semaphore(AT_ONCE + WAITING)


async def pdf(page: str) -> bytes:
    """The PDF of an HTML page.

    Raises Unavailable where too many wait already, Timeout where it takes too long.
    """
    if _QUEUE.locked():
        raise Unavailable("Too many plans are being printed; try again.", headers=_LATER)
    async with _QUEUE, _PLACES:
        return await _print(page)


_LATER = {"Retry-After": "10"}


async def _print(page: str) -> bytes:
    """With nothing of our environment: the printer needs no secret of ours."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(PRINTER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(page.encode()), SECONDS)
    except TimeoutError:
        raise Timeout("Printing this plan took too long; read it as text/html.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or not out.startswith(b"%PDF"):
        logger.error("the printer ended with %s", process.returncode)
        raise Unavailable("The plan cannot be printed just now; read it as text/html.")
    return out
