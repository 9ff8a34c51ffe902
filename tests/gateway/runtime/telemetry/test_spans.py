"""Tests spans: none without OpenTelemetry; with it, those of a message's life that an exporter gets."""

import contextlib

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gateway.runtime.telemetry.spans import Spans
from tests.support.client import ApiClient


async def test_an_exporter_hears_of_a_message(demo: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    await demo.say("whatsapp", "/start")
    key = await demo.send({"channel": "whatsapp", "text": "Hi"})
    await demo.wait_for(key, "READ")
    spans = {(span.name, *(span.attributes or {}).items()) for span in exporter.get_finished_spans()}
    assert ("notification", ("gateway.message_id", key)) in spans
    assert {("send", ("gateway.channel", "whatsapp")), ("webhook", ("gateway.channel", "whatsapp"))} <= spans
    assert any(name == "event" for name, *_ in spans)
    provider.shutdown()


@pytest.mark.parametrize("is_installed", [True, False])
def test_without_it_nothing_is_made(*, is_installed: bool) -> None:
    spans = Spans(trace if is_installed else None)
    assert spans.open("send", channel="sms") is spans.open("event")
    with contextlib.ExitStack() as stack:
        stack.enter_context(spans.open("send"))
