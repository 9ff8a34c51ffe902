"""Every text that has to be of a form says in words of which, wherever a caller may write it."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import inspect

import webhooks.app  # noqa: F401 - it loads all that callers can ask for
from gateway.domain.api.allowed import form_of
from gateway.domain.api.request import Input, RequestError, convert
from gateway.messages.templates.own import NewTemplateRequest


def inputs(kind: type[Input] = Input) -> Iterator[type[Input]]:
    for each in kind.__subclasses__():
        yield from (each, *inputs(each))


def patterns(place: Any, path: str, seen: tuple[Any, ...] = ()) -> Iterator[str]:
    """Yield the path of every text that has a pattern."""
    match place:
        case inspect.Metadata(type=kind):
            yield from patterns(kind, path, seen)
        case inspect.UnionType(types=kinds):
            for kind in kinds:
                yield from patterns(kind, path, seen)
        case inspect.StructType(cls=cls, fields=fields) if cls not in seen:
            for field in fields:
                yield from patterns(field.type, f"{path}.{field.encode_name}".removeprefix("."), (*seen, cls))
        case inspect.ListType(item_type=item):
            yield from patterns(item, f"{path}[0]", seen)
        case inspect.DictType(key_type=key):
            yield from patterns(key, path, seen)
        case inspect.StrType(pattern=pattern) if pattern:
            yield path


FOUND = [(kind, path) for kind in inputs() for path in patterns(inspect.type_info(kind), "")]


def test_there_are_forms() -> None:
    assert (NewTemplateRequest, "channels[0].media.url") in FOUND


@pytest.mark.parametrize(("kind", "path"), FOUND, ids=lambda value: getattr(value, "__name__", value))
def test_a_form_is_said_in_words(kind: type[Input], path: str) -> None:
    assert form_of(kind, path)


def test_the_words_are_those_of_the_mistake() -> None:
    body = {"name": "November", "channels": [{"channel": "sms", "media": {"type": "image", "url": "ftp://a.ru/"}}]}
    with pytest.raises(RequestError) as refused:
        convert(NewTemplateRequest, body)
    assert refused.value.message == "a web address is needed, which begins with http:// or https://"
    assert refused.value.field == "channels[0].media.url"
