"""The stand-in reads formatted texts as Telegram's documentation shows them, and refuses what breaks the rules."""

import pytest

from bots.telegram.simulator.markup import PARSERS
from bots.telegram.simulator.markup.writer import CannotParse
from tests.bots.telegram.conftest import Pair
from tests.bots.telegram.simulator.calling import call, refusal_of

EVERY_TAG = (
    "<b>b</b> <strong>b</strong> <i>i</i> <em>i</em> <u>u</u> <ins>u</ins> <s>s</s> <strike>s</strike> <del>s</del> "
    '<span class="tg-spoiler">h</span> <tg-spoiler>h</tg-spoiler> <a href="https://a.ru/">l</a> <code>c</code> '
    "<pre>p</pre> <blockquote>q</blockquote> <blockquote expandable>q</blockquote> "
    '<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji>'
)
EVERY_MARK = (
    "*b* _i_ __u__ ~s~ ||h|| [l](https://a.ru/) ![👍](tg://emoji?id=5368324170671202286) `c`\n"
    "```python\np```\n>q\n**>q||"
)


def kinds(mode: str, source: str) -> list[tuple[str, str]]:
    """Return the types of the entities, each with the text that it marks."""
    text, entities = PARSERS[mode](source)
    halves = text.encode("utf-16-le")
    spans = [(entity["type"], 2 * entity["offset"], 2 * entity["length"]) for entity in entities]
    return [(kind, halves[start : start + length].decode("utf-16-le")) for kind, start, length in spans]


@pytest.mark.parametrize(
    ("mode", "source", "expected"),
    [
        ("html", "😀 <b>жир<i>ный</i></b> &lt;&amp;&#33;", [("bold", "жирный"), ("italic", "ный")]),
        ("html", '<a href="https://a.ru/?x=1">тут</a>', [("text_link", "тут")]),
        ("html", "<a>https://a.ru/</a><b></b>", [("text_link", "https://a.ru/")]),
        ("html", '<pre><code class="language-py">x</code></pre>', [("pre", "x")]),
        ("markdownv2", "😀 *жир _ный_*", [("bold", "жир ный"), ("italic", "ный")]),
        ("markdownv2", r"_1\_2_ \*", [("italic", "1_2")]),
        ("markdownv2", r"`a\`*b*`", [("code", "a`*b*")]),
        ("markdownv2", "[тут](https://a.ru/\\))", [("text_link", "тут")]),
        ("markdownv2", ">one\n>two\nthree", [("blockquote", "one\ntwo\n")]),
        ("markdownv2", "**>q||\nthree", [("expandable_blockquote", "q\n")]),
        ("markdown", "[x] *b*", [("bold", "b")]),
        (
            "markdown",
            "*b* _i_ `c` [l](https://a.ru/) [x] \\_",
            [("bold", "b"), ("italic", "i"), ("code", "c"), ("text_link", "l")],
        ),
        ("markdown", "```\np``` a.b!", [("pre", "\np")]),
    ],
)
def test_what_is_marked(mode: str, source: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(mode, source) == expected


def test_every_tag_and_every_mark_is_known() -> None:
    shared = ["bold", "italic", "underline", "strikethrough", "spoiler", "text_link"]
    others = ["custom_emoji", "code", "pre", "blockquote", "expandable_blockquote"]
    assert {kind for kind, _ in kinds("html", EVERY_TAG)} == {*shared, *others}
    assert {kind for kind, _ in kinds("markdownv2", EVERY_MARK)} == {*shared, *others}


@pytest.mark.parametrize(
    ("mode", "source", "words"),
    [
        ("html", "я <x>", 'Unsupported start tag "x" at byte offset 3'),
        ("html", "a < b", "Unclosed start tag at byte offset 2"),
        ("html", "<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
        ("html", "<b>a</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("html", "a</b>", "Unexpected end tag at byte offset 1"),
        ("html", "<span>a</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("markdownv2", "12.50", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("markdownv2", "я *b", "Can't find end of Bold entity at byte offset 3"),
        ("markdownv2", "```py\nx", "Can't find end of Pre entity at byte offset 0"),
        ("markdownv2", "[a](b", "Can't find end of a URL at byte offset 0"),
        ("markdown", "я a_b", "Can't find end of the entity starting at byte offset 4"),
        ("markdown", "[a", "Can't find end of the entity starting at byte offset 0"),
    ],
)
def test_what_cannot_be_parsed(mode: str, source: str, words: str) -> None:
    with pytest.raises(CannotParse) as error:
        PARSERS[mode](source)
    assert str(error.value) == words


async def test_a_text_is_shown_without_its_markup(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    request = {"chat_id": anna, "text": " <b>Готово</b> ", "parse_mode": "HTML"}
    _, answer = await call(pair, "sendMessage", json=request)
    assert answer["result"]["text"] == pair.server.phone(anna).screen[-1].text == "Готово"
    assert answer["result"]["entities"] == [{"type": "bold", "offset": 0, "length": 6}]


async def test_entities_may_come_by_themselves(pair: Pair) -> None:
    anna, bold = await pair.start_user("Anna"), {"type": "bold", "offset": 2, "length": 2}
    _, answer = await call(pair, "sendMessage", json={"chat_id": anna, "text": "  a_b", "entities": [bold]})
    assert answer["result"]["entities"] == [{"type": "bold", "offset": 0, "length": 2}]


async def test_a_text_or_a_caption_that_cannot_be_parsed_is_refused(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    words = "can't parse entities: Can't find end tag corresponding to start tag \"b\""
    text = {"chat_id": anna, "text": "<b>", "parse_mode": "html"}
    assert await refusal_of(pair, "sendMessage", **text) == words
    photo = {"chat_id": anna, "photo": "https://shop.ru/a.png", "caption": "<b>", "parse_mode": "html"}
    assert await refusal_of(pair, "sendPhoto", **photo) == words
    assert await refusal_of(pair, "sendMessage", **{**text, "parse_mode": "BBCode"}) == "unsupported parse_mode"
    assert await refusal_of(pair, "sendMessage", **{**text, "text": "<b> </b>"}) == "message text is empty"
