"""Reads the first line of a file: which column names a person, and which is a variable."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from gateway.domain.api.request import RequestError
from gateway.domain.terms.formulas import unmark
from gateway.messages.jobs.files.cells import UNREADABLE, text_of
from gateway.messages.jobs.files.csv_file import Line

COLUMNS = 256
"""Columns of one file, at most."""

LONGEST = 200
"""Characters of a heading, at most."""

HEADINGS = {
    "phone": ("phone", "phone number", "mobile", "tel", "телефон", "номер", "номер телефона", "мобильный", "тел"),
    "externalId": ("externalid", "external id", "id", "внешний id", "внешний код", "код клиента", "ид"),
    "email": ("email", "e-mail", "mail", "почта", "эл. почта", "электронная почта"),
    "device": ("device", "устройство"),
    "identifier": ("identifier", "идентификатор"),
    "contactId": ("contactid", "contact id", "contact", "id контакта", "контакт"),
    "chatSessionId": ("chatsessionid", "chat session id", "session", "id сессии", "сессия"),
    "timezone": ("timezone", "time zone", "tz", "часовой пояс", "таймзона"),
}
"""What a column of one of these headings means, in any case; every other column is a variable of its own name."""

REFUSED_ROW, REFUSED_WHY = "refused row", "refused because"
"""Columns that a file of refused rows has besides its own. They are passed over when it is sent again.

In a file that has both, texts are marked as no formulas. See `gateway.domain.terms.formulas`.
"""

ADDRESSES = ("phone", "email", "externalId", "device", "identifier", "contactId", "chatSessionId")
RECIPIENT = "recipient"
"""The field that is wrong in a file whose columns name nobody."""

FIELDS = {heading: name for name, headings in HEADINGS.items() for heading in headings}


class Column(NamedTuple):
    """name: the field or variable that the heading means; "" for a column that is passed over."""

    heading: str
    name: str


def read_headings(line: Line, names: Mapping[str, str]) -> list[Column]:
    """Return the columns. names: by heading, where somebody has said what it means. Raises RequestError."""
    texts = _texts(line)
    if are_marked(texts):
        texts = list(map(unmark, texts))
    return [Column(heading, names.get(heading, meaning(heading))) for heading in texts]


def check_columns(columns: Sequence[Column], variables: Collection[str]) -> None:
    """Raise RequestError unless somebody and all these variables can be named by the columns."""
    count = Counter(column.name for column in columns if column.name)
    if duplicate := next((name for name, times in count.items() if times > 1), None):
        raise RequestError("bad_file", f"two columns mean the same: {duplicate}", duplicate)
    if not count.keys() & set(ADDRESSES):
        words = "no column says who is meant: its first line needs phone, externalId or the like"
        raise RequestError("bad_file", words, RECIPIENT)
    if missing := sorted(set(variables) - count.keys()):
        raise RequestError("missing_column", f'the message needs a column "{missing[0]}"', missing[0])


def are_marked(headings: Collection[str]) -> bool:
    """Tell whether these are the headings of refused rows that we gave out."""
    return REFUSED_ROW in headings and REFUSED_WHY in headings


def _texts(line: Line) -> list[str]:
    headings = list(map(text_of, line.cells))
    while headings and not headings[-1]:
        headings.pop()
    if line.problem or any(UNREADABLE in heading for heading in headings):
        raise RequestError("bad_file", f"the first line cannot be read: {line.problem or 'its characters are damaged'}")
    if len(headings) > COLUMNS:
        raise RequestError("too_many", f"a file has at most {COLUMNS} columns")
    if longest := next((heading for heading in headings if len(heading) > LONGEST), None):
        raise RequestError("bad_file", f"a heading has at most {LONGEST} characters: {longest[:40]}...")
    if not all(headings):
        raise RequestError("bad_file", "a column in the first line has no heading")
    return headings


def meaning(heading: str) -> str:
    """Return the field or variable that a heading means by itself, or "" for a column that is passed over."""
    return "" if heading in {REFUSED_ROW, REFUSED_WHY} else FIELDS.get(heading.casefold(), heading)
