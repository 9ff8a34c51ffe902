"""The room that the filled-in texts of one message have, over all of its steps."""

import pytest

from gateway.domain.api.request import RequestError
from gateway.messages.composing.values import MOST_BYTES, Values


def test_the_texts_of_one_message_fill_the_room_and_no_more() -> None:
    values = Values({})
    for _ in range(2):
        values.take_room("я" * (MOST_BYTES // 4), "text")
    values.take_room("", "text")
    with pytest.raises(RequestError, match="at most 128 KiB") as refused:
        values.take_room("!", "channels[1].text")
    assert (refused.value.code, refused.value.field) == ("too_long", "channels[1].text")
