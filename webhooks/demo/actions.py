"""What the page's buttons do: a person writes or presses, the business sends, time passes, things go wrong."""

from datetime import timedelta
from typing import Annotated, TypeVar

from msgspec import Meta
from quart import Blueprint
from quart.typing import ResponseReturnValue

from gateway.domain.api.request import Input, read
from webhooks.demo.state import state
from webhooks.http.answers import Refusal
from webhooks.http.context import body

blueprint = Blueprint("acts", __name__)
DONE = "", 204
T = TypeVar("T")


class OnPhone(Input):
    channel: str


class Said(OnPhone):
    text: Annotated[str, Meta(min_length=1, max_length=4096)]


class Pressed(OnPhone):
    bubble: str
    button: str


class Switched(OnPhone):
    reachable: bool


class Failing(OnPhone):
    """`code` is one of the provider's errors; without one, its next answer is lost on the way."""

    code: str | None = None


class Notified(Input):
    text: str
    values: dict[str, str]
    channels: list[str]


class Passed(Input):
    hours: Annotated[int, Meta(ge=1, le=24 * 7)]


async def _asked(kind: type[T]) -> T:
    return read(kind, await body())


@blueprint.post("/start")
async def start() -> ResponseReturnValue:
    asked, on = await _asked(OnPhone), state()
    phone = on.phone(asked.channel)
    await on.simulator(asked.channel).start(phone.user, on.code(asked.channel))
    return DONE


@blueprint.post("/say")
async def say() -> ResponseReturnValue:
    asked, on = await _asked(Said), state()
    phone = on.phone(asked.channel)
    await on.simulator(asked.channel).say(phone.user, asked.text)
    return DONE


@blueprint.post("/press")
async def press() -> ResponseReturnValue:
    asked, on = await _asked(Pressed), state()
    phone = on.phone(asked.channel)
    shown = {(bubble.id, button.text) for bubble in phone.screen for button in bubble.buttons}
    if (asked.bubble, asked.button) not in shown:
        raise Refusal(404, "There is no such button on this phone.")
    await on.simulator(asked.channel).press(phone.user, asked.bubble, asked.button)
    return DONE


@blueprint.post("/switch")
async def switch() -> ResponseReturnValue:
    asked = await _asked(Switched)
    state().phone(asked.channel).reachable = asked.reachable
    return DONE


@blueprint.post("/trouble")
async def trouble() -> ResponseReturnValue:
    asked = await _asked(Failing)
    simulator = state().simulator(asked.channel)
    if asked.code is None:
        simulator.faults.lose_answers()
    elif asked.code in simulator.errors:
        simulator.faults.fail(asked.code)
    else:
        raise Refusal(404, "This provider has no such error.", {"code": asked.code})
    return DONE


@blueprint.post("/send")
async def send() -> ResponseReturnValue:
    asked = await _asked(Notified)
    await state().client.send(asked.text, asked.values, asked.channels)
    return DONE


@blueprint.post("/clock")
async def clock() -> ResponseReturnValue:
    """Time passes for the gateway and for the providers alike; what has fallen due by then is done at once."""
    asked, runtime = await _asked(Passed), state().environment.runtime
    runtime.clock.ahead += timedelta(hours=asked.hours)
    runtime.outbox_bell.set()
    return DONE
