"""The stand-in for the pigeon post, as every channel has one: people with phones, and the provider's HTTP API."""

import secrets
from uuid import uuid4

import msgspec
from quart import Blueprint, Response, jsonify, request

from bots.simulation.simulation import Accepted, Bubble, Clock, Simulator, utcnow
from gateway.domain.channel.calls import Call
from gateway.domain.channel.secret import Secret
from tests.bots.pigeon import Account


def demo_account(api_url: str) -> Account:
    """Return a loft that lives on the stand-in at `api_url`, with a fresh secret."""
    return Account(Secret(secrets.token_hex(16)), api_url)


class Server(Simulator):
    """The pigeon post, for one loft of ours."""

    name = "pigeon"
    too_many = "503"
    errors = {"422": "no pigeon flies there", "503": "all pigeons are out"}  # noqa: RUF012

    def __init__(self, account: Account, webhook_url: str, clock: Clock = utcnow) -> None:
        super().__init__(webhook_url, clock)
        self.secret = account.secret.reveal()

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint(self.name, __name__)
        blueprint.post("/letters")(self._letters)
        blueprint.route("/webhook", methods=["GET", "PUT"])(self._webhook)
        return blueprint

    async def say(self, user: str, text: str) -> None:
        bubble = Bubble(id=uuid4().hex, mine=True, at=self.clock(), text=text, state="sent")
        self.phone(user).screen.append(bubble)
        self._post_event({"kind": "letter", "id": bubble.id, "from": user, "text": text})

    async def press(self, user: str, bubble: str, button: str) -> None:  # noqa: ARG002 - a letter has no buttons
        """Write back the button's text: letters have no buttons."""
        await self.say(user, button)

    def user_of(self, phone: str) -> str:
        """The loft of whoever has this phone; the post itself knows no phone numbers."""
        return f"loft-{phone.removeprefix('+')}"

    async def _letters(self) -> Response:
        if refusal := await self._refusal():
            return refusal
        letter = await request.get_json()
        bubble = Bubble(id=uuid4().hex, mine=False, at=self.clock(), text=letter["text"], state="sent")
        phone = self.phone(letter["to"])
        self.accepted.append(Accepted(id=bubble.id, user=phone.user, at=bubble.at, text=bubble.text, request=letter))
        phone.screen.append(bubble)
        self._post_event({"kind": "report", "id": bubble.id, "ref": letter["ref"], "arrived": phone.reachable})
        return jsonify(id=bubble.id)

    async def _webhook(self) -> Response:
        if refusal := await self._refusal():
            return refusal
        if request.method == "PUT":
            self.webhook_url = (await request.get_json())["url"]
        return jsonify(url=self.webhook_url)

    async def _refusal(self) -> Response | None:
        authorised = secrets.compare_digest(request.headers.get("X-Loft-Secret", "").encode(), self.secret.encode())
        status = await self.faults.next_error() if authorised else "401"
        return Response(status=int(status)) if status else None

    def _post_event(self, item: dict[str, object]) -> None:
        headers = {"X-Loft-Secret": self.secret}
        self.deliver(Call("POST", self.webhook_url, headers, msgspec.json.encode([item]), self.clock()))
