"""What each provider error leads to: its code, as the provider sends it, and the move that the rule decides on then."""

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from gateway.domain.cascade.evidence import Outcome
from gateway.domain.cascade.moves import Abandon, Context, Move, Reachability, Send, Wait
from gateway.domain.cascade.rule import next_move
from gateway.domain.channel.contract import Channel
from gateway.domain.channel.errors import SendError, Throttled
from gateway.domain.channel.facts import Facts
from gateway.domain.model.attempt import HOLD
from gateway.domain.model.nouns import Cause, Content, Progress
from gateway.people.sessions import after_closing
from tests.gateway.domain.cascade.cases import ADDRESS, IDLE, NOW, OPEN, SMS, TEXT, make_attempt, make_notification
from tests.support.client import PHONE, ApiClient

HELD = "our account is held"
NEXT = "the next channel"
INTENT = "once more, under an intent"
SECONDS, MINUTES, HOURS = "again in seconds", "again in minutes", "the next channel, rather than wait for hours"

MOVES = {
    "vk": {
        SECONDS: [1, 6, 10, 22, 36],
        MINUTES: [9],
        HOURS: [29],
        HELD: [2, 3, 5, 7, 14, 17, 27, 28, 42, 203, 984, 1117, 2000],
        NEXT: [
            *(8, 15, 18, 100, 105, 113, 129, 900, 901, 902, 910, 911, 912, 913, 914, 917, 922, 924, 927, 932, 935, 936),
            *(940, 945, 946, 1012, 1021, 3610),
        ],
        INTENT: [943, 944, 950],
    },
    "viber": {
        SECONDS: [12, 99],
        HELD: [1, 2, 7, 8, 9, 10, 15, 18, 19, 20],
        NEXT: [3, 4, 5, 6, 11, 13, 14, 16, 17],
    },
}

THROTTLED = {"vk": {6, 29}, "viber": {12}}
"""After these the whole account waits; after the other ones that are tried again, the message alone."""


@pytest.mark.parametrize("name", MOVES)
async def test_every_error_leads_to_its_move(demo: ApiClient, name: str) -> None:
    await demo.say(name, "/start")
    channel = demo.environment.runtime.channel(name)
    assert channel
    codes_by_move: dict[str, list[int]] = {}
    throttled = set()
    for code in sorted(code for codes in MOVES[name].values() for code in codes):
        error = await refusal(demo, channel, code)
        codes_by_move.setdefault(words(move_after(error, channel.facts)), []).append(code)
        throttled |= {code} if isinstance(error, Throttled) else set()
    assert throttled == THROTTLED[name]
    assert codes_by_move == {words: sorted(codes) for words, codes in MOVES[name].items()}


@pytest.mark.parametrize("name", MOVES)
def test_every_error_that_a_stand_in_knows_has_its_row(name: str, demo: ApiClient) -> None:
    rows = {str(code) for codes in MOVES[name].values() for code in codes}
    assert set(demo.environment.simulators[name].errors) - rows == set()


async def refusal(demo: ApiClient, channel: Channel, code: int) -> SendError:
    """Provoke an error and return it. It is answered twice, because some errors are retried at once in another form."""
    simulator = demo.environment.simulators[channel.facts.name]
    simulator.faults.fail(code, times=2)
    user = simulator.user_of(PHONE)
    with pytest.raises(SendError) as error:
        await channel.send(structs.replace(ADDRESS, user=user), Content("Hello"), key=f"k{code}")
    simulator.faults.planned.clear()
    return error.value


def move_after(error: SendError, facts: Facts) -> Move:
    """Return the move after this error, for a free text to someone who has just written; an SMS is the fallback."""
    reach = Reachability(facts, ADDRESS, session=OPEN)
    if error.cause is Cause.STOPPED:
        reach = replace(reach, session=structs.replace(OPEN, blocked_at=NOW))
    elif error.cause is Cause.WINDOW_CLOSED:
        reach = replace(reach, session=after_closing(OPEN, ADDRESS, NOW))
    elif error.cause is Cause.MISCONFIGURED:
        reach = replace(reach, held_until=NOW + HOLD, held_why="see the log")
    attempt = Outcome(error=error).apply(make_attempt(Progress.SENDING, timedelta(0)), NOW)
    step = structs.replace(TEXT, intent=next(iter(facts.intents), ""))
    return next_move(make_notification(step, SMS, attempts=(attempt,)), Context(NOW, [reach, IDLE]))


def words(move: Move) -> str:
    match move:
        case Send(step=1):
            return NEXT
        case Send(step=0, intent=intent) if intent:
            return INTENT
        case Wait(until, why) if until == NOW + HOLD and "trying again" in why:
            return HELD
        case Wait(until):
            return SECONDS if until - NOW < timedelta(minutes=1) else MINUTES
        case Abandon():
            return HOURS
    raise AssertionError(move)
