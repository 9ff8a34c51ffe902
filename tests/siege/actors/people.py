"""People who write to the bots at moments of their own, while they are being told things."""

import asyncio
from random import Random

from tests.siege.actors.callers import buy, caller, joined
from tests.siege.auditing.books import Books, Question
from tests.siege.field.camp import Camp

BOTS = ("telegram", "vk", "viber", "whatsapp")
ANSWERS = {"/start": "Hello", "/help": "/start - get", "Are you there?": "I did not understand that"}
"""What people write, and how the bundled conversation's answer begins."""

REACHABLE = 0.9
"""How many of those who use WhatsApp have a phone that is on."""


async def crowd(camp: Camp, books: Books, stop: asyncio.Event, per_second: float) -> None:
    """New people keep coming until `stop`; then the last of them finish."""
    async with asyncio.TaskGroup() as people:
        number = 0
        while not stop.is_set():
            number += 1
            people.create_task(_live(camp, books, f"+7900{number:07}", Random(camp.random.random())))
            await asyncio.sleep(camp.random.expovariate(per_second))


async def _live(camp: Camp, books: Books, phone: str, random: Random) -> None:
    """One person writes to some of the bots, while two orders are on their way to them."""
    async with caller(camp) as http:
        code = await joined(books, http, phone)
        chats = random.sample(BOTS, random.randint(1, 3))
        await asyncio.gather(
            *[_talk(camp, books, channel, phone, code, random) for channel in chats],
            buy(books, http, phone, random),
        )


async def _talk(camp: Camp, books: Books, channel: str, phone: str, code: str, random: Random) -> None:
    user = camp.simulators[channel].user_of(phone)
    camp.simulators[channel].phone(user).reachable = channel != "whatsapp" or random.random() < REACHABLE
    await ask(camp, books, channel, user, "/start", f"/start {code}")
    for text in random.choices(list(ANSWERS), k=random.randint(1, 3)):
        await asyncio.sleep(random.uniform(0.1, 3))
        await ask(camp, books, channel, user, text)


async def ask(camp: Camp, books: Books, channel: str, user: str, text: str, typed: str = "") -> Question:
    """A person writes this, with more behind it, perhaps; it stands in the books from then on."""
    simulator = camp.simulators[channel]
    await simulator.say(user, typed or text)
    question = Question(channel, user, text, simulator.deliveries[-1])
    books.questions.append(question)
    return question
