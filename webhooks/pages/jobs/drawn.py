"""How a job is shown: its state in words, and its rows as the parts of a bar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from gateway.domain.model.job import Job
from gateway.domain.model.notification import Status
from gateway.messages.jobs.progress import MINUTE, UNDER_WAY, Progress, Wait
from gateway.messages.jobs.reasons import FAILED
from gateway.messages.jobs.results import State
from storage.pending_files import PendingFile
from webhooks.http.context import runtime
from webhooks.pages.looks import Look, channel_title
from webhooks.pages.words import gettext, moment, pgettext

WIDTH = 1000
"""Units of a bar."""


class Part(NamedTuple):
    """So many rows that are alike. look: a class of the style sheet. state: which rows a link shows, or ""."""

    word: str
    rows: int
    look: str
    state: str
    x: int
    width: int


def bar(progress: Progress) -> Sequence[Part]:
    """Return the parts of a job's bar. They always sum up to all of its rows."""
    by = progress.by_status
    failed = sum(by.get(status, 0) for status in FAILED)
    under_way, word = sum(by.get(status, 0) for status in UNDER_WAY), state_words()
    parts = [
        (pgettext("message", "Read"), by.get(Status.READ, 0), "read", ""),
        (pgettext("message", "Delivered"), by.get(Status.DELIVERED, 0), "delivered", ""),
        (pgettext("message", "Sent"), by.get(Status.SENT, 0), "sent", ""),
        (word["failed"], failed, "failed", "failed"),
        (word["refused"], progress.refused, "refused", "refused"),
        (pgettext("message", "Cancelled"), by.get(Status.CANCELLED, 0), "cancelled", ""),
        (word["underWay"], under_way, "way", "underWay"),
    ]
    left = max(progress.all - sum(part[1] for part in parts), 0)
    parts.append((word["left"], left, "left", "left"))
    return list(_placed(parts, max(progress.all, 1)))


def state_words() -> Mapping[State, str]:
    """Return the states by which rows are looked at, in words: those of the bar, too."""
    return {
        "all": gettext("All"),
        "failed": gettext("Failed"),
        "underWay": gettext("Under way"),
        "left": gettext("To come"),
        "refused": pgettext("row", "Refused"),
    }


def _placed(parts: Sequence[tuple[str, int, str, str]], total: int) -> Sequence[Part]:
    """Return the parts with their places: the borders are rounded, so that no gap opens between two of them."""
    placed, before = list[Part](), 0
    for word, count, look, state in parts:
        start, end = (round(WIDTH * rows / total) for rows in (before, before + count))
        if count:
            placed.append(Part(word, count, look, state, start, max(end - start, 1)))
        before += count
    return placed


@dataclass(frozen=True)
class Shown:
    """A job in words. state: the look of its pill. detail: why it stands as it does, or "". waiting: its file."""

    job: Job
    progress: Progress
    state: Look
    detail: str
    parts: Sequence[Part]
    waiting: PendingFile | None = None


def shown(progress: Progress, waiting: PendingFile | None = None) -> Shown:
    """Return a job as the pages show it. waiting: the file whose rows are not its own yet."""
    detail = _of_file(waiting) if waiting else _detail(progress)
    return Shown(progress.job, progress, _state(progress.job), detail, bar(progress), waiting)


def _of_file(file: PendingFile) -> str:
    if file.due_at:
        return gettext("Reading %(file)s") % {"file": file.name}
    return gettext("%(file)s waits for you.") % {"file": file.name}


def is_late(progress: Progress) -> bool:
    """Tell whether a running job has to wait for other hours before all of its rows have left."""
    if progress.ends_at is None or not progress.recent or progress.wait:
        return False
    work = timedelta(seconds=(progress.job.total - progress.processed) / progress.recent)
    return progress.ends_at > runtime().clock() + work + MINUTE


def _state(job: Job) -> Look:
    if job.state == "cancelled" and job.live_from:
        return Look(gettext("Ending"), "wait", "ban")
    return {
        "draft": Look(pgettext("job", "Draft"), "off", "file"),
        "running": Look(pgettext("job", "Running"), "on", "play"),
        "paused": Look(pgettext("job", "Paused"), "wait", "pause"),
        "cancelled": Look(pgettext("job", "Cancelled"), "off", "ban"),
        "done": Look(pgettext("job", "Done"), "good", "check"),
        "deleted": Look(gettext("Deleted"), "off", "x"),
    }[job.state]


def _detail(progress: Progress) -> str:
    job = progress.job
    if job.state == "running" and job.starts_at and job.starts_at > runtime().clock():
        return gettext("starts at %(at)s") % {"at": moment(job.starts_at)}
    if progress.wait:
        return _waiting(progress.wait)
    if job.state in {"paused", "cancelled"} and job.moved_by:
        return gettext("by %(who)s") % {"who": job.moved_by}
    return ""


def _waiting(wait: Wait) -> str:
    if not wait.account:
        return gettext("Waits: quiet hours until %(at)s") % {"at": moment(wait.until)}
    channel, _, account = wait.account.partition(":")
    return gettext("Waits: %(account)s is held") % {"account": f"{channel_title(channel)} {account}"}


def kind(name: str) -> str:
    """Return the word for a job's kind; that of a channel is its name."""
    return {
        "universal": gettext("universal"),
        "advertising": gettext("advertising"),
        "sessions": gettext("start of chats"),
    }.get(name) or channel_title(name)
