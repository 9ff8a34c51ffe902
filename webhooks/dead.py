"""Dead letters over HTTP: what failed for a reason that somebody could mend, and sending it anew."""

from typing import Any

from quart import Blueprint, jsonify, request
from quart.typing import ResponseReturnValue

from gateway.dead import AskedPage, Letter, page
from gateway.replay import AskedReplay, Outcome, replay
from gateway.request import RequestError, convert, read
from gateway.words import iso
from webhooks.context import body, runtime

blueprint = Blueprint("dead", __name__, url_prefix="/api/v1/deadLetters")


@blueprint.get("")
async def letters() -> ResponseReturnValue:
    """A page, the newest first: ?kind=messages|events&limit&cursor. 200; `cursor` is null on the last page."""
    found = await page(runtime().db, convert(AskedPage, _query()), runtime().clock())
    return jsonify({"deadLetters": [_letter(letter) for letter in found.letters], "cursor": found.cursor})


@blueprint.post("/replay")
async def replay_letters() -> ResponseReturnValue:
    """Send them anew: 200 with, for each, what became of it; how many are left; for all, the cursor to go on with."""
    done = await replay(runtime(), read(AskedReplay, await body()))
    outcomes = [_outcome(outcome) for outcome in done.outcomes]
    return jsonify({"deadLetters": outcomes, "left": done.left, "cursor": done.cursor})


def _query() -> dict[str, Any]:
    """The query's parameters, numbers as numbers. Raises RequestError where one is given twice."""
    given = {name: request.args.getlist(name) for name in request.args}
    for name, values in given.items():
        if len(values) > 1:
            raise RequestError("invalid", "give it once", name)
    return {name: int(value) if name == "limit" and _is_number(value) else value for name, (value,) in given.items()}


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 10  # noqa: PLR2004 - more than any limit


def _letter(letter: Letter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "deadAt": iso(letter.at),
        "what": letter.what,
        "reason": letter.why or None,
        "tries": letter.tries,
        "channels": letter.channels,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "id": outcome.id,
        "result": outcome.result,
        "replayedAs": outcome.new,
        "reason": outcome.reason or None,
    }
