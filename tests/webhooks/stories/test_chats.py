"""VK and Viber, end to end: a deep link, an answer, a day later, operators, and each fallback."""

from bots.simulation.simulation import Simulator
from bots.viber.simulator.server import Server as Viber
from bots.vk.simulator.server import Server as Vk
from storage.people import sessions
from tests.support.client import PHONE, ApiClient, until

VK = {"channel": "vk", "text": "Your order has been sent."}
VIBER = {"channel": "viber", "text": "Your order has been sent."}
SMS = {"channel": "sms", "text": "Order sent."}
DAY = 25


async def start(demo: ApiClient, channel: str) -> Simulator:
    """Let Anna follow her deep link, and wait for the bot's greeting. Returns the channel's stand-in."""
    contact = (await demo.post("/api/v1/contacts", {"phone": PHONE}))[1]
    assert f"{channel}:demo" in contact["links"]
    simulator = demo.environment.simulators[channel]
    await simulator.start(simulator.user_of(PHONE), contact["startCode"])

    async def is_greeted() -> bool:
        """Look for the bot's greeting; a provider may have shown a welcome of its own before."""
        return any(button.text == "Help" for bubble in demo.answers(channel) for button in bubble.buttons)

    await until(is_greeted)
    return simulator


def vk(demo: ApiClient) -> Vk:
    simulator = demo.environment.simulators["vk"]
    assert isinstance(simulator, Vk)
    return simulator


def viber(demo: ApiClient) -> Viber:
    simulator = demo.environment.simulators["viber"]
    assert isinstance(simulator, Viber)
    return simulator


async def test_vk_inside_the_window_and_a_day_later_under_an_intent(demo: ApiClient) -> None:
    await start(demo, "vk")
    story = await demo.wait_for(await demo.send(VK, SMS), "SENT")
    assert [(a["channel"], a["intent"]) for a in story["attempts"]] == [("vk", None)]
    demo.pass_time(hours=DAY)
    story = await demo.wait_for(await demo.send(VK, SMS), "SENT")
    assert [(a["channel"], a["intent"]) for a in story["attempts"]] == [("vk", "purchase_update")]
    assert story["decisions"][0]["text"] == "vk: window closed 1 h ago -> free text as purchase_update"
    assert len(demo.answers("sms")) == 0


async def test_vk_says_that_the_window_is_shut(demo: ApiClient) -> None:
    """We believe that it is open; the provider knows better, and the intent is tried at once."""
    simulator = await start(demo, "vk")
    simulator.faults.fail(950)
    story = await demo.wait_for(await demo.send(VK, SMS), "SENT")
    assert [(a["status"], a["intent"]) for a in story["attempts"]] == [
        ("UNDELIVERED", None),
        ("SENT", "purchase_update"),
    ]


async def test_a_lost_answer_of_vk_is_asked_for_again_and_arrives_once(demo: ApiClient) -> None:
    simulator = await start(demo, "vk")
    before = len(simulator.accepted)
    simulator.faults.lose_answers(2)
    await demo.wait_for(await demo.send(VK, SMS), "SENT")
    assert len(simulator.accepted) == before + 1
    assert len(demo.answers("sms")) == 0


async def test_an_operators_own_reply_is_kept_and_not_answered(demo: ApiClient) -> None:
    await start(demo, "vk")
    server, user = vk(demo), vk(demo).user_of(PHONE)
    answers = len(demo.answers("vk"))
    await server.reply_as_operator(user, "This is Olga. I am looking into it.")
    await server.quiet()

    async def logged_line() -> object:
        return await demo.environment.runtime.db["messages"].find_one(
            {"content.text": "This is Olga. I am looking into it."}
        )

    line = await until(logged_line)
    assert isinstance(line, dict)
    assert (line["outbound"], line["session"]) == (True, f"vk:demo:{user}")
    await demo.say("vk", "/help")
    assert len(demo.answers("vk")) == answers + 2


