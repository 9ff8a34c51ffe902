"""How Telegram's server refuses. Bot API: Making requests.

The descriptions are the real server's; the public documentation promises only their status.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Refusal(NamedTuple):
    """An error response of Telegram's. Bot API: Making requests."""

    status: int
    description: str
    parameters: Mapping[str, Any] | None = None

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the response."""
        body = {"ok": False, "error_code": self.status, "description": self.description}
        return body | ({"parameters": self.parameters} if self.parameters else {})


class Refused(Exception):
    """Raised where the real server would refuse. `refusal` is the response."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.description)
        self.refusal = refusal


CHAT_NOT_FOUND = Refusal(400, "Bad Request: chat not found")
BLOCKED = Refusal(403, "Forbidden: bot was blocked by the user")
NOT_STARTED = Refusal(403, "Forbidden: bot can't initiate conversation with a user")
UNAUTHORIZED = Refusal(401, "Unauthorized")
NO_SUCH_METHOD = Refusal(404, "Not Found: method not found")
NOT_FOUND = Refusal(404, "Not Found")
TOO_LARGE = Refusal(413, "Request Entity Too Large")
HAS_WEBHOOK = Refusal(
    409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)

ERRORS: Mapping[str, Refusal] = {
    "400": CHAT_NOT_FOUND,
    "400-peer": Refusal(400, "Bad Request: PEER_ID_INVALID"),
    "400-rights": Refusal(400, "Bad Request: not enough rights to send text messages to the chat"),
    "401": UNAUTHORIZED,
    "403": BLOCKED,
    "403-start": NOT_STARTED,
    "403-gone": Refusal(403, "Forbidden: user is deactivated"),
    "403-kicked": Refusal(403, "Forbidden: bot was kicked from the supergroup chat"),
    "404": NOT_FOUND,
    "409": Refusal(409, "Conflict: terminated by other getUpdates request; only one bot instance may run"),
    "413": TOO_LARGE,
    "429": Refusal(429, "Too Many Requests: retry after 1", {"retry_after": 1}),
    "429-bare": Refusal(429, "Too Many Requests"),
    "500": Refusal(500, "Internal Server Error"),
    "502": Refusal(502, "Bad Gateway"),
}
"""The errors that the stand-in can imitate: the status, and a word where a status has several reasons."""


def bad_request(description: str) -> Refused:
    """Return a refusal with status 400 and this description."""
    return Refused(Refusal(400, f"Bad Request: {description}"))
