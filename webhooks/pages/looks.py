"""How the pages name and colour channels and statuses. Each has one word wherever it is shown."""

from typing import NamedTuple

from gateway.domain.api.roles import Role
from gateway.runtime.runtime import all_channels
from webhooks.http.context import runtime
from webhooks.pages.words import gettext, pgettext


class Look(NamedTuple):
    """The word for people, the tone in the style sheet (good, bad, wait, on or off), and the icon's name."""

    word: str
    tone: str
    icon: str


def channel_title(name: str | None) -> str:
    """Return a channel's name for people."""
    accounts = runtime().channels.get(name or "", {})
    return next((channel.facts.title for channel in accounts.values()), "") or (name or "").title()


def colours() -> str:
    """Return the style sheet with the colour of each channel."""
    facts = {channel.facts.name: channel.facts for channel in all_channels(runtime().channels)}
    return "".join(f'[data-channel="{name}"] {{ --channel: {each.colour}; }}\n' for name, each in sorted(facts.items()))


def message_status(status: str) -> Look:
    """Return how a message's status is shown."""
    return {
        "NEW": Look(pgettext("message", "New"), "on", "clock"),
        "SCHEDULED": Look(pgettext("message", "Scheduled"), "on", "clock"),
        "DELAYED": Look(pgettext("message", "Delayed"), "wait", "moon"),
        "PENDING": Look(pgettext("message", "Pending"), "on", "send"),
        "CANCELLED": Look(pgettext("message", "Cancelled"), "off", "ban"),
        "SENT": Look(pgettext("message", "Sent"), "on", "check"),
        "UNDELIVERED": Look(pgettext("message", "Undelivered"), "bad", "circle-alert"),
        "EXPIRED": Look(pgettext("message", "Expired"), "bad", "timer-off"),
        "ERROR": Look(pgettext("message", "Error"), "bad", "circle-alert"),
        "DELIVERED": Look(pgettext("message", "Delivered"), "good", "check-check"),
        "READ": Look(pgettext("message", "Read"), "good", "eye"),
    }[status]


def step_status(status: str) -> Look:
    """Return how the status of one step is shown."""
    if status == "SKIPPED":
        return Look(pgettext("message", "Skipped"), "off", "chevron-right")
    if status == "UNKNOWN":
        return Look(pgettext("message", "may have been sent"), "wait", "circle-help")
    return message_status(status)


def priority(name: str) -> str:
    """Return the word of a priority."""
    return {
        "reply": gettext("an answer"),
        "urgent": gettext("urgent"),
        "normal": gettext("normal"),
        "bulk": gettext("bulk"),
    }[name]


def role_word(role: Role | None) -> str:
    """Return the word for what a user may do."""
    return {
        Role.ADMIN: gettext("administrator"),
        Role.OPERATOR: gettext("operator"),
        Role.SENDER: gettext("sender"),
        None: "",
    }[role]


def template_state(state: str) -> Look:
    """Return how the state of a provider's template is shown. A word of the provider's own stays as it is."""
    return {
        "draft": Look(pgettext("template", "Draft"), "off", "file"),
        "pending": Look(pgettext("template", "Pending"), "wait", "clock"),
        "approved": Look(pgettext("template", "Approved"), "good", "check"),
        "rejected": Look(pgettext("template", "Rejected"), "bad", "circle-alert"),
        "paused": Look(pgettext("template", "Paused"), "wait", "pause"),
        "disabled": Look(pgettext("template", "Disabled"), "bad", "ban"),
        "deleted": Look(pgettext("template", "Deleted"), "off", "x"),
    }.get(state, Look(state, "off", "circle-help"))
