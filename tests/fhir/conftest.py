"""The service, for what of the engine is tried in a running one."""

from tests.http.conftest import service

__all__ = ["service"]
