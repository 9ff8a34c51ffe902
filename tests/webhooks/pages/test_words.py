"""The words of the pages: every one is there in every language, in all its forms, and with its placeholders."""

import pytest

from tests.webhooks.pages import catalogue
from tests.webhooks.pages.visitor import Visitor
from webhooks.pages.words import LANGUAGES


@pytest.mark.parametrize("language", sorted(LANGUAGES.keys() - {"en"}))
def test_nothing_is_untranslated(language: str, request: pytest.FixtureRequest) -> None:
    """`--renew-tables` writes the words of the code into the catalogue; the translations are people's."""
    if request.config.getoption("--renew-tables"):
        catalogue.renew(language)
    assert list(catalogue.problems(language)) == []


async def test_the_reader_chooses_the_language_and_keeps_it(visitor: Visitor) -> None:
    assert (await visitor.get("/ui/messages")).html.html["lang"] == "en"  # type: ignore[index]
    page = await visitor.get("/ui/messages", **{"Accept-Language": "ru-RU,ru;q=0.9"})
    assert "Сообщения" in page.words
    chosen = await visitor.send(page.form("/language"), {"language": "ru"})
    assert "Сообщения" in chosen.words
    assert "Сообщения" in (await visitor.get("/ui/messages")).words
