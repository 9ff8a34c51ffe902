"""Dead letters over HTTP: what failed for a reason that somebody could mend, and sending it anew."""

from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.request import convert, read
from gateway.messages.archive.dead_letters import DeadLettersQuery, Letter, page
from gateway.messages.archive.replay import Outcome, ReplayRequest, Result, replay
from webhooks.http.answers import View, answer
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("dead", __name__, url_prefix="/api/v1/deadLetters")


class DeadLetterView(View):
    """tries: how often it was tried."""

    id: str
    dead_at: str | None
    what: str
    reason: str | None
    tries: int
    channels: list[str]


class DeadLettersResponse(View):
    """A page; `cursor` is null on the last one."""

    dead_letters: list[DeadLetterView]
    cursor: str | None


class ReplayResultView(View):
    """result: what became of it; replayedAs: the new message's id."""

    id: str
    result: Result
    replayed_as: str | None
    reason: str | None


class ReplayResponse(View):
    """left: how many are left; cursor: for all, where to go on."""

    dead_letters: list[ReplayResultView]
    left: int
    cursor: str | None


@blueprint.get("")
@allow()
@document_querystring(DeadLettersQuery)
@document_response(DeadLettersResponse)
async def letters() -> ResponseReturnValue:
    """List dead letters, the newest first.

    A page of them: `cursor` asks for the next one.
    """
    found = await page(runtime().db, convert(DeadLettersQuery, query()), runtime().clock())
    return answer(DeadLettersResponse(dead_letters=[_letter(letter) for letter in found.letters], cursor=found.cursor))


@blueprint.post("/replay")
@allow()
@document_request(ReplayRequest)
@document_response(ReplayResponse)
async def replay_letters() -> ResponseReturnValue:
    """Send dead letters anew.

    For each, what became of it; how many are left; for all, the cursor to go on with.
    """
    done = await replay(runtime(), read(ReplayRequest, await body()))
    outcomes = [_outcome(outcome) for outcome in done.outcomes]
    return answer(ReplayResponse(dead_letters=outcomes, left=done.left, cursor=done.cursor))


def _letter(letter: Letter) -> DeadLetterView:
    return DeadLetterView(
        id=letter.id,
        dead_at=iso(letter.at),
        what=letter.what,
        reason=letter.why or None,
        tries=letter.tries,
        channels=list(letter.channels),
    )


def _outcome(outcome: Outcome) -> ReplayResultView:
    return ReplayResultView(
        id=outcome.id, result=outcome.result, replayed_as=outcome.new, reason=outcome.reason or None
    )
