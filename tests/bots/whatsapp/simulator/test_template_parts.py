"""What Meta refuses in a template: the largest of each part passes, and one more is refused by its code."""

from typing import Any

import pytest

from bots.whatsapp.simulator.template_parts import part_faults

BODY = {"type": "BODY", "text": "Hello"}


def refused(*parts: dict[str, Any]) -> list[int]:
    """Return the codes of the faults of a template with this body and these parts."""
    return [fault.code for fault in part_faults([BODY, *parts], None)]


def buttons(*kinds: str) -> dict[str, Any]:
    return {
        "type": "BUTTONS",
        "buttons": [{"type": kind, "text": f"Button {number}", **FIELDS[kind]} for number, kind in enumerate(kinds)],
    }


FIELDS: dict[str, dict[str, Any]] = {
    "QUICK_REPLY": {},
    "URL": {"url": "https://shop.ru/"},
    "PHONE_NUMBER": {"phone_number": "+79990000001"},
    "COPY_CODE": {"example": "A17"},
    "FLOW": {"flow_id": "17"},
    "OTP": {"otp_type": "COPY_CODE"},
}


@pytest.mark.parametrize(
    ("kind", "most"), [("QUICK_REPLY", 10), ("URL", 2), ("PHONE_NUMBER", 1), ("COPY_CODE", 1), ("FLOW", 1), ("OTP", 1)]
)
def test_so_many_buttons_of_a_kind_and_no_more(kind: str, most: int) -> None:
    assert refused(buttons(*[kind] * most)) == []
    assert set(refused(buttons(*[kind] * (most + 1)))) == {100}


def test_each_card_of_a_carousel_is_looked_at() -> None:
    card = {"components": [{"type": "BODY", "text": "A card"}]}
    wrong = {"components": [{"type": "BODY", "text": "A card {{1}} without an example"}]}
    assert refused({"type": "CAROUSEL", "cards": [card, card]}) == []
    assert refused({"type": "CAROUSEL", "cards": [card, wrong]}) == [100]
    assert refused({"type": "CAROUSEL", "cards": [card]}) == [100]
    assert refused({"type": "CAROUSEL", "cards": [card] * 11}) == [100]


@pytest.mark.parametrize(("kind", "most"), [("HEADER", 60), ("BODY", 1024), ("FOOTER", 60)])
def test_so_long_a_text_and_no_longer(kind: str, most: int) -> None:
    part = {"type": kind, "text": "x" * most}
    longer = {"type": kind, "text": "x" * (most + 1)}
    rest = [] if kind == "BODY" else [BODY]
    assert list(part_faults([*rest, part], None)) == []
    assert [fault.code for fault in part_faults([*rest, longer], None)] == [100]
