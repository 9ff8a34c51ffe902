"""What the chat log shows of the pieces of an attempt."""

from datetime import UTC, datetime

from gateway.domain.model.attempt import Attempt, Step
from gateway.domain.model.notification import Notification, Recipient
from gateway.domain.model.nouns import Address, Content, Progress, TemplateMessage
from gateway.domain.model.piece import chat_line, piece_key, read_piece_key

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANNA = Address("whatsapp", "shop", "79161234567")
TEMPLATE = TemplateMessage("order_update", "en")
STEP = Step("whatsapp", content=Content("Hello"), template=TEMPLATE)


def after(*, template: bool) -> Notification:
    attempt = Attempt(0, Progress.SENDING, NOW, address=ANNA, template=template, pieces=2)
    return Notification("n1", Recipient(), (STEP,), NOW, NOW, attempts=(attempt,))


def test_the_first_piece_shows_what_was_said_and_the_others_nothing_more() -> None:
    first, second = (chat_line(after(template=False), 0, part, ANNA, "m1", NOW) for part in range(2))
    assert (first.content, first.template) == (Content("Hello"), None)
    assert (second.content, second.template, second.part) == (None, None, 1)


def test_a_template_is_shown_as_one_and_not_as_the_text_that_was_not_sent() -> None:
    line = chat_line(after(template=True), 0, 0, ANNA, "m1", NOW)
    assert (line.content, line.template) == (None, TEMPLATE)
    assert (line.id, line.session, line.outbound, line.notification) == (ANNA.line("m1"), ANNA.key, True, "n1")


def test_a_key_names_its_piece_and_nothing_else_is_a_key() -> None:
    assert read_piece_key(piece_key("a/b", 1, 2)) == ("a/b", 1, 2)
    for other in ("", "n1", "n1/0", "n1/0/", "n1/a/0", "n1/0/-1", "n1/0/x"):
        assert read_piece_key(other) is None
