"""The actions behind the page's buttons: the person writes, the business sends, time passes, a provider fails."""

from datetime import timedelta
from typing import Annotated, TypeVar

from msgspec import Meta
from quart import Blueprint
from quart.typing import ResponseReturnValue

from gateway.domain.api.request import Input, read
from storage.access import users
from webhooks.demo.picture import CONTENT_TYPE, NAME, picture
from webhooks.demo.state import OPERATOR, current_state
from webhooks.http.answers import Refusal
from webhooks.http.context import body

blueprint = Blueprint("actions", __name__)
DONE = "", 204
T = TypeVar("T")


class PhoneInput(Input):
    """The phone that an action is about, by its channel."""

    channel: str


class SayInput(PhoneInput):
    """What the person writes."""

    text: Annotated[str, Meta(min_length=1, max_length=4096)]


class PressInput(PhoneInput):
    """The button that the person presses, and the id of its bubble."""

    bubble: str
    button: str


class SwitchInput(PhoneInput):
    """Whether the phone is on."""

    reachable: bool


class FaultInput(PhoneInput):
    """`code` is the provider's error for its next answer; without one, that answer is lost on the way."""

    code: str | None = None


class JudgeInput(PhoneInput):
    """The provider's word on a pending template, which is named as name/language."""

    template: str
    approve: bool


class SendInput(Input):
    """The notification to send: its text, the values of its variables, and the channels in their order."""

    text: str
    values: dict[str, str]
    channels: list[str]


class ClockInput(Input):
    """The hours by which the clock moves ahead."""

    hours: Annotated[int, Meta(ge=1, le=24 * 7)]


async def _read(kind: type[T]) -> T:
    """Read the request's body as this type. Raises RequestError."""
    return read(kind, await body())


@blueprint.post("/start")
async def start() -> ResponseReturnValue:
    """Let the person start the bot, by the start link where the messenger has such links."""
    action, state = await _read(PhoneInput), current_state()
    phone = state.phone(action.channel)
    await state.simulator(action.channel).start(phone.user, state.code(action.channel))
    return DONE


@blueprint.post("/say")
async def say() -> ResponseReturnValue:
    """Let the person write a message."""
    action, state = await _read(SayInput), current_state()
    phone = state.phone(action.channel)
    await state.simulator(action.channel).say(phone.user, action.text)
    return DONE


@blueprint.post("/share")
async def share() -> ResponseReturnValue:
    """Let the person send a picture."""
    action, state = await _read(PhoneInput), current_state()
    phone = state.phone(action.channel)
    await state.simulator(action.channel).share_file(phone.user, picture(), NAME, CONTENT_TYPE)
    return DONE


@blueprint.post("/press")
async def press() -> ResponseReturnValue:
    """Let the person press a button."""
    action, state = await _read(PressInput), current_state()
    phone = state.phone(action.channel)
    buttons = {(bubble.id, button.text) for bubble in phone.screen for button in bubble.buttons}
    if (action.bubble, action.button) not in buttons:
        raise Refusal(404, "There is no such button on this phone.")
    await state.simulator(action.channel).press(phone.user, action.bubble, action.button)
    return DONE


@blueprint.post("/switch")
async def switch() -> ResponseReturnValue:
    """Switch a phone on or off."""
    action = await _read(SwitchInput)
    current_state().phone(action.channel).reachable = action.reachable
    return DONE


@blueprint.post("/trouble")
async def trouble() -> ResponseReturnValue:
    """Plan a fault of the provider."""
    action = await _read(FaultInput)
    simulator = current_state().simulator(action.channel)
    if action.code is None:
        simulator.faults.lose_answers()
    elif action.code in simulator.errors:
        simulator.faults.fail(action.code)
    else:
        raise Refusal(404, "This provider has no such error.", {"code": action.code})
    return DONE


@blueprint.post("/judge")
async def judge() -> ResponseReturnValue:
    """Let the provider approve or reject a template that was submitted to it."""
    action = await _read(JudgeInput)
    simulator = current_state().simulator(action.channel)
    if action.template not in simulator.pending_templates():
        raise Refusal(404, "No such template waits for this provider's word.")
    simulator.judge_template(action.template, approve=action.approve)
    return DONE


@blueprint.post("/send")
async def send() -> ResponseReturnValue:
    """Let the business send a notification."""
    action = await _read(SendInput)
    await current_state().client.send(action.text, action.values, action.channels)
    return DONE


@blueprint.post("/clock")
async def clock() -> ResponseReturnValue:
    """Move the clock of the gateway and the providers ahead; what is due by then is done at once.

    The demo's operator stays signed in: nobody has waited for so long.
    """
    action, runtime = await _read(ClockInput), current_state().environment.runtime
    by = timedelta(hours=action.hours)
    await users.postpone(runtime.db, OPERATOR, by)
    runtime.clock.ahead += by
    runtime.outbox_bell.set()
    return DONE
