"""The service that is attacked."""

from tests.http.conftest import service

__all__ = ["service"]
