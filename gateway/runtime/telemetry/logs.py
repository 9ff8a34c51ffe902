"""Logging: one line for each event, readable at a terminal and JSON elsewhere.

Everybody logs by the standard library's loggers; structlog gives all lines one form, those of libraries among them.
A line carries what its task is bound to (`message_id`, `event_id`, `request_id`), so that a message can be followed
through all processes. A Secret never shows what it holds, whatever is done with it.
"""

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import msgspec
import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter

from gateway.runtime.settings.accounts import SettingsError

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
FORMS = ("console", "json")
ROOMS = ("gateway", "webhooks", "storage", "bots")
"""Our own loggers, which alone log at DEBUG."""


def setup(level: str = "INFO", form: str | None = None) -> None:
    """Log from this level on, in this form, one of FORMS. The default is JSON, or the console's at a terminal."""
    form = form or ("console" if sys.stderr.isatty() else "json")
    handler = logging.StreamHandler()
    handler.setFormatter(_formatter(form))
    # They would be looked up for each line, and are not shown. The process stays: hypercorn's own lines name it.
    logging.logThreads = logging.logMultiprocessing = False
    # At DEBUG, libraries print what goes over the wire: API keys, hashes of passwords, texts.
    logging.basicConfig(level=max(logging.INFO, logging.getLevelName(level)), handlers=[handler], force=True)
    for room in ROOMS:
        logging.getLogger(room).setLevel(level)


def from_environment(default: str = "INFO", environ: Mapping[str, str] = os.environ) -> None:
    """Set logging up by GATEWAY_LOG_LEVEL (or the `default` level) and GATEWAY_LOG_FORMAT. Raises SettingsError."""
    level, form = environ.get("GATEWAY_LOG_LEVEL") or default, environ.get("GATEWAY_LOG_FORMAT") or None
    problems = [f"GATEWAY_LOG_LEVEL: one of {', '.join(LEVELS)} is needed"] if level not in LEVELS else []
    problems += [f"GATEWAY_LOG_FORMAT: one of {', '.join(FORMS)} is needed"] if form not in {*FORMS, None} else []
    if problems:
        raise SettingsError(problems)
    setup(level, form)


def _formatter(form: str) -> ProcessorFormatter:
    timestamps = structlog.processors.TimeStamper(fmt="iso", utc=True)
    enriching: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        ExtraAdder(),
        timestamps,
    ]
    rendering: list[Any] = [ProcessorFormatter.remove_processors_meta]
    if form == "json":
        rendering += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_to_json)]
    else:
        # Plain, since the pretty ones show the variables of every frame, and what was revealed is there as a text.
        plain = structlog.dev.plain_traceback
        rendering += [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    return ProcessorFormatter(foreign_pre_chain=enriching, processors=rendering)


def _to_json(line: MutableMapping[str, Any], **_: Any) -> str:
    """Encode a line; values without a form in JSON stand there by their repr, so a Secret does not show."""
    return msgspec.json.encode(line, enc_hook=repr).decode()
