"""Logging: one line a message, in plain text or JSON. What is logged never holds personal data."""

import json
import logging
import logging.config
from datetime import UTC, datetime

from app.settings import Settings

QUIET = ("uvicorn", "httpx", "httpcore", "alembic")
"""Loggers of libraries that would write request lines, or chatter, at level info."""


class JSONLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message and, after an exception, its trace."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure(settings: Settings) -> None:
    """Send every message to standard error as the settings say."""
    plain = {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}
    formatter = plain if settings.log_format == "plain" else {"()": JSONLines}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": formatter},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": settings.log_level.upper(), "handlers": ["stderr"]},
            "loggers": {name: {"level": "WARNING"} for name in QUIET},
        }
    )
