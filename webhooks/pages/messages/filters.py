"""What the list of messages is filtered by: each filter is in the address, shown in words, and can be taken away."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from quart import request, url_for

from webhooks.pages.looks import channel_title, message_status
from webhooks.pages.words import gettext, pgettext

FILTERS = ("phone", "status", "channel", "from", "to", "externalId", "groupId", "bulkId", "jobId", "reason")
"""As the API calls them, and in the order in which they are shown."""


@dataclass(frozen=True)
class Chip:
    """A filter in words, and the address of the list without it."""

    word: str
    value: str
    without: str


def chosen() -> dict[str, str]:
    """Return the filters of this request's address as they stand there."""
    return {name: request.args[name] for name in FILTERS if request.args.get(name)}


def chips(filters: Mapping[str, str]) -> list[Chip]:
    """Return the filters in words."""
    words = {
        "phone": gettext("Number"),
        "status": gettext("Status"),
        "channel": gettext("Channel"),
        "from": pgettext("filter", "From"),
        "to": pgettext("filter", "To"),
        "externalId": gettext("Own id"),
        "groupId": gettext("Group"),
        "bulkId": gettext("Request"),
        "jobId": gettext("Job"),
        "reason": gettext("Reason"),
    }
    return [Chip(words[name], _shown(name, value), address(_without(filters, name))) for name, value in filters.items()]


def address(parameters: Mapping[str, str], endpoint: str = "ui.messages.show_list") -> str:
    """Return the address of the list, or of what else is made of it, with these parameters."""
    return url_for(endpoint) + (f"?{urlencode(parameters)}" if parameters else "")


def _without(filters: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in filters.items() if key != name}


def _shown(name: str, value: str) -> str:
    if name == "channel":
        return channel_title(value)
    if name == "status":
        return ", ".join(message_status(each).word for each in value.split(","))
    return value
