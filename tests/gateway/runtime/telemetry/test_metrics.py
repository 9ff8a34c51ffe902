"""Tests the metrics that Prometheus reads after a story, whose values depend on how the story went."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from gateway import worker
from gateway.domain.model.event import Inbound
from gateway.domain.model.nouns import Address, Content
from gateway.runtime.settings.settings import Settings
from gateway.runtime.settings.tuning import Tuning
from gateway.runtime.telemetry import metrics
from storage.engine.database import connect
from storage.engine.embedded import free_port
from storage.messages.inbox import Delivered, Inbox
from tests.support.client import PHONE, ApiClient, until
from tests.support.docs import RUNNING, rows
from tests.support.http.callback_receiver import opened_callback_receiver
from tests.support.processes.cli import opened_cli
from tests.support.processes.processes import Worker
from tests.support.workload import account, phones, send_all, send_one, wait_for_state

TEXT = {"text": "Hello"}
TEMPLATE = {"name": "order_update", "language": "en", "variables": {"name": "a", "order": "b"}}


class Meter:
    """The growth of each metric since the meter's creation."""

    def __init__(self) -> None:
        self._before = {(s.name, *sorted(s.labels.items())): s.value for m in REGISTRY.collect() for s in m.samples}

    def __call__(self, name: str, **labels: str) -> float:
        now = REGISTRY.get_sample_value(name, labels) or 0
        return now - self._before.get((name, *sorted(labels.items())), 0)


async def test_a_story_in_figures(demo: ApiClient) -> None:
    """The story is: /start in WhatsApp, an answer, a free message; a day later a template; without one the SMS."""
    meter, whatsapp = Meter(), {"channel": "whatsapp", **TEXT}
    await demo.say("whatsapp", "/start")
    await demo.wait_for(await demo.send(whatsapp), "READ")
    demo.pass_time(hours=25)
    await demo.wait_for(await demo.send({**whatsapp, "template": TEMPLATE}), "READ")
    await demo.wait_for(await demo.send(whatsapp, {"channel": "sms", **TEXT}), "DELIVERED")
    assert meter("gateway_messages_total", result="accepted") == 3
    assert meter("gateway_messages_status_total", status="READ") == 3
    assert meter("gateway_messages_status_total", status="DELIVERED") >= 1
    assert meter("gateway_messages_status_total", status="UNDELIVERED") == 0
    assert meter("gateway_window_closed_total", channel="whatsapp", instead="template") == 1
    assert meter("gateway_window_closed_total", channel="whatsapp", instead="next step") == 1
    labels = {"progress": "sending", "cause": ""}
    assert meter("gateway_attempts_total", channel="whatsapp", **labels) == 3
    assert meter("gateway_attempts_total", channel="sms", **labels) == 1
    assert meter("gateway_send_seconds_count", channel="whatsapp") == 3
    assert meter("gateway_events_total", channel="whatsapp", kind="inbound") == 1
    assert meter("gateway_webhook_ack_seconds_count", channel="whatsapp") >= 7
    assert meter("gateway_queue_age_seconds_count", queue="notifications") == 4


async def test_failures_and_holds_in_figures(demo: ApiClient) -> None:
    meter = Meter()
    demo.environment.simulators["sms"].faults.fail(21614)
    await demo.wait_for(await send_one(demo, {"channel": "sms", **TEXT}), "UNDELIVERED")
    assert meter("gateway_attempts_total", channel="sms", progress="failed", cause="refused") == 1
    assert meter("gateway_messages_status_total", status="UNDELIVERED") == 1
    assert meter("gateway_dead_letters_total", kind="messages") == 1
    demo.environment.simulators["sms"].faults.fail(20003)
    key = await send_one(demo, {"channel": "sms", **TEXT})
    await demo.wait_for_attempt(key, "sms", "PENDING", cause="misconfigured")
    await wait_for_state(demo, "sms:demo", "held")
    assert REGISTRY.get_sample_value("gateway_account_held", {"account": "sms:demo"}) == 1
    demo.pass_time(hours=0.1)
    await demo.wait_for(key, "DELIVERED")
    assert (await account(demo, "sms:demo"))["state"] == "open"
    assert REGISTRY.get_sample_value("gateway_account_held", {"account": "sms:demo"}) == 0


