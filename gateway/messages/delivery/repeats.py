"""Messages that are sent anew, by a replay, by hand or by their job's retry: each says what repeats it.

It names its repetition (`repeated_as`) before that is stored, so that of two who send it anew one comes too late. It
leaves the dead letters when the repetition is stored: what breaks off in between is still there, to be completed.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from msgspec.structs import replace

from gateway.domain.model.notification import Notification
from gateway.messages.delivery import recording
from gateway.runtime.runtime import Runtime
from storage.documents.documents import Db
from storage.messages import notifications


def repetition_of(key: str) -> str:
    """Return the id that this message has when somebody replays it or sends it anew by hand. Pure."""
    return uuid5(NAMESPACE_URL, f"replay:{key}").hex


def successor_of(message: Notification) -> str:
    """Return the id of what repeats a message, if something does. Older versions did not store it. Pure."""
    return message.repeated_as or repetition_of(message.id)


async def claim(runtime: Runtime, key: str, new: str, *, force: bool = False) -> bool:
    """Have a message say that `new` repeats it. Returns False if something else does already, unless forced."""

    def name(old: Notification) -> Notification | None:
        return None if old.repeated_as and not force else replace(old, repeated_as=new)

    stored = await recording.change(runtime, key, name)
    return stored is not None and stored.repeated_as == new


async def finish(runtime: Runtime, key: str, words: str, now: datetime) -> None:
    """Have a message tell by these words what repeats it, and be no dead letter any more."""

    def tell(old: Notification) -> Notification | None:
        if old.dead_at is None and any(decision.text == words for decision in old.decisions):
            return None
        return replace(old.saying(now, words), dead_at=None)

    await recording.change(runtime, key, tell)


async def latest(db: Db, messages: Mapping[str, Notification], but: Collection[str]) -> dict[str, Notification]:
    """Return for each message the last one that repeats it, over all repetitions; `but` are not taken for one."""
    last, found = dict(messages), dict(messages)
    while found:
        following = {key: new for key, message in last.items() if (new := successor_of(message)) not in but}
        found = await notifications.several(db, following.values())
        last |= {key: found[new] for key, new in following.items() if new in found}
    return last
