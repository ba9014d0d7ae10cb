"""Faults: one place where they become responses, and where nothing internal gets out."""

import logging

from asyncpg import QueryCanceledError

from app.fhir.errors import FHIRError, Timeout, Unavailable
from app.storage.database import DatabaseAway

logger = logging.getLogger("isp")
RETRY_AFTER = "5"


class Internal(FHIRError):
    """A fault of ours: the caller learns the request id and nothing else."""

    status, code = 500, "exception"


def translated(error: Exception, request_id: str) -> FHIRError:
    """What the caller is told about an error; an unknown one is logged under the request id."""
    if isinstance(error, FHIRError):
        return error
    if isinstance(error, DatabaseAway):
        return Unavailable(
            "The database cannot be reached just now; try again.",
            headers={"Retry-After": RETRY_AFTER},
        )
    if isinstance(error, QueryCanceledError):
        return Timeout("This took too long and was stopped; ask for less at once.")
    logger.error("request %s failed", request_id, exc_info=_without_values(error))
    return Internal(f"The server failed; report request {request_id} to its operator.")


def _without_values(error: Exception) -> Exception:
    """The same traceback without the message, which may quote a person's data."""
    bare = RuntimeError(type(error).__name__)
    return bare.with_traceback(error.__traceback__)
