"""Checks that every question was answered once, in the order in which people asked."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import permutations

from tests.siege.actors.people import ANSWERS
from tests.siege.auditing.books import Question
from tests.siege.auditing.ledger import Ledger, Report, in_doubt, was_put_off
from webhooks.demo.environment import ACCOUNT


def check_answers(ledger: Ledger, report: Report) -> None:
    """Check that each question has one answer. It may lack one only if the record says that it may have been sent."""
    chats: dict[tuple[str, str], list[Question]] = defaultdict(list)
    for question in ledger.books.questions:
        chats[question.channel, question.user].append(question)
    silent = 0
    for (channel, user), questions in chats.items():
        session = f"{channel}:{ACCOUNT}:{ledger.simulators[channel].known_as(user)}"
        replies = [notification for notification in ledger.replies if notification.recipient.session == session]
        if len(replies) != len(questions):
            report.complaints.append(f"{session} asked {len(questions)} times and has {len(replies)} answers")
        kinds = [kind for message in ledger.accepted_for(channel, user) if (kind := _question_of(message.text))]
        missing, doubtful = len(questions) - len(kinds), sum(map(in_doubt, replies))
        silent += max(missing, 0)
        texts = [question.text for question in questions]
        if not 0 <= missing <= doubtful:
            report.complaints.append(f"{session} asked {texts} and got {kinds}; in doubt: {doubtful}")
        elif not any(_is_subsequence(kinds, order) for order in _possible_orders(questions)):
            delayed = sum(map(was_put_off, replies))
            report.overtaken.append(f"{session} asked {texts} and was answered {kinds}; {delayed} had been put off")
    report.figures.append(f"{len(chats)} chats; {silent} questions without an answer, each on record as in doubt")


def _question_of(text: str) -> str:
    """Return the question that this text answers, "" if it is no answer."""
    return next((question for question, answer in ANSWERS.items() if answer in text), "")


def _possible_orders(questions: Sequence[Question]) -> list[list[str]]:
    """Return the possible orders of answers: those of arrival.

    A question accepted before another was first posted comes before it; of others, either may have arrived first.
    """
    return [[question.text for question in order] for order in permutations(questions) if _is_possible(order)]


def _is_possible(order: Sequence[Question]) -> bool:
    return not any(
        later.delivery.taken < earlier.delivery.posted
        for index, earlier in enumerate(order)
        for later in order[index + 1 :]
    )


def _is_subsequence(kinds: Sequence[str], order: Sequence[str]) -> bool:
    """Return whether `kinds` is a subsequence of `order`."""
    rest = iter(order)
    return all(kind in rest for kind in kinds)
