"""VK and Viber, end to end: a deep link, an answer, a day later, operators, and each way in which it falls back."""

from bots.simulation.simulation import Simulator
from bots.viber.simulator.server import Server as Viber
from bots.vk.simulator.server import Server as Vk
from storage.people import sessions
from tests.support.client import PHONE, Player, until

VK = {"channel": "vk", "text": "Your order has been sent."}
VIBER = {"channel": "viber", "text": "Your order has been sent."}
SMS = {"channel": "sms", "text": "Order sent."}
DAY = 25


async def started(town: Player, channel: str) -> Simulator:
    """Anna has followed her deep link; the chat is hers."""
    contact = (await town.post("/api/v1/contacts", {"phone": PHONE}))[1]
    assert f"{channel}:demo" in contact["links"]
    simulator = town.town.simulators[channel]
    await simulator.start(simulator.user_of(PHONE), contact["startCode"])

    async def greeted() -> bool:
        """By the bot; a provider may have shown a welcome before."""
        return any(button.text == "Help" for bubble in town.answers(channel) for button in bubble.buttons)

    await until(greeted)
    return simulator


def vk(town: Player) -> Vk:
    simulator = town.town.simulators["vk"]
    assert isinstance(simulator, Vk)
    return simulator


def viber(town: Player) -> Viber:
    simulator = town.town.simulators["viber"]
    assert isinstance(simulator, Viber)
    return simulator


async def test_vk_inside_the_window_and_a_day_later_under_an_intent(town: Player) -> None:
    await started(town, "vk")
    story = await town.ended(await town.send(VK, SMS), "SENT")
    assert [(a["channel"], a["intent"]) for a in story["attempts"]] == [("vk", None)]
    town.pass_time(hours=DAY)
    story = await town.ended(await town.send(VK, SMS), "SENT")
    assert [(a["channel"], a["intent"]) for a in story["attempts"]] == [("vk", "purchase_update")]
    assert story["decisions"][0]["text"] == "vk: window closed 1 h ago -> free text as purchase_update"
    assert len(town.answers("sms")) == 0


async def test_vk_says_that_the_window_is_shut(town: Player) -> None:
    """We believe that it is open; the provider knows better, and the intent is tried at once."""
    simulator = await started(town, "vk")
    simulator.faults.fail(950)
    story = await town.ended(await town.send(VK, SMS), "SENT")
    assert [(a["status"], a["intent"]) for a in story["attempts"]] == [
        ("UNDELIVERED", None),
        ("SENT", "purchase_update"),
    ]


async def test_a_lost_answer_of_vk_is_asked_for_again_and_arrives_once(town: Player) -> None:
    simulator = await started(town, "vk")
    before = len(simulator.accepted)
    simulator.faults.lose_answers(2)
    await town.ended(await town.send(VK, SMS), "SENT")
    assert len(simulator.accepted) == before + 1
    assert len(town.answers("sms")) == 0


async def test_an_operators_own_reply_is_kept_and_not_answered(town: Player) -> None:
    await started(town, "vk")
    server, user = vk(town), vk(town).user_of(PHONE)
    answers = len(town.answers("vk"))
    await server.reply_as_operator(user, "This is Olga. I am looking into it.")
    await server.quiet()

    async def logged() -> object:
        return await town.town.runtime.db["messages"].find_one({"content.text": "This is Olga. I am looking into it."})

    line = await until(logged)
    assert isinstance(line, dict)
    assert (line["outbound"], line["session"]) == (True, f"vk:demo:{user}")
    await town.say("vk", "/help")
    assert len(town.answers("vk")) == answers + 2


async def test_who_denies_messages_gets_an_sms_and_who_allows_them_again_does_not(town: Player) -> None:
    await started(town, "vk")
    server, user = vk(town), vk(town).user_of(PHONE)
    await server.deny(user)
    await known(town, "vk", blocked=True)
    story = await town.ended(await town.send(VK, SMS), "DELIVERED")
    assert [(a["channel"], a["status"]) for a in story["attempts"]] == [("vk", "SKIPPED"), ("sms", "DELIVERED")]
    await server.allow(user)
    await known(town, "vk", blocked=False)
    await town.ended(await town.send(VK, SMS), "SENT")


async def test_viber_is_read_and_a_day_later_charged(town: Player) -> None:
    await started(town, "viber")
    story = await town.ended(await town.send(VIBER, SMS), "READ")
    assert story["decisions"][0]["text"] == "viber: free session open for 23 h -> free text"
    town.pass_time(hours=DAY)
    story = await town.ended(await town.send(VIBER, SMS), "READ")
    assert story["decisions"][0]["text"] == "viber: free session closed 1 h ago, charged -> free text"
    assert len(viber(town).charged) == 1


async def test_vibers_free_session_is_fixed_from_its_first_message(town: Player) -> None:
    await started(town, "viber")
    town.pass_time(hours=20)
    await town.say("viber", "/help")
    town.pass_time(hours=5)
    story = await town.ended(await town.send(VIBER, SMS), "READ")
    assert "free session closed 1 h ago" in story["decisions"][0]["text"]


async def test_opening_a_viber_chat_is_no_start_but_joins_it(town: Player) -> None:
    contact = (await town.post("/api/v1/contacts", {"phone": PHONE}))[1]
    server, user = viber(town), viber(town).user_of(PHONE)
    await server.open_chat(user, contact["startCode"])

    async def welcomed() -> object:
        return town.answers("viber")

    await until(welcomed)
    story = await town.ended(await town.send(VIBER, SMS), "DELIVERED")
    assert story["attempts"][0]["reason"] == "viber: the person has not started the bot"
    await town.say("viber", "hi")
    await town.ended(await town.send(VIBER, SMS), "READ")


async def test_who_unsubscribes_from_viber_gets_an_sms(town: Player) -> None:
    await started(town, "viber")
    await viber(town).unsubscribe(viber(town).user_of(PHONE))
    await known(town, "viber", blocked=True)
    story = await town.ended(await town.send(VK, VIBER, SMS), "DELIVERED")
    assert [(a["channel"], a["status"]) for a in story["attempts"]] == [
        ("vk", "SKIPPED"),
        ("viber", "SKIPPED"),
        ("sms", "DELIVERED"),
    ]


async def test_a_viber_phone_that_is_off_falls_back_when_patience_ends(town: Player) -> None:
    simulator = await started(town, "viber")
    simulator.phone(simulator.user_of(PHONE)).reachable = False
    key = await town.send(VIBER, SMS)
    await town.decided(key, "waiting up to 5 min for delivered")
    town.pass_time(hours=0.2)
    town.town.runtime.outbox_bell.set()
    story = await town.ended(key, "DELIVERED")
    assert [(a["channel"], a["status"]) for a in story["attempts"]] == [("viber", "SENT"), ("sms", "DELIVERED")]


async def known(town: Player, channel: str, *, blocked: bool) -> None:
    simulator = town.town.simulators[channel]
    key = f"{channel}:demo:{simulator.user_of(PHONE)}"

    async def there() -> bool:
        session = await sessions.get(town.town.runtime.db, key)
        return session is not None and (session.blocked_at is not None) is blocked

    await until(there)
