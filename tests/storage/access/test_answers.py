"""Tests answers that are kept under a request's key, also those that are larger than a document may be."""

from datetime import UTC, datetime

import pytest

from storage.access import keys
from storage.documents.documents import Db

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("length", [1, keys.PIECE, keys.PIECE + 1, 2 * keys.PIECE + 1])
async def test_an_answer_is_found_as_it_was_given(db: Db, length: int) -> None:
    answer = b"".join(number.to_bytes(4, "big") for number in range(length // 4 + 1))[:length]
    assert await keys.claim_request(db, "key", b"body", NOW) is None
    assert await keys.remember_answer(db, "key", answer, NOW) == answer
    assert await keys.find_request(db, "key", b"body") == keys.PastRequest(answer)
    assert await keys.remember_answer(db, "key", b"another", NOW) == answer


async def test_an_answer_of_which_a_piece_has_gone_is_none(db: Db) -> None:
    await keys.claim_request(db, "key", b"body", NOW)
    await keys.remember_answer(db, "key", b"x" * (keys.PIECE + 1), NOW)
    assert await db["requests"].delete_one({"piece": b"x"})
    assert await keys.find_request(db, "key", b"body") == keys.PastRequest(None)


async def test_who_repeats_a_request_hears_its_answer(db: Db) -> None:
    await keys.claim_request(db, "key", b"body", NOW)
    assert await keys.claim_request(db, "key", b"body", NOW) == keys.PastRequest(None)
    await keys.remember_answer(db, "key", b"answer", NOW)
    assert await keys.claim_request(db, "key", b"body", NOW) == keys.PastRequest(b"answer")
    with pytest.raises(keys.KeyConflict):
        await keys.claim_request(db, "key", b"another body", NOW)
