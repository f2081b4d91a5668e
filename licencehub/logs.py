"""Log lines on standard error: one JSON object a line, or text for people. No holder data gets into a log record."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

from core.config.sections import Log

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""Attributes every record has; what is beyond them was given as ``extra``."""


class JsonLines(logging.Formatter):
    """A record as one line of JSON; line breaks and control characters are escaped by the encoding."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _OWN},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class TextLines(logging.Formatter):
    """A record for people; a line break in a message cannot begin a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        line = f"{datetime.fromtimestamp(record.created, UTC):%H:%M:%S} {record.levelname:7} {record.name}: {record.message}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def configure_logging(section: Log) -> None:
    """Sends everything to standard error in the configured form; libraries speak only when something is wrong."""
    out = logging.StreamHandler(sys.stderr)
    json_lines = section.format == "json"
    out.setFormatter(JsonLines() if json_lines else TextLines())
    logging.basicConfig(level=section.level.upper(), handlers=[out], force=True)
    for name in (
        "pika",
        "apscheduler",
        "httpx",
        "httpcore",
        "uvicorn",
        "sqlalchemy",
        "alembic",
        "PIL",
        "asyncio",
    ):
        logging.getLogger(name).setLevel(logging.WARNING)
