"""How often a person is answered."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.model.answers import (
    LONG,
    MOST,
    QUIET,
    SAME,
    WITHIN,
    Answer,
    Reason,
    Span,
    Spans,
    counted,
    why_withheld,
    with_answer,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def play(texts: Sequence[tuple[float, str]]) -> list[Answer]:
    """Let the bot say these texts, each so many seconds after the last one. Returns all, with those withheld marked."""
    stored, all_answers, at = tuple[Answer, ...](), list[Answer](), NOW
    spans: Spans = {}
    for number, (pause, text) in enumerate(texts):
        at += pause * SECOND
        answer = Answer(str(number), at, text)
        answer = Answer(str(number), at, text, withheld=why_withheld(stored, spans, answer) is not None)
        spans = counted(stored, spans, answer)
        stored = with_answer(stored, answer)
        assert len(stored) <= MOST + 1
        all_answers.append(answer)
    return all_answers


def said(texts: Sequence[tuple[float, str]]) -> int:
    return sum(not answer.withheld for answer in play(texts))


def test_the_same_is_not_said_a_third_time() -> None:
    assert said([(1, "a")] * 1000) == SAME
    assert said([(60, "a")] * 1000) == SAME, "a slow machine ends, too"
    assert said([(1, "a"), (1, "a"), (1, "b"), (1, "a"), (1, "a")]) == 5
    assert said([(1, "a"), (1, "a"), (1, "a"), (1, "b"), (1, "a")]) == 4


def test_after_a_while_it_is_said_again() -> None:
    pause = QUIET / SECOND
    assert said([(pause, "a")] * 10) == 10
    assert said([(1, "a"), (1, "a"), (1, "a"), (pause, "a")]) == 3


def test_no_more_than_some_in_half_a_minute() -> None:
    assert said([(0.1, str(number)) for number in range(100)]) == MOST
    assert said([(WITHIN / SECOND / MOST, str(number)) for number in range(60)]) == 60
    assert said([(1, str(number)) for number in range(60)]) == 2 * MOST


@pytest.mark.parametrize("name", LONG)
def test_no_more_than_some_in_an_hour_and_in_a_day(name: Reason) -> None:
    most, length = LONG[name]
    pause = length / SECOND / (2 * most)
    texts = [(pause, str(number)) for number in range(4 * most)]
    withheld = [answer.withheld for answer in play(texts)]
    assert withheld == 2 * ([False] * most + [True] * most)


def test_a_question_that_is_worked_on_again_is_answered_all_the_same() -> None:
    answers = (Answer("1", NOW, "a"), Answer("2", NOW, "a"))
    assert why_withheld(answers, {"hour": Span(NOW, 1000)}, Answer("2", NOW, "a")) is None
    assert counted(answers, {}, Answer("2", NOW, "a")) == {}
    assert with_answer(answers, Answer("2", NOW, "a")) == answers


@given(st.lists(st.tuples(st.floats(0, 700), st.sampled_from("abc")), max_size=60))
def test_whatever_is_asked_the_limits_hold(texts: list[tuple[float, str]]) -> None:
    answers = [answer for answer in play(texts) if not answer.withheld]
    for index, answer in enumerate(answers):
        assert sum(answer.at - WITHIN < other.at for other in answers[: index + 1]) <= MOST
