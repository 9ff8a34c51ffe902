"""Dead letters: what they failed of, each of them, and replaying some or all of a cause."""

from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlencode

from quart import Blueprint, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.request import convert
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.messages.archive.causes import LOOKED_AT, causes, replay_cause
from gateway.messages.archive.dead_letters import DeadLettersQuery, Kind, page
from gateway.messages.archive.replay import COUNTED, Outcome, ReplayRequest, Result, replay
from gateway.runtime.paging import MOST
from storage.messages import callbacks, inbox, notifications
from webhooks.api.messages.dead_letters import note_replay
from webhooks.http.answers import Refusal
from webhooks.http.audit import records
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow
from webhooks.pages.reasons import helps
from webhooks.pages.words import gettext

blueprint = Blueprint("dead", __name__, url_prefix="/dead")

RESULT, CAUSE, NEXT = "result", "cause", "next"
"""What the address says after a replay: the outcomes, the cause that was replayed, and where to go on with it."""


@blueprint.get("")
@allow(Role.OPERATOR)
@hide
async def show_list() -> ResponseReturnValue:
    """Show the dead letters of a kind: their causes, and a page of them."""
    given = {name: str(value) for name, value in query().items() if value != ""}
    done = {name: given.pop(name, "") for name in (RESULT, CAUSE, NEXT)}
    letters_query = convert(DeadLettersQuery, given)
    now = runtime().clock()
    letters = await page(runtime().db, letters_query, now)
    older = _address(kind=letters_query.kind, cursor=letters.cursor) if letters.cursor else None
    return await render_template(
        "dead.html",
        kind=letters_query.kind,
        kinds=await _kinds(),
        counted=COUNTED,
        causes=await causes(runtime().db, letters_query.kind, now),
        helps=helps,
        looked_at=LOOKED_AT,
        letters=letters.letters,
        older=older,
        done=done,
        results=_results(done[RESULT]),
        most=MOST,
    )


@blueprint.post("/replay")
@allow()
@records(Act.DEAD_LETTER_REPLAY)
@hide
async def replay_letters() -> ResponseReturnValue:
    """Replay those that are ticked, or the next MOST of a cause, and tell what has become of them."""
    form = await request.form
    kind, cause = form.get("kind", "messages"), form.get("cause", "")
    fields = {"kind": kind, "force": form.get("force") == "yes"}
    if cause:
        start = {"cursor": form["next"]} if form.get("next") else {}
        wanted = convert(ReplayRequest, {**fields, **start, "all": True})
        report = await replay_cause(runtime(), wanted, cause)
    elif ids := form.getlist("id"):
        wanted = convert(ReplayRequest, {**fields, "ids": ids})
        report = await replay(runtime(), wanted)
    else:
        raise Refusal(400, gettext("Tick what is to be replayed."))
    note_replay(wanted.kind, report)
    more = {CAUSE: cause, NEXT: report.cursor} if cause and report.cursor else {}
    return redirect(_address(kind=wanted.kind, **{RESULT: _summary(report.outcomes)}, **more), 303)


async def _kinds() -> list[tuple[Kind, str, int]]:
    """Return each kind with its word and how many there are, up to COUNTED."""
    db = runtime().db
    return [
        ("messages", gettext("Messages"), await notifications.count_dead(db, COUNTED)),
        ("events", gettext("Events"), await inbox.count_dead(db, COUNTED)),
        ("callbacks", gettext("Callbacks"), await callbacks.count_dead(db, COUNTED)),
    ]


def _summary(outcomes: Sequence[Outcome]) -> str:
    """Return how many have which outcome, as the address says it."""
    counts = Counter(outcome.result.value for outcome in outcomes)
    return ",".join(f"{result}.{count}" for result, count in counts.items()) or f"{Result.REPLAYED.value}.0"


def _results(summary: str) -> list[tuple[Result, str, int]]:
    """Return the outcomes that an address tells, with their words; what it cannot tell is passed over."""
    pairs = (each.partition(".")[::2] for each in summary.split(",")[: len(Result)])
    counts = {name: int(count) for name, count in pairs if count.isdecimal() and len(count) < 6}  # noqa: PLR2004
    words = {
        Result.REPLAYED: gettext("replayed"),
        Result.NOT_DEAD: gettext("no dead letter any more"),
        Result.NEEDS_FORCE: gettext("may have been sent: tick that people may get it twice"),
        Result.UNKNOWN: gettext("unknown"),
        Result.NOBODY: gettext("without a recipient"),
    }
    return [(result, word, counts[result.value]) for result, word in words.items() if result.value in counts]


def _address(**parameters: str) -> str:
    return f"{url_for('ui.dead.show_list')}?{urlencode(parameters)}"
