"""The words of the pages as the code has them, to be compared with a catalogue, or written into it."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOM = Path(str(files("webhooks.pages")))
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"trimmed": "true", "silent": "false"}}
KEYWORDS = {
    "_": None,
    "gettext": None,
    "N_": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def in_the_code() -> Catalog:
    """Return the words that the pages use, without translations."""
    words = Catalog(fuzzy=False)
    found = extract_from_dir(ROOM, METHODS, OPTIONS, KEYWORDS)
    for name, _, message, _, context in sorted(found, key=lambda each: (each[0], each[1])):
        words.add(message, locations=[(name, 0)], context=context)
    return words


def stored(language: str) -> Catalog:
    """Return a catalogue as it is stored."""
    with (ROOM / "words" / f"{language}.po").open("rb") as source:
        return read_po(source, locale=language)


def renew(language: str) -> None:
    """Write the words of the code into a catalogue, with the translations that it has."""
    catalogue = stored(language)
    catalogue.update(in_the_code(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    with (ROOM / "words" / f"{language}.po").open("wb") as target:
        write_po(target, catalogue, width=120, include_lineno=False, omit_header=False)


def problems(language: str) -> Iterator[str]:
    """Yield what is missing in a catalogue: a word, a form of a plural, a placeholder."""
    catalogue = stored(language)
    for message in in_the_code():
        own = catalogue.get(message.id, message.context) if message.id else None
        if message.id and (own is None or own.fuzzy or not all(_forms(own.string))):
            yield f"not translated: {message.id!r}"
        elif own:
            yield from (f"{message.id!r}: {error}" for error in own.check(catalogue))
            if message.pluralizable and len(_forms(own.string)) != catalogue.num_plurals:
                yield f"{message.id!r} has {len(_forms(own.string))} forms, not {catalogue.num_plurals}"


def _forms(string: object) -> tuple[object, ...]:
    return tuple(string) if isinstance(string, tuple | list) else (string,)
