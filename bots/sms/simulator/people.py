"""The phones behind the stand-in for Twilio: what people write, what reaches them, and what is reported of it."""

from abc import ABC
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode
from uuid import uuid4

from bots.simulation.simulation import Accepted, Bubble, Clock, Simulator
from bots.sms.inbound import signature
from bots.sms.outbound import Account
from bots.sms.segments import segments
from bots.sms.simulator.views import API_VERSION, Message
from gateway.domain.channel.calls import Call
from gateway.domain.channel.file import File

OPT_OUT_KEYWORDS = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}
OPT_IN_KEYWORDS = {"START", "YES", "UNSTOP"}
"""The keywords by which people opt out and in. Twilio docs: Advanced Opt-Out, default keywords."""

UNREACHABLE = 30003


class People(Simulator, ABC):
    """Everybody with a phone. `blocked` phones have opted out. `messages`: all of the account's, by their ids.

    media: the files that people sent, by their ids: content type and bytes.
    """

    def __init__(self, account: Account, webhook_url: str, clock: Clock) -> None:
        super().__init__(webhook_url, clock)
        self.account = account
        self.messages: dict[str, Message] = {}
        self.media: dict[str, tuple[str, bytes]] = {}
        self._held_callbacks: deque[Callable[[], None]] | None = None

    async def say(self, user: str, text: str) -> None:
        """Send a text as this person. An opt-out keyword such as STOP opts them out, START opts them in again."""
        form, keyword = self._write(user, text), text.strip().upper()
        if keyword in OPT_OUT_KEYWORDS | OPT_IN_KEYWORDS:
            self.phone(user).blocked = keyword in OPT_OUT_KEYWORDS
            form["OptOutType"] = "STOP" if self.phone(user).blocked else "START"
        if self.webhook_url:
            self._post_form(self.webhook_url, form)

    async def share_file(self, user: str, body: bytes, name: str, content_type: str) -> None:
        """Send a file as this person, by MMS. Files have no names there."""
        await self.share_album(user, [File(name, content_type, body)])

    async def share_album(self, user: str, files: Sequence[File]) -> None:
        """Send files together, by one MMS. Twilio docs: Receive and download images on incoming media messages."""
        form = self._write(user, "") | {"NumMedia": str(len(files))}
        messages = f"{API_VERSION}/Accounts/{self.account.account_sid}/Messages/{form['MessageSid']}"
        for number, file in enumerate(files):
            self.media[key := f"ME{uuid4().hex}"] = file.content_type, file.body
            form[f"MediaUrl{number}"] = f"{self.account.api_url}/{messages}/Media/{key}"
            form[f"MediaContentType{number}"] = file.content_type
        if self.webhook_url:
            self._post_form(self.webhook_url, form)

    def _write(self, user: str, text: str) -> dict[str, str]:
        """Keep a message of this person's, and return the form that tells of it."""
        sid, at = f"SM{uuid4().hex}", self.clock()
        phone = self.phone(user)
        phone.last_wrote_at = at
        phone.screen.append(Bubble(id=sid, mine=True, at=at, text=text, state="sent"))
        self.messages[sid] = Message(
            sid=sid,
            user=user,
            sender=self.account.sender,
            at=at,
            body=text,
            direction="inbound",
            status="received",
        )
        form = {"MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "AccountSid": self.account.account_sid}
        form |= {"From": user, "To": self.account.sender, "Body": text, "NumMedia": "0", "ApiVersion": API_VERSION}
        return form | {"NumSegments": str(segments(text)[1]), "SmsStatus": "received"}

    async def press(self, user: str, bubble: str, button: str) -> None:  # noqa: ARG002 - a text has no buttons
        """Type the button's text: a text message has no buttons, so people type what they read."""
        await self.say(user, button)

    def user_of(self, phone: str) -> str:
        return phone

    def hold_receipts(self) -> None:
        """Keep status callbacks back until `release_receipts`."""
        self._held_callbacks = self._held_callbacks or deque()

    def release_receipts(self) -> None:
        """Send the status callbacks that were held back, and hold back no more."""
        callbacks, self._held_callbacks = self._held_callbacks or (), None
        for send in callbacks:
            send()

    def accept(self, message: Message, form: Mapping[str, str], late_code: int) -> None:
        """Take a message of ours, and report what becomes of it. `late_code`: the reason for which it fails later."""
        self.messages[message.sid] = message
        line = Accepted(id=message.sid, user=message.user, at=message.at, text=message.body, request=dict(form))
        self.accepted.append(line)
        bubble = Bubble(id=message.sid, mine=False, at=message.at, text=message.body, state="queued")
        bubble.media = form.get("MediaUrl", "")
        phone = self.phone(message.user)
        phone.screen.append(bubble)
        url = form.get("StatusCallback", "")
        self._report(message, bubble, url, "sent")
        code = late_code or (0 if phone.reachable else UNREACHABLE)
        self._report(message, bubble, url, "undelivered" if code else "delivered", code)

    def _report(self, message: Message, bubble: Bubble, url: str, status: str, code: int = 0) -> None:
        """Post a status callback, now or once receipts are released."""
        report = {"MessageSid": message.sid, "MessageStatus": status, "SmsStatus": status, "SmsSid": message.sid}
        report |= {"AccountSid": self.account.account_sid, "To": message.user, "From": self.account.sender}
        report |= {"ApiVersion": API_VERSION} | ({"ErrorCode": str(code)} if code else {})

        def send() -> None:
            bubble.state = "failed" if code else status
            message.status, message.code = status, code
            if url:
                self._post_form(url, report)

        if self._held_callbacks is None:
            send()
        else:
            self._held_callbacks.append(send)

    def _post_form(self, url: str, form: Mapping[str, str]) -> None:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signature(self.account.auth_token, url, list(form.items())),
        }
        self.deliver(Call("POST", url, headers, urlencode(form).encode(), self.clock()))
