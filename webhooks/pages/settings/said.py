"""Opt-outs as people see them: one row for all names of a person that were said together, with what they are called."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.api.request import RequestError, convert
from storage.people import contacts, sessions
from storage.people.optouts import OptOut
from webhooks.api.people.optouts import OptInRequest, names_of
from webhooks.http.context import runtime
from webhooks.pages.conversations.rows import name_of

KINDS_OF_IDS = {"contact": "contactId", "session": "chatSessionId"}
"""Kinds of names that are ids of ours, and no identifiers; and as the API's requests call them."""


@dataclass(frozen=True)
class Said:
    """What was said of a person. first: one of the entries, by which all are lifted. called: "" where we do not know.

    names: the person's identifiers, without "phone:" and "email:". talk: the id of a conversation with them, or "".
    """

    first: OptOut
    called: str
    names: Sequence[str]
    talk: str


async def together(entries: Sequence[OptOut]) -> list[Said]:
    """Return a page of entries by what was said at once of one person, in their order."""
    left, groups = list(entries), list[list[OptOut]]()
    while left:
        first, *others = left
        alike = [each for each in others if (each.kind, each.log) == (first.kind, first.log)]
        person = await _names(first.name) if alike else []
        groups.append([first, *(each for each in alike if each.name in person)])
        left = [each for each in others if each not in groups[-1]]
    return [await _said(group) for group in groups]


def person_of(name: str) -> dict[str, str]:
    """Return who is meant by the name under which an opt-out is stored, as the API's requests have it."""
    kind, _, value = name.partition(":")
    return {KINDS_OF_IDS[kind]: value} if kind in KINDS_OF_IDS else {"identifier": name}


async def _names(name: str) -> Sequence[str]:
    try:
        return await names_of(convert(OptInRequest, person_of(name)))
    except RequestError:  # there is no such person any more
        return []


async def _said(group: Sequence[OptOut]) -> Said:
    names = [each.name for each in group]
    ids = {kind: [name.partition(":")[2] for name in names if name.startswith(f"{kind}:")] for kind in KINDS_OF_IDS}
    contact = await contacts.get(runtime().db, ids["contact"][0]) if ids["contact"] else None
    session = await sessions.get(runtime().db, ids["session"][0]) if ids["session"] else None
    called = name_of(session, contact) if session else (contact.name if contact else "")
    shown = [name for name in names if name.partition(":")[0] not in KINDS_OF_IDS]
    known = [name.removeprefix("phone:").removeprefix("email:") for name in shown]
    rest = known or ([] if called else names)
    return Said(group[0], called if called not in known else "", rest, session.id if session else "")
