"""Spans for OpenTelemetry, where it is installed and configured; else nothing, at no cost.

Only the API is used, as a library should: `opentelemetry-instrument gateway serve` brings the rest by the usual OTEL_*
variables, and spans of aiohttp and of the driver beside ours (OpenTelemetry Python: Zero-code instrumentation).
"""

from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

_OFF: AbstractContextManager[Any] = nullcontext()


class Spans:
    """Opens spans by `api`, the module opentelemetry.trace; None where it is not installed."""

    def __init__(self, api: Any) -> None:
        self._api = api

    def open(self, name: str, **attributes: str) -> AbstractContextManager[Any]:
        """Return a context whose duration is reported as a span of this name; attributes stand under `gateway.`."""
        provider = self._api and self._api.get_tracer_provider()
        if provider is None or isinstance(provider, self._api.ProxyTracerProvider):  # installed but not configured
            return _OFF
        prefixed = {f"gateway.{key}": value for key, value in attributes.items()}
        context: AbstractContextManager[Any] = provider.get_tracer("gateway").start_as_current_span(
            name, attributes=prefixed
        )
        return context


def _load_api() -> Any:
    try:
        return import_module("opentelemetry.trace")
    except ImportError:
        return None


span = Spans(_load_api()).open
