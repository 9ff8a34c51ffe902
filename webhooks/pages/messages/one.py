"""The page of one message, put together: its picture, its story, its facts, and what may be done with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from quart import render_template
from quart.typing import ResponseReturnValue

from gateway.domain.api.response import AttemptView
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Contact
from gateway.messages.accepting.cancel import cancel_notification
from gateway.messages.archive.replay import describe_doubt, has_ended
from gateway.messages.delivery.repeats import successor_of
from gateway.messages.jobs.reasons import added
from storage.messages import links, notifications, traces
from storage.people import contacts, sessions
from webhooks.api.messages.links import link_view
from webhooks.api.messages.story import story
from webhooks.http.answers import Refusal
from webhooks.http.context import runtime
from webhooks.pages.messages.cascade import drawn
from webhooks.pages.messages.says import says
from webhooks.pages.messages.timeline import timeline
from webhooks.pages.words import gettext


@dataclass(frozen=True)
class Cancelling:
    """What cancelling would do. left: steps that have not left, of all; none: nothing has left yet."""

    left: int
    steps: int

    @property
    def none(self) -> bool:
        """Return whether nothing has left yet."""
        return self.left == self.steps


async def shown(key: str, wrong: str = "", status: int = 200) -> ResponseReturnValue:
    """Show a message, with what is wrong with an act. Raises Refusal (404)."""
    db = runtime().db
    message = await notifications.get(db, key)
    if message is None:
        raise Refusal(404, gettext("There is no such message."))
    short_links = [link_view(link) for link in await links.of_message(db, key)]
    told = story(message, await traces.of_notification(db, key), short_links)
    contact = await contacts.get(db, message.recipient.contact) if message.recipient.contact else None
    page = await render_template(
        "message.html",
        story=told,
        picture=drawn(told.attempts),
        entries=timeline(told),
        cancelling=_cancelling(message),
        may_repeat=has_ended(message),
        doubt=describe_doubt(message),
        repetition=await _repetition(message),
        person=await _person(message, contact),
        said=await says(message),
        prices=_prices(told.attempts),
        parts=sum(attempt.part_count for attempt in told.attempts if attempt.sent_at),
        wrong=wrong,
    )
    return page, status


def _cancelling(message: Notification) -> Cancelling | None:
    """Return what cancelling would do now; None where it would do nothing."""
    if cancel_notification(message, runtime().clock()) == message:
        return None
    gone = {attempt.step for attempt in message.attempts if attempt.parts or attempt.sent_at or attempt.unsure_from}
    return Cancelling(len(message.steps) - len(gone), len(message.steps))


async def _person(message: Notification, contact: Contact | None) -> str:
    """Return what the recipient is called, where that is known."""
    session = await sessions.get(runtime().db, message.recipient.session) if message.recipient.session else None
    if session and session.contact and contact is None:
        contact = await contacts.get(runtime().db, session.contact)
    return (contact and contact.name) or (session and session.name) or ""


async def _repetition(message: Notification) -> str | None:
    new = successor_of(message)
    return new if await notifications.version(runtime().db, new) is not None else None


def _prices(attempts: Sequence[AttemptView]) -> list[str]:
    """Return what was spent, in each currency."""
    spent = added({attempt.price.currency: attempt.price.amount} for attempt in attempts if attempt.price)
    return [f"{amount} {currency}" for currency, amount in spent.items()]
