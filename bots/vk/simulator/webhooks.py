"""Posts the stand-in's events. VK API: Callback API."""

import dataclasses
import secrets
from abc import ABC
from collections import Counter
from typing import Any

import msgspec

from bots.simulation.simulation import Clock, Simulator
from bots.vk import Account
from bots.vk.simulator.callbacks import CallbackServers, Server
from gateway.domain.channel.calls import Call

OK = 200


class Webhooks(Simulator, ABC):
    """Posts events to each of the community's callback servers that is confirmed and wants them."""

    def __init__(self, account: Account, webhook_url: str, clock: Clock) -> None:
        super().__init__(webhook_url, clock)
        self.account = account
        self.callbacks = CallbackServers(account.group_id, account.confirmation, self._check_confirmation)
        if webhook_url:
            self.callbacks.add_confirmed(webhook_url, account.secret.reveal(), account.version)
        self._tries: Counter[bytes] = Counter()

    def _post_event(self, kind: str, content: dict[str, Any]) -> None:
        """Post an event to every server that wants it. Without a server VK keeps nothing."""
        for server in self.callbacks.servers_for(kind):
            body = {"type": kind, "event_id": secrets.token_hex(20), "v": server.api_version, "object": content}
            self.deliver(self.call_of(server, body))

    def call_of(self, server: Server, body: dict[str, Any]) -> Call:
        """Return the webhook with this body, with the group and the secret of the server that it goes to."""
        body |= {"group_id": self.account.group_id} | ({"secret": server.secret_key} if server.secret_key else {})
        headers = {"content-type": "application/json"}
        return Call("POST", server.url, headers, msgspec.json.encode(body), self.clock())

    async def _check_confirmation(self, server: Server) -> bool:
        status, answer = await super().post_webhook(self.call_of(server, {"type": "confirmation"}))
        return (status, answer.strip()) == (OK, self.callbacks.code)

    async def post_webhook(self, call: Call) -> tuple[int, str]:
        """Post a webhook: VK counts its tries, and accepts no answer but "ok"."""
        tries = self._tries[call.body]
        self._tries[call.body] += 1
        headers = {**call.headers, **({"X-Retry-Counter": str(tries)} if tries else {})}
        status, answer = await super().post_webhook(dataclasses.replace(call, headers=headers))
        if answer.strip() == "ok":
            del self._tries[call.body]
        return (status, answer) if answer.strip() == "ok" or status != OK else (0, f"not ok: {answer}")
