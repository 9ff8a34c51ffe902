"""The words of the pages: English in the code, other languages by a catalogue; times and numbers as people write them.

The language is the reader's choice (a cookie), or what the browser asks for.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers, units
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from quart import Quart, request

from webhooks.http.context import runtime

LANGUAGES = {"en": "English", "ru": "Русский"}
CHOICE = "gateway_language"
"""The cookie with the chosen language."""

ZONE = "gateway_zone"
"""The cookie with the browser's time zone, which the script sets."""

_language: ContextVar[str] = ContextVar("language", default="en")


async def choose_language() -> None:
    """Set the language of this request."""
    chosen = request.cookies.get(CHOICE, "")
    _language.set(chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES, "en") or "en")


def language() -> str:
    """Return the language of this request, as in HTML's `lang`."""
    return _language.get()


def gettext(text: str) -> str:
    """Return a text in the reader's language."""
    return _catalogue(language()).gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """Return a text in the form that this number wants."""
    return _catalogue(language()).ngettext(one, many, count)


def N_(text: str) -> str:  # noqa: N802 - as it is called everywhere
    """Mark a text that is translated later, when it is known who reads it."""
    return text


def pgettext(context: str, text: str) -> str:
    """Return a text whose translation depends on where it stands."""
    return str(_catalogue(language()).pgettext(context, text))


def npgettext(context: str, one: str, many: str, count: int) -> str:
    """Return a text whose translation depends on where it stands, in the form that this number wants."""
    return str(_catalogue(language()).npgettext(context, one, many, count))


@cache
def _catalogue(name: str) -> NullTranslations:
    """Read a catalogue as it is edited: there is no compiled file that could be older."""
    if name == "en":
        return NullTranslations()
    with (files("webhooks.pages") / "words" / f"{name}.po").open("rb") as source:
        compiled = BytesIO()
        write_mo(compiled, read_po(source, locale=name))
    compiled.seek(0)
    return Translations(compiled)


def zone() -> ZoneInfo:
    """Return the reader's time zone: the browser's, or the gateway's own."""
    try:
        return ZoneInfo(request.cookies.get(ZONE, "") or runtime().settings.timezone)
    except (ValueError, OSError):  # no zone, or a folder of zones
        return ZoneInfo(runtime().settings.timezone)


def clock_time(at: datetime, *, seconds: bool = False) -> str:
    """Return the time of day, as in 11:20 or 11:20:04."""
    return f"{at.astimezone(zone()):{'%H:%M:%S' if seconds else '%H:%M'}}"


def day(at: datetime) -> str:
    """Return the day in words, as in 29 November 2026."""
    return dates.format_date(at.astimezone(zone()), "long", locale=_locale())


def moment(at: datetime) -> str:
    """Return the time of day, with the date where it is not today."""
    local, today = at.astimezone(zone()), runtime().clock().astimezone(zone()).date()
    pattern = "HH:mm" if local.date() == today else "dd.MM HH:mm" if local.year == today.year else "dd.MM.yyyy HH:mm"
    return dates.format_datetime(local, pattern, locale=_locale())


def within_hour(at: datetime) -> str:
    """Return the hour that begins then, as in 16:00-17:00, for what is known to the hour only."""
    return f"{moment(at)}\u2013{clock_time(at + timedelta(hours=1))}"


def short_moment(at: datetime) -> str:
    """Return the time of day, or the date where it is not today."""
    local, today = at.astimezone(zone()), runtime().clock().astimezone(zone()).date()
    pattern = "HH:mm" if local.date() == today else "dd.MM" if local.year == today.year else "dd.MM.yyyy"
    return dates.format_datetime(local, pattern, locale=_locale())


def ago(at: datetime) -> str:
    """Return how long ago it was, in its largest unit, as in 3 hours."""
    length = max(runtime().clock() - at, timedelta(minutes=1))
    return dates.format_timedelta(length, granularity="minute", locale=_locale(), threshold=1.2)


def weekdays() -> list[str]:
    """Return the short names of the days of the week, Monday first."""
    names = dates.get_day_names("abbreviated", context="stand-alone", locale=_locale())
    return [names[number] for number in range(7)]


def full_moment(at: datetime) -> str:
    """Return the day and the time to the second, in the reader's zone."""
    return dates.format_datetime(at.astimezone(zone()), "dd.MM.yyyy HH:mm:ss z", locale=_locale())


def duration(length: timedelta) -> str:
    """Return a length of time in its largest unit, as in 12 minutes."""
    return dates.format_timedelta(length, locale=_locale(), threshold=1.2)


def number(value: float) -> str:
    """Return a number with the separators of the language."""
    return numbers.format_decimal(value, locale=_locale())


def size(count: int) -> str:
    """Return a number of bytes in the unit that people would use, as in 12 kB or 1.3 MB."""
    if count < MEGABYTE:
        return units.format_unit(-(-count // 1024), "digital-kilobyte", "short", locale=_locale())
    return units.format_unit(round(count / MEGABYTE, 1), "digital-megabyte", "short", locale=_locale())


MEGABYTE = 1024 * 1024


@cache
def _parsed(name: str) -> Locale:
    return Locale.parse(name)


def _locale() -> Locale:
    return _parsed("en_GB" if language() == "en" else language())


FILTERS: Mapping[str, Callable[..., Any]] = {
    "clock_time": clock_time,
    "day": day,
    "moment": moment,
    "within_hour": within_hour,
    "short_moment": short_moment,
    "ago": ago,
    "full_moment": full_moment,
    "duration": duration,
    "number": number,
    "size": size,
}


def install_words(app: Quart) -> None:
    """Give the app's templates `_()` and its relatives, and the filters for times and numbers."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    install = app.jinja_env.install_gettext_callables  # type: ignore[attr-defined]  # by the extension
    install(gettext, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext)
    app.jinja_env.filters.update(FILTERS)
