"""The gateway's webhook route without the gateway: it verifies and parses a provider's calls by the channel alone."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from quart import Blueprint, Response, request

from gateway.domain.channel.calls import Call, Forged
from gateway.domain.channel.contract import Channel
from gateway.domain.model.event import Event

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
T = TypeVar("T")


@dataclass(kw_only=True)
class WebhookReceiver:
    """A server that passes webhook calls to a channel.

    events: what the channel parsed from the calls. forged: the number of calls that failed verification.
    down: every call is answered 503. statuses: the statuses of the next answers, whatever the calls are.
    now: the time that the calls are given.
    """

    channel: Channel
    now: datetime = NOW
    events: list[Event] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    forged: int = 0
    down: bool = False

    def webhooks(self) -> Blueprint:
        """Return a blueprint with the webhook route."""
        blueprint = Blueprint("webhooks", __name__)
        blueprint.add_url_rule("/<name>/<account>", view_func=self._receive, methods=["GET", "POST"])
        return blueprint

    def parsed_events(self, kind: type[T]) -> list[T]:
        """Return the parsed events of this class, in their order of arrival."""
        return [event for event in self.events if isinstance(event, kind)]

    def pass_time(self, **length: float) -> None:
        """Put the clock forward by a timedelta of these arguments."""
        self.now += timedelta(**length)

    async def _receive(self, name: str, account: str) -> Response:
        if (name, account) != (self.channel.facts.name, self.channel.account):
            return Response(status=404)
        headers = {key.lower(): value for key, value in request.headers.items()}
        body = await request.get_data(cache=True, as_text=False, parse_form_data=False)
        call = Call(request.method, request.url, headers, body, self.now, request.args.to_dict())
        self.calls.append(call)
        if self.down or self.statuses:
            return Response(status=503 if self.down else self.statuses.pop(0))
        try:
            self.channel.verify(call)
        except Forged as error:
            self.forged += 1
            return Response(str(error), error.status)
        parsed = self.channel.parse(call)
        self.events += parsed.events
        return Response(parsed.answer.body, parsed.answer.status, content_type=parsed.answer.content_type)
