"""What the four steps share in which a job is made: their blueprint, and the draft behind them."""

from quart import Blueprint, url_for

from gateway.domain.model.job import Job
from storage import jobs as stored
from webhooks.http.answers import Refusal
from webhooks.http.context import runtime
from webhooks.pages.address import LOOK_AT
from webhooks.pages.words import gettext

blueprint = Blueprint("wizard", __name__)


async def draft(key: str) -> Job:
    """Return a draft. Raises Refusal (404, 409) if there is none, or if it was started."""
    job = await stored.get(runtime().db, key)
    if job is None:
        raise Refusal(404, gettext("There is no such job."))
    if job.state != "draft":
        words = gettext("This job has been started. What it sends does not change any more.")
        raise Refusal(409, words, {LOOK_AT: url_for("ui.jobs.show", key=key)})
    return job
