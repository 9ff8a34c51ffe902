"""Finds the button that a person has pressed, where the provider does not name its reply, or reports no presses."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from gateway.domain.channel.choices import choose
from gateway.domain.channel.contract import Channel
from gateway.domain.channel.replies import read_stand_in
from gateway.domain.commands.command import read_command
from gateway.domain.model.event import Inbound
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Button, Message
from gateway.runtime.runtime import Runtime
from storage.messages import chat_log, notifications, replies

LOOKED_BACK = 20
"""Lines of the chat log among which our last message is looked for."""

KEYBOARD_LOOKED_BACK = 200
"""Those among which the last message with buttons is looked for, where they stay on the screen."""


async def with_press(runtime: Runtime, channel: Channel, event: Inbound) -> Inbound:
    """Return the event with the reply of the button that was pressed, or that its text chooses; see Facts.presses."""
    if event.pressed is not None:
        return await _with_reply(runtime, event)
    if channel.facts.presses == "reported":
        return event
    return await _with_choice(runtime, event, numbered=channel.facts.presses == "numbered")


async def _with_reply(runtime: Runtime, event: Inbound) -> Inbound:
    """Return the event with the reply of the pressed button where an id of ours stands for it."""
    key = read_stand_in(event.pressed)
    reply = await replies.find(runtime.db, key) if key else None
    if reply is None:
        return event
    text = reply if event.content.text == event.pressed else event.content.text  # VK does not tell the button's text
    return replace(event, pressed=reply, content=replace(event.content, text=text))


async def _with_choice(runtime: Runtime, event: Inbound, *, numbered: bool) -> Inbound:
    """Return the event, pressed where its text chooses a button of our last message.

    Where buttons are numbered lines, a word that opts out is no choice: carriers obey it whatever we asked.
    """
    text = event.said.strip()
    if not text or (numbered and read_command(text).name == "stop"):
        return event
    reply = choose(await _last_buttons(runtime, event.address.key, numbered=numbered), text, numbered=numbered)
    return event if reply is None else replace(event, pressed=reply)


async def _last_buttons(runtime: Runtime, session: str, *, numbered: bool) -> Sequence[Button]:
    """Return the buttons that the person sees: those of our last message, or, where they are a keyboard, the last ones.

    Viber shows the last keyboard until another comes, whatever is said meanwhile. REST Bot API: Keyboards.
    """
    looked_back = LOOKED_BACK if numbered else KEYBOARD_LOOKED_BACK
    lines = await chat_log.of_session(runtime.db, session, None, runtime.clock(), looked_back)
    outbound = [line for line in lines if line.outbound][: 1 if numbered else None]
    for start in range(0, len(outbound), LOOKED_BACK):
        part = outbound[start : start + LOOKED_BACK]
        known = await notifications.several(runtime.db, [line.notification for line in part if line.notification])
        if buttons := next(filter(None, (_buttons(line, known) for line in part)), None):
            return buttons
    return ()


def _buttons(line: Message, known: Mapping[str, Notification]) -> Sequence[Button]:
    """Return the buttons of the message that a line is of: a line may be one of several pieces, which has none."""
    notification = known.get(line.notification or "")
    if notification and line.attempt < len(notification.attempts):
        content = notification.steps[notification.attempts[line.attempt].step].content
    else:
        content = line.content
    return content.buttons if content else ()
