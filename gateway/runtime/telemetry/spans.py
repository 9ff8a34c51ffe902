"""Spans for OpenTelemetry, where it is installed and configured; else nothing, at no cost.

Only the API is used, as a library should: `opentelemetry-instrument gateway serve` brings the rest by the usual OTEL_*
variables, and spans of aiohttp and of the driver beside ours (OpenTelemetry Python: Zero-code instrumentation).
"""

from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

_OFF: AbstractContextManager[Any] = nullcontext()


def _api() -> Any:
    try:
        return import_module("opentelemetry.trace")
    except ImportError:
        return None


trace = _api()


def span(name: str, **attributes: str) -> AbstractContextManager[Any]:
    """What happens inside, told under this name; attributes stand under `gateway.`."""
    provider = trace and trace.get_tracer_provider()
    if provider is None or isinstance(provider, trace.ProxyTracerProvider):  # installed, but nobody has configured it
        return _OFF
    told = {f"gateway.{key}": value for key, value in attributes.items()}
    begun: AbstractContextManager[Any] = provider.get_tracer("gateway").start_as_current_span(name, attributes=told)
    return begun
