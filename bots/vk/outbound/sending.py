"""Sends and deletes our messages. VK API: messages.send, messages.delete, messages.sendMessageEventAnswer."""

from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256

from bots.vk.api import Api
from bots.vk.errors import KeyboardRefused
from bots.vk.outbound.keyboard import keyboard
from bots.vk.outbound.pieces import TEXT_LIMIT, escape_markup
from bots.vk.outbound.uploader import NotTaken
from bots.vk.outbound.uploads import Uploads
from bots.wire.cutting import units
from bots.wire.files import TooLarge, as_link
from gateway.domain.channel.errors import Ambiguous, Refused, SendError
from gateway.domain.model.event import Inbound
from gateway.domain.model.nouns import Address, Content, TemplateMessage

INT32 = 2**31


def random_id(key: str) -> int:
    """Return the number by which VK recognises a repeated message: 1 to 2^31 - 1, the same for the same key.

    VK compares it with the last hour's messages of the same conversation, a hundred of them at most. In a conversation
    as busy as that, one new message in twenty million happens to have another one's number. VK takes it for that one,
    so it is lost, and nobody gets an error.
    """
    return int.from_bytes(sha256(key.encode()).digest()[:4]) % (INT32 - 1) + 1


def render(peer: str, message: Content | TemplateMessage, key: str) -> dict[str, str]:
    """Return the form of messages.send for one piece, without its file. Raises Refused for what VK cannot express."""
    if isinstance(message, TemplateMessage):
        raise Refused("VK has no templates")
    if not message.text.strip() and not message.media:
        raise Refused("the message is empty")
    form = {
        # With peer_ids instead of peer_id VK returns the id within the conversation, which is the one in its events.
        "peer_ids": peer,
        "random_id": str(random_id(key)),
        "message": escape_markup(message.text),
        "disable_mentions": "1",
        # A preview would have VK fetch the links, and some links work only once.
        "dont_parse_links": "1",
    }
    if message.buttons:
        form["keyboard"] = keyboard(message.buttons)
    return form | ({"intent": message.intent} if message.intent else {})


def linked(content: Content) -> str:
    """Return the text with the file's address under it. Raises Refused if that is too long (see `pieces.split`), or if
    the file has no address.
    """
    if content.media and not content.media.url:
        raise Refused("VK does not take the file, and there are no links to uploaded files here")
    text = escape_markup(as_link(content).text)
    if units(text) > TEXT_LIMIT:
        raise Refused("VK does not take the file, and its address does not fit under the text")
    return text


class Sender:
    """One community's messages. Every method raises SendError, and no other error of the network."""

    def __init__(self, api: Api, uploads: Uploads) -> None:
        self._api = api
        self._uploads = uploads

    async def send(self, address: Address, message: Content | TemplateMessage, key: str) -> str:
        """Send one piece and return "peer/number". Sends it without its buttons if VK refuses these.

        A file that VK does not take goes as a link.
        """
        form = render(address.user, message, key)
        if isinstance(message, Content) and message.media:
            try:
                form["attachment"] = await self._uploads.attachment(address.user, message.media)
            except (NotTaken, TooLarge):
                form["message"] = linked(message)
        try:
            return await self._send(form)
        except KeyboardRefused:
            if not form.pop("keyboard", ""):
                raise
            return await self._send(form)

    async def recall(self, message: str) -> None:
        """Delete a message for everybody, by the id that `send` returned. One that is already gone counts as deleted.

        VK answers for each message by itself: 0 where there is none.
        """
        peer, _, number = message.partition("/")
        match await self._api.call("messages.delete", {"peer_id": peer, "cmids": number, "delete_for_all": "1"}):
            case [{"error": {} as error}]:
                raise self._api.error(error)

    async def acknowledge(self, event: Inbound) -> None:
        """Stop the button's spinner. Ignores errors: an old press cannot be answered, and nothing is lost by that."""
        if event.callback_id is None:
            return
        user, _, event_id = event.callback_id.partition("/")
        params = {"event_id": event_id, "user_id": user, "peer_id": event.address.user}
        with suppress(SendError):
            await self._api.call("messages.sendMessageEventAnswer", params)

    async def _send(self, form: Mapping[str, str]) -> str:
        match await self._api.call("messages.send", form):
            case [{"error": {} as error}]:
                raise self._api.error(error)
            case [{"peer_id": int(peer), "conversation_message_id": int(number)}] if number:
                return f"{peer}/{number}"
        raise Ambiguous("VK took the message but named no id for it")
