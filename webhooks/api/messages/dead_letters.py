"""Dead letters over HTTP: listing what failed for a reason that somebody could mend, and replaying it."""

from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.request import convert, read
from gateway.domain.api.response import View
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.messages.archive.dead_letters import DeadLettersQuery, Kind, Letter, page
from gateway.messages.archive.replay import Outcome, ReplayReport, ReplayRequest, Result, replay
from webhooks.http.answers import answer
from webhooks.http.audit import note, record_nothing, records
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("dead", __name__, url_prefix="/api/v1/deadLetters")


class DeadLetterView(View):
    """A message, event or callback that failed for good. tries: how often it was tried."""

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
    """What became of one dead letter. replayedAs: the new message's id."""

    id: str
    result: Result
    replayed_as: str | None
    reason: str | None


class ReplayResponse(View):
    """left: how many dead letters are left. cursor: if all are replayed, where to go on; null at the end."""

    dead_letters: list[ReplayResultView]
    left: int
    cursor: str | None


@blueprint.get("")
@allow(Role.OPERATOR)
@document_querystring(DeadLettersQuery)
@document_response(DeadLettersResponse)
async def list_dead_letters() -> ResponseReturnValue:
    """List dead letters, the newest first.

    The answer is a page; pass its `cursor` to get the next one.
    """
    letters = await page(runtime().db, convert(DeadLettersQuery, query()), runtime().clock())
    return answer(
        DeadLettersResponse(dead_letters=[_view(letter) for letter in letters.letters], cursor=letters.cursor)
    )


@blueprint.post("/replay")
@allow()
@records(Act.DEAD_LETTER_REPLAY)
@document_request(ReplayRequest)
@document_response(ReplayResponse)
async def replay_letters() -> ResponseReturnValue:
    """Replay dead letters.

    The answer says what became of each, how many are left and, if you replay all, the cursor to go on with.
    """
    request = read(ReplayRequest, await body())
    batch = await replay(runtime(), request)
    note_replay(request.kind, batch)
    results = [_result(outcome) for outcome in batch.outcomes]
    return answer(ReplayResponse(dead_letters=results, left=batch.left, cursor=batch.cursor))


def note_replay(kind: Kind, report: ReplayReport) -> None:
    """Have the audit say how many dead letters of this kind the current route has replayed."""
    count = sum(outcome.result is Result.REPLAYED for outcome in report.outcomes)
    if count:
        note(kind, after={"replayed": str(count)})
    else:
        record_nothing()


def _view(letter: Letter) -> DeadLetterView:
    return DeadLetterView(
        id=letter.id,
        dead_at=iso(letter.at),
        what=letter.what,
        reason=letter.why or None,
        tries=letter.tries,
        channels=list(letter.channels),
    )


def _result(outcome: Outcome) -> ReplayResultView:
    return ReplayResultView(
        id=outcome.id, result=outcome.result, replayed_as=outcome.new, reason=outcome.reason or None
    )
