"""The API for the business's own services."""

from quart import Blueprint, g, jsonify, request
from quart.typing import ResponseReturnValue

from gateway.cancel import cancel
from gateway.recipients import join_contact
from gateway.request import AskedCancel, read
from gateway.runtime import ways
from gateway.submit import submit
from storage import notifications, traces
from webhooks.answers import Refusal
from webhooks.context import body, runtime
from webhooks.health import account_health
from webhooks.story import story

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

LONGEST_KEY = 256


@blueprint.post("/messages")
async def send() -> ResponseReturnValue:
    """Accept messages: 202 with one item for each message and destination."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        raise Refusal(400, f"An Idempotency-Key has 1 to {LONGEST_KEY} characters.", {"field": "Idempotency-Key"})
    return jsonify(await submit(runtime(), await body(), g.caller, key)), 202


@blueprint.get("/messages/<path:key>")
async def status(key: str) -> ResponseReturnValue:
    """The whole story of one message: every attempt, every decision, in words."""
    notification = await notifications.get(runtime().db, key)
    if notification is None:
        raise Refusal(404, "There is no such message.", {"id": key})
    return jsonify(story(notification, await traces.of(runtime().db, key)))


@blueprint.delete("/messages")
async def cancel_messages() -> ResponseReturnValue:
    """Cancel one message, a group or a bulk: 200 with, for each, cancelled or too late and why."""
    try:
        outcomes = await cancel(runtime(), read(AskedCancel, await body()))
    except LookupError as error:
        raise Refusal(404, str(error)) from None
    told = [
        {"id": outcome.id, "result": "cancelled" if outcome.cancelled else "tooLate", "reason": outcome.reason or None}
        for outcome in outcomes
    ]
    return jsonify({"messages": told})


@blueprint.get("/accounts")
async def accounts() -> ResponseReturnValue:
    """Our accounts: whether each is held, until when and why, and how fast it may send."""
    await runtime().gate.holds.refresh()
    return jsonify({"accounts": [account_health(runtime(), way) for way in ways(runtime().channels)]})


@blueprint.post("/contacts")
async def contacts() -> ResponseReturnValue:
    """Join a phone number and an external id to one person; 200 with the links that join their chats too."""
    contact = await join_contact(runtime(), await body())
    links = {f"{way.facts.name}:{way.account}": way.start_link(contact.start_code) for way in ways(runtime().channels)}
    return jsonify(
        {
            "id": contact.id,
            "phone": contact.phone,
            "externalId": contact.external_id,
            "startCode": contact.start_code,
            "links": {name: link for name, link in links.items() if link},
        }
    )
