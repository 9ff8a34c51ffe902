"""Where the messengers call: one route for every channel. Verify, parse, store, and only then say 2xx."""

import logging

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from gateway.channel import Call, Forged, Malformed
from webhooks.answers import Refusal
from webhooks.context import body, runtime

blueprint = Blueprint("providers", __name__)
log = logging.getLogger(__name__)


@blueprint.route("/webhooks/<channel>/<account>", methods=["GET", "POST"])
async def webhook(channel: str, account: str) -> ResponseReturnValue:
    """A provider's call. Only a failure of ours to store it is a 5xx: then the provider delivers again."""
    way = runtime().channel(channel, account)
    if way is None:
        raise Refusal(404, "There is no such account.")
    call = await _call(way.facts.max_body)
    try:
        way.verify(call)
        parsed = way.parse(call)
    except Forged as error:
        log.warning("%s:%s: a call without its proof: %s", channel, account, error)
        raise Refusal(error.status, "The proof is missing or wrong.") from None
    except Malformed as error:
        raise Refusal(400, f"This cannot be read: {error}") from None
    await runtime().inbox.add(parsed.events, call.received_at)
    runtime().inbox_bell.set()
    answer = parsed.answer
    return Response(answer.body, answer.status, content_type=answer.content_type)


async def _call(limit: int) -> Call:
    url = runtime().settings.public_url + request.full_path.rstrip("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Call(request.method, url, headers, await body(limit), runtime().clock(), request.args.to_dict())