async def test_who_denies_messages_gets_an_sms_and_who_allows_them_again_does_not(demo: ApiClient) -> None:
    await start(demo, "vk")
    server, user = vk(demo), vk(demo).user_of(PHONE)
    await server.deny(user)
    await until_session(demo, "vk", blocked=True)
    story = await demo.wait_for(await demo.send(VK, SMS), "DELIVERED")
    assert [(a["channel"], a["status"]) for a in story["attempts"]] == [("vk", "SKIPPED"), ("sms", "DELIVERED")]
    await server.allow(user)
    await until_session(demo, "vk", blocked=False)
    await demo.wait_for(await demo.send(VK, SMS), "SENT")


async def test_viber_is_read_and_a_day_later_charged(demo: ApiClient) -> None:
    await start(demo, "viber")
    story = await demo.wait_for(await demo.send(VIBER, SMS), "READ")
    assert story["decisions"][0]["text"] == "viber: free session open for 23 h -> free text"
    demo.pass_time(hours=DAY)
    story = await demo.wait_for(await demo.send(VIBER, SMS), "READ")
    assert story["decisions"][0]["text"] == "viber: free session closed 1 h ago, charged -> free text"
    assert len(viber(demo).charged) == 1


async def test_vibers_free_session_is_fixed_from_its_first_message(demo: ApiClient) -> None:
    await start(demo, "viber")
    demo.pass_time(hours=20)
    await demo.say("viber", "/help")
    demo.pass_time(hours=5)
    story = await demo.wait_for(await demo.send(VIBER, SMS), "READ")
    assert "free session closed 1 h ago" in story["decisions"][0]["text"]


async def test_opening_a_viber_chat_is_no_start_but_joins_it(demo: ApiClient) -> None:
    contact = (await demo.post("/api/v1/contacts", {"phone": PHONE}))[1]
    server, user = viber(demo), viber(demo).user_of(PHONE)
    await server.open_chat(user, contact["startCode"])

    async def welcome() -> object:
        return demo.answers("viber")

    await until(welcome)
    story = await demo.wait_for(await demo.send(VIBER, SMS), "DELIVERED")
    assert story["attempts"][0]["reason"] == "viber: the person has not started the bot"
    await demo.say("viber", "hi")
    await demo.wait_for(await demo.send(VIBER, SMS), "READ")


async def test_who_unsubscribes_from_viber_gets_an_sms(demo: ApiClient) -> None:
    await start(demo, "viber")
    await viber(demo).unsubscribe(viber(demo).user_of(PHONE))
    await until_session(demo, "viber", blocked=True)
    story = await demo.wait_for(await demo.send(VK, VIBER, SMS), "DELIVERED")
    assert [(a["channel"], a["status"]) for a in story["attempts"]] == [
        ("vk", "SKIPPED"),
        ("viber", "SKIPPED"),
        ("sms", "DELIVERED"),
    ]


async def test_a_viber_phone_that_is_off_falls_back_when_patience_ends(demo: ApiClient) -> None:
    simulator = await start(demo, "viber")
    simulator.phone(simulator.user_of(PHONE)).reachable = False
    key = await demo.send(VIBER, SMS)
    await demo.wait_for_decision(key, "waiting up to 5 min for delivered")
    demo.pass_time(hours=0.2)
    demo.environment.runtime.outbox_bell.set()
    story = await demo.wait_for(key, "DELIVERED")
    assert [(a["channel"], a["status"]) for a in story["attempts"]] == [("viber", "SENT"), ("sms", "DELIVERED")]


async def until_session(demo: ApiClient, channel: str, *, blocked: bool) -> None:
    """Wait until Anna's session on this channel is, or is not, blocked."""
    simulator = demo.environment.simulators[channel]
    key = f"{channel}:demo:{simulator.known_as(simulator.user_of(PHONE))}"

    async def matches() -> bool:
        session = await sessions.get(demo.environment.runtime.db, key)
        return session is not None and (session.blocked_at is not None) is blocked

    await until(matches)
