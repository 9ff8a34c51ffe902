"""Turns the cells of spreadsheets into the text that a person would read there."""

from datetime import date, datetime, time, timedelta

NOTHING = frozenset(
    {
        *("NULL", "null", "None", "nan", "NaN", "NAN", "<NA>", "N/A", "#N/A", "#N/A N/A", "#NA", "NaT"),
        *("#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!"),
        *("#Н/Д", "#ДЕЛ/0!", "#ИМЯ?", "#ПУСТО!", "#ЧИСЛО!", "#ССЫЛКА!", "#ЗНАЧ!"),
    }
)
"""What databases, programs and spreadsheets write where they have no value."""

UNREADABLE = "\ufffd"
"""What stands in a text for characters that are damaged."""


def text_of(cell: object) -> str:  # noqa: PLR0911 - a line for each type
    """Return a cell's text, "" where it has no value. A date is as in 2026-11-24, with its time unless at midnight."""
    match cell:
        case str():
            return _plain(cell)
        case bool():
            return str(cell).lower()
        case float():
            return str(int(cell)) if cell.is_integer() else f"{cell:.15g}"
        case datetime():
            midnight = cell.time() == time()
            return cell.date().isoformat() if midnight else f"{cell.date().isoformat()} {_clock(cell.time())}"
        case time():
            return _clock(cell)
        case timedelta():
            hours, seconds = divmod(round(cell.total_seconds()), 3600)
            return f"{hours}:{seconds // 60:02}"
        case date():
            return cell.isoformat()
    return str(cell)


def _clock(moment: time) -> str:
    return moment.isoformat("seconds" if moment.second else "minutes")


def _plain(text: str) -> str:
    text = text.strip().replace("\0", UNREADABLE)
    return "" if text in NOTHING else text
