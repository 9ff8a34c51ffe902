"""What is wrong with a form, in the words of the pages: the field by its label, and the sentence without types."""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise

from markupsafe import Markup

from gateway.domain.api.request import RequestError
from webhooks.pages.words import N_, gettext, ngettext, number

PART = re.compile(r"([\w-]+)(?:\[(\d+)\])?")
VALUES = frozenset({"variables", "bodyExamples"})
"""Fields that hold values by the name of a variable."""


class Mistake(RequestError):
    """A mistake that the pages find themselves. Its sentence is the reader's, and says all."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__("invalid", message, field)


def told(error: RequestError, *, named: bool = True) -> Markup:
    """Return what is wrong, and where, to be shown. What only the core has words for is marked as English.

    named: the field is said, since the sentence does not stand beside it.
    """
    if isinstance(error, Mistake):
        return Markup("{}").format(error.message)
    return told_of(error.field if named else "", error.message)


def told_of(field: str, message: str) -> Markup:
    """Return the same of a field's path, as in `channels[0].text`, and the sentence on it."""
    name, words = label(field), plain(message)
    sentence = Markup('<span lang="en">{}</span>').format(message) if words is None else Markup("{}").format(words)
    return Markup("{}: {}").format(name, sentence) if name else sentence


def label(field: str) -> str:
    """Return a field as the forms call it, as in "Step 1, Text"; "" for the whole form."""
    parts = [("", ""), *((match[1], match[2] or "") for match in PART.finditer(field))]
    return ", ".join(word for before, part in pairwise(parts) if (word := _part(before[0], *part)))


def plain(message: str) -> str | None:
    """Return a sentence of the reader of types, or one of the core's, in the reader's words; None for any other."""
    found = ((words, match) for pattern, words in SENTENCES if (match := pattern.match(message)))
    return next((words(match) for words, match in found), None) or (gettext(message) if message in KNOWN else None)


KNOWN = frozenset(
    {
        N_("it is empty"),
        N_("another row names the same person"),
        N_("the person has not written to us"),
        N_("the person has opted out"),
        N_("the person has opted out of marketing"),
        N_("this is not a phone number"),
        N_("this is not one phone number and nothing else"),
        N_("no such phone number can exist"),
        N_("there is no such contact"),
        N_("there is no contact of this external id"),
        N_("there is no such session"),
        N_("an identifier is written as kind:value"),
        N_("it is empty, or holds characters that nobody sees"),
        N_("it is empty once its variables are filled in"),
        N_("buttons need a text"),
        N_("this is no web address"),
        N_("there is no such moment"),
        N_("the file is empty"),
        N_("this time is in the past"),
    }
)
"""The core's sentences that operators meet most: on rows of jobs, and on people."""


def _part(before: str, name: str, place: str) -> str:
    if before in VALUES:
        return f"{{{{{name}}}}}"
    numbered = {"channels": gettext("Step %(number)s"), "buttons": gettext("Button %(number)s")}
    if place and name in numbered:
        return numbered[name] % {"number": int(place) + 1}
    return _labels().get(name, name)


def _labels() -> Mapping[str, str]:
    text = gettext("Text")
    return {
        "channels": gettext("Steps"),
        "messages": "",
        "variables": "",
        "text": text,
        "body": text,
        "name": gettext("Name"),
        "channel": gettext("Channel"),
        "account": gettext("Account"),
        "template": gettext("The provider's template"),
        "language": gettext("Language"),
        "bodyExamples": gettext("An example of each value"),
        "example": gettext("Example"),
        "header": gettext("Header"),
        "footer": gettext("Footer"),
        "category": gettext("Category"),
        "buttons": gettext("Buttons"),
        "url": gettext("Address"),
        "phone": gettext("Number"),
        "email": gettext("E-mail"),
        "password": gettext("Password"),
        "role": gettext("Role"),
        "reason": gettext("Reason"),
        "reply": gettext("Answer"),
        "media": gettext("File"),
        "status": gettext("Status"),
        "version": gettext("Version"),
    }


def _count(match: re.Match[str]) -> int:
    return int(match["count"])


def _most(match: re.Match[str]) -> str:
    count = _count(match)
    return ngettext("at most %(count)s character", "at most %(count)s characters", count) % {"count": number(count)}


def _least(match: re.Match[str]) -> str:
    count = _count(match)
    if count == 1:
        return gettext("something has to be written here")
    return ngettext("at least %(count)s character", "at least %(count)s characters", count) % {"count": number(count)}


SENTENCES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"row (?P<count>\d+) is for the same person: both get a message"),
        lambda match: (
            gettext("row %(row)s is for the same person: both get a message") % {"row": number(_count(match))}
        ),
    ),
    (
        re.compile(r"row (?P<count>\d+) is for the same person: they get one message"),
        lambda match: (
            gettext("row %(row)s is for the same person: they get one message") % {"row": number(_count(match))}
        ),
    ),
    (re.compile(r"Expected `str` of length <= (?P<count>\d+)"), _most),
    (re.compile(r"Expected `str` of length >= (?P<count>\d+)"), _least),
    (
        re.compile(r"Expected `(?:array|object)` of length <= (?P<count>\d+)"),
        lambda match: gettext("at most %(count)s of them") % {"count": number(_count(match))},
    ),
    (
        re.compile(r"Expected `(?:array|object)` of length >= (?P<count>\d+)"),
        lambda match: gettext("at least %(count)s of them") % {"count": number(_count(match))},
    ),
    (
        re.compile(r"Expected `(?:int|float)` <= (?P<count>\d+)"),
        lambda match: gettext("at most %(count)s") % {"count": number(_count(match))},
    ),
    (
        re.compile(r"Expected `(?:int|float)` >= (?P<count>\d+)"),
        lambda match: gettext("at least %(count)s") % {"count": number(_count(match))},
    ),
    (re.compile(r"Expected `(?:int|float)"), lambda _: gettext("a number is needed")),
    (re.compile(r"Expected `"), lambda _: gettext("this does not have the form that is needed")),
    (
        re.compile(r"Invalid enum value (?P<value>.*?): one of (?P<words>.*)", re.DOTALL),
        lambda match: gettext("%(value)s is not one of these: %(words)s") % match.groupdict(),
    ),
    (re.compile(r"Invalid enum value"), lambda _: gettext("this is not one of those that there are")),
    (re.compile(r"this is not an e-mail address: "), lambda _: gettext("this is not an e-mail address")),
    (
        re.compile(r"'(?P<name>\w+)' is undefined; give it a value"),
        lambda match: gettext("%(name)s has no value") % {"name": f"{{{{{match['name']}}}}}"},
    ),
    (
        re.compile(r"the message needs a column (?P<name>.*)", re.DOTALL),
        lambda match: gettext("The message needs a column %(name)s.") % match.groupdict(),
    ),
    (re.compile(r"Object contains unknown field"), lambda _: gettext("these pages have no such field")),
    (re.compile(r"Object missing required field"), lambda _: gettext("something has to be written here")),
)
"""msgspec's sentences, and ours."""
