"""The main story, end to end over real HTTP: /start, an answer, a notification, and each fallback."""

import bots
from tests.support.client import PHONE, ApiClient

ORDER = {
    "channel": "whatsapp",
    "text": "Your order {{order}} has been sent.",
    "template": {"name": "order_update", "language": "en", "variables": {"name": "Anna", "order": "{{order}}"}},
}
SMS = {"channel": "sms", "text": "Order {{order}} has been sent."}


def order(**fields: object) -> dict[str, object]:
    return {"phone": PHONE, "variables": {"order": "A-17"}, **fields}


async def test_the_bot_answers_in_every_messenger(demo: ApiClient) -> None:
    for channel in bots.CHANNELS:
        answer = await demo.say(channel, "/start")
        assert answer.text.startswith("Hello"), channel


async def test_a_button_is_answered(demo: ApiClient) -> None:
    for channel in ("telegram", "vk", "viber", "whatsapp"):
        await demo.say(channel, "/start")
        answer = await demo.press(channel, "Help")
        assert "/stop" in answer.text, channel


async def test_free_text_while_the_window_is_open(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    key = await demo.send(ORDER, SMS, **order())
    story = await demo.wait_for(key, "DELIVERED", "READ")
    assert [(attempt["channel"], attempt["template"]) for attempt in story["attempts"]] == [("whatsapp", None)]
    assert demo.answers("whatsapp")[-1].text == "Your order A-17 has been sent."
    assert "free text" in story["decisions"][0]["text"]


async def test_a_day_later_the_approved_template(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    demo.pass_time(hours=25)
    key = await demo.send(ORDER, SMS, **order())
    story = await demo.wait_for(key, "DELIVERED", "READ")
    assert story["attempts"][0]["template"] == "order_update/en"
    assert "window closed 1 h ago -> template order_update/en" in story["decisions"][0]["text"]
    assert demo.answers("whatsapp")[-1].text.startswith("Hello Anna")


async def test_whatsapp_fails_so_an_sms_goes_out(demo: ApiClient) -> None:
    simulator = demo.environment.simulators["whatsapp"]
    simulator.phone(simulator.user_of(PHONE)).reachable = False
    key = await demo.send(ORDER, SMS, **order())
    story = await demo.wait_for(key, "DELIVERED")
    assert [(a["channel"], a["status"]) for a in story["attempts"]] == [
        ("whatsapp", "UNDELIVERED"),
        ("sms", "DELIVERED"),
    ]
    assert "131026" in story["attempts"][0]["reason"]
    assert demo.answers("sms")[-1].text == "Order A-17 has been sent."