@pytest.mark.parametrize(("status", "result"), [(200, "delivered"), (500, "failed"), (410, "abandoned")])
async def test_callbacks_by_their_result(demo: ApiClient, status: int, result: str) -> None:
    meter = Meter()

    async def is_counted() -> bool:
        return meter("gateway_callbacks_total", result=result) == 1

    async with opened_callback_receiver() as receiver:
        receiver.answers.append(status)
        sms = {"channel": "sms", **TEXT}
        await send_all(demo, phones(1), sms, callbackUrl=receiver.url, callbackEvents="final")
        await until(is_counted)
    others = {"delivered", "failed", "abandoned"} - {result}
    assert [meter("gateway_callbacks_total", result=other) for other in others] == [0, 0]


async def test_an_event_that_nobody_can_work_on(demo: ApiClient) -> None:
    """The event is counted when it is given up, and not before."""
    meter, runtime = Meter(), demo.environment.runtime
    runtime.settings = replace(runtime.settings, tuning=Tuning(event_pauses=()))
    event = Inbound(Address("sms", "gone", PHONE), "e1", "m1", Content("Hi"), runtime.clock())
    for tries, dead in ((len(worker.LATER) - 1, 0), (len(worker.LATER), 1)):
        await worker.work_event(runtime, Delivered(event.dedupe_key, event, runtime.clock(), tries))
        assert meter("gateway_dead_letters_total", kind="events") == dead


async def test_a_worker_shows_its_own(tmp_path: Path, settings: Settings) -> None:
    """It serves them on this machine without a key, and only if the setting says so."""
    port = free_port()
    async with opened_cli(tmp_path, settings) as cli, aiohttp.ClientSession() as http:
        environ = {**cli.environment, "GATEWAY_ACCOUNTS": str(tmp_path / "accounts.toml")}
        program = Worker("worker", tmp_path, {**environ, "GATEWAY_METRICS_PORT": str(port)})
        await program.start()
        try:
            db = connect(str(settings.mongodb_uri), settings.database)
            event = Inbound(Address("sms", "main", PHONE), "e1", "m1", Content("/help"), datetime.now(UTC))
            await Inbox(db).add([event], event.at)
            db.client.close()

            async def worker_figures() -> dict[str, float] | None:
                async with http.get(f"http://127.0.0.1:{port}/metrics") as response:
                    page_figures = figures(await response.text())
                names = ("gateway_send_seconds_count sms", "gateway_events_total sms inbound")
                return page_figures if all(page_figures.get(name) for name in names) else None

            page_figures = await until(worker_figures)
        finally:
            await program.stop()
    assert page_figures["gateway_events_total sms inbound"] == 1
    assert page_figures["gateway_send_seconds_count sms"] == 1
    assert page_figures["gateway_queue_age_seconds_count inbox"] == 1
    assert page_figures["gateway_account_held sms:main"] == 0
    assert page_figures["process_resident_memory_bytes"] > 0


def figures(page: str) -> dict[str, float]:
    """Return each metric's value by its name and the values of its labels."""
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    return {" ".join((sample.name, *sample.labels.values())): sample.value for sample in samples}


async def test_what_is_refused_is_counted_and_strangers_make_no_labels(demo: ApiClient) -> None:
    meter = Meter()
    for path in ("telegram/demo", "marble/demo", "granite/demo"):
        async with demo.http.post(f"/webhooks/{path}", data=b"{}") as response:
            assert response.status in {401, 404}
    await demo.post("/api/v1/messages", {"messages": [{"destinations": [{"phone": PHONE}], "channels": []}]})
    assert meter("gateway_webhooks_refused_total", channel="telegram", status="401") == 1
    assert meter("gateway_webhooks_refused_total", channel="", status="404") == 2
    assert meter("gateway_messages_total", result="refused") == 1


async def test_the_page_wants_a_key_and_is_prometheus_own_form(demo: ApiClient) -> None:
    async with demo.http.get("/metrics") as response:
        assert response.status == 200
        families = {family.name for family in text_string_to_metric_families(await response.text())}
    assert families >= {"gateway_webhook_ack_seconds", "gateway_messages", "gateway_account_held", "python_info"}
    async with aiohttp.ClientSession() as stranger, stranger.get(f"{demo.environment.url}/metrics") as response:
        assert response.status == 401


def own_metrics() -> list[Any]:
    return [metric for name, metric in vars(metrics).items() if name.isupper() and hasattr(metric, "describe")]


@pytest.mark.parametrize("metric", own_metrics(), ids=lambda metric: metric._name)
def test_readme_names_every_metric_with_its_labels(metric: Any) -> None:
    (family,) = metric.describe()
    documented = {row[0].strip("`"): row[1] for row in rows(RUNNING, "What it measures")}
    name = family.name + ("_total" if family.type == "counter" else "")
    labels = documented[name].replace("`", "").replace(" ", "").split(",")
    assert list(filter(None, labels)) == list(metric._labelnames)
