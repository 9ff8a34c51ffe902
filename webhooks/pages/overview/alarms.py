"""What somebody should look at, the worst first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.domain.channel.contract import Binding, Channel
from gateway.messages.delivery.held import Backlog, backlog
from gateway.runtime.runtime import Runtime, account_key, all_channels
from storage.accounts.states import Hold
from webhooks.http.bindings import bindings_at_hand, expected_url
from webhooks.pages.words import duration, gettext, moment, ngettext, number

TOO_LONG = timedelta(minutes=1)
"""How long a message may wait that could go at once, before that is an alarm."""

ACCOUNTS, MESSAGES = "ui.accounts.show_list", "ui.messages.show_list"


@dataclass(frozen=True)
class Alarm:
    """What somebody should look at. why: what a provider has said, in its words. address: the page where."""

    text: str
    address: str
    why: str = ""


async def alarms(
    gateway: Runtime, alive: int, waiting: timedelta | None, held: Sequence[tuple[Hold, Backlog]]
) -> Sequence[Alarm]:
    """Return the alarms.

    alive: how many workers there are. waiting: how long the oldest message has been due. held: see `held_accounts`.
    """
    found = list[Alarm]()
    if not alive:
        found.append(Alarm(gettext("No worker is running: nothing is sent."), ACCOUNTS))
    found += [_held(hold, waits) for hold, waits in held]
    if waiting and waiting > TOO_LONG:
        text = gettext("The oldest message that could go has been waiting for %(time)s.") % {"time": duration(waiting)}
        found.append(Alarm(text, MESSAGES))
    channels = all_channels(gateway.channels)
    for channel, binding in zip(channels, await bindings_at_hand(channels), strict=True):
        found += _of_provider(channel, binding) if binding else ()
    return found


async def held_accounts(gateway: Runtime, now: datetime) -> Sequence[tuple[Hold, Backlog]]:
    """Return the holds of accounts that do not work, with what waits for each."""
    await gateway.gate.holds.refresh()
    holds = [hold for name in gateway.gate.limits if (hold := gateway.gate.holds.of(name, now)) and hold.probing]
    return [(hold, await backlog(gateway, hold)) for hold in holds]


def _held(hold: Hold, waits: Backlog) -> Alarm:
    text = gettext("%(account)s is held since %(at)s.") % {"account": hold.account, "at": moment(hold.since)}
    if waits.count:
        words = ngettext("%(count)s message waits.", "%(count)s messages wait.", waits.count)
        text = f"{text} {words % {'count': number(waits.count)}}"
    return Alarm(text, ACCOUNTS, hold.why)


def _of_provider(channel: Channel, binding: Binding) -> Iterator[Alarm]:
    """Yield what is wrong at an account's provider."""
    name = {"account": account_key(channel)}
    if binding.url == "":
        yield Alarm(gettext("The webhook of %(account)s is not set: nobody is heard there.") % name, ACCOUNTS)
    elif binding.url is not None and binding.url != expected_url(channel):
        yield Alarm(gettext("The webhook of %(account)s goes elsewhere: nobody is heard there.") % name, ACCOUNTS)
    if binding.quality == "RED":
        yield Alarm(gettext("The quality of %(account)s is low: its provider may limit it.") % name, ACCOUNTS)
