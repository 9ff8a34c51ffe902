"""People who write to the bots at random moments, while messages are sent to them."""

import asyncio
from random import Random

from tests.siege.actors.callers import caller, place_orders, start_code
from tests.siege.auditing.books import Books, Question
from tests.siege.field.camp import Camp

BOTS = ("telegram", "vk", "viber", "whatsapp")
ANSWERS = {
    "/start": "! You will get our notifications here.",
    "/help": "/start - get",
    "Are you there?": "I did not understand that",
}
"""What people write, and what the bundled conversation's answer to it, and no order, says."""

REACHABLE = 0.9
"""The share of WhatsApp's users whose phone is on."""


async def run_crowd(camp: Camp, books: Books, stop: asyncio.Event, per_second: float) -> None:
    """Let new people come until `stop`, then wait for the last of them."""
    async with asyncio.TaskGroup() as people:
        number = 0
        while not stop.is_set():
            number += 1
            people.create_task(_run_person(camp, books, f"+7900{number:07}", Random(camp.random.random())))
            await asyncio.sleep(camp.random.expovariate(per_second))


async def _run_person(camp: Camp, books: Books, phone: str, random: Random) -> None:
    """Run one person, who writes to some of the bots while two orders are sent to them."""
    async with caller(camp) as http:
        code = await start_code(books, http, phone)
        chats = random.sample(BOTS, random.randint(1, 3))
        await asyncio.gather(
            *[_write_to_bot(camp, books, channel, phone, code, random) for channel in chats],
            place_orders(books, http, phone, random),
        )


async def _write_to_bot(camp: Camp, books: Books, channel: str, phone: str, code: str, random: Random) -> None:
    user = camp.simulators[channel].user_of(phone)
    camp.simulators[channel].phone(user).reachable = channel != "whatsapp" or random.random() < REACHABLE
    await write(camp, books, channel, user, "/start", f"/start {code}")
    for text in random.sample(list(ANSWERS), k=random.randint(1, 3)):  # the same thrice is not answered thrice
        await asyncio.sleep(random.uniform(0.1, 3))
        await write(camp, books, channel, user, text)


async def write(camp: Camp, books: Books, channel: str, user: str, text: str, typed: str = "") -> Question:
    """Write a text to the bot as this person, `typed` in its place if given, and note it in the books."""
    simulator = camp.simulators[channel]
    await simulator.say(user, typed or text)
    question = Question(channel, user, text, simulator.deliveries[-1])
    books.questions.append(question)
    return question
