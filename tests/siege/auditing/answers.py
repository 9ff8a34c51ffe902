"""Was every question answered, once, and in the order in which people asked?"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import permutations

from tests.siege.actors.people import ANSWERS
from tests.siege.auditing.books import Question
from tests.siege.auditing.ledger import Ledger, Report, in_doubt, was_put_off
from webhooks.demo.environment import ACCOUNT


def answers(ledger: Ledger, report: Report) -> None:
    """One answer for each question; none, at most, where it is on record that it may have been sent."""
    chats: dict[tuple[str, str], list[Question]] = defaultdict(list)
    for question in ledger.books.questions:
        chats[question.channel, question.user].append(question)
    silent = 0
    for (channel, user), questions in chats.items():
        session = f"{channel}:{ACCOUNT}:{user}"
        replies = [one for one in ledger.replies if one.recipient.session == session]
        if len(replies) != len(questions):
            report.complaints.append(f"{session} asked {len(questions)} times and has {len(replies)} answers")
        kinds = [kind for line in ledger.said(channel, user) if (kind := _kind(line.text))]
        missing, doubtful = len(questions) - len(kinds), sum(map(in_doubt, replies))
        silent += max(missing, 0)
        asked = [question.text for question in questions]
        if not 0 <= missing <= doubtful:
            report.complaints.append(f"{session} asked {asked} and got {kinds}; in doubt: {doubtful}")
        elif not any(_within(kinds, order) for order in _orders(questions)):
            put_off = sum(map(was_put_off, replies))
            report.overtaken.append(f"{session} asked {asked} and was answered {kinds}; {put_off} had been put off")
    report.figures.append(f"{len(chats)} chats; {silent} questions without an answer, each on record as in doubt")


def _kind(text: str) -> str:
    """To which question this is the answer; "" if it is none."""
    return next((question for question, answer in ANSWERS.items() if text.startswith(answer)), "")


def _orders(questions: Sequence[Question]) -> list[list[str]]:
    """In which orders they may be answered: what had been taken before another was first posted comes before it."""
    return [[one.text for one in order] for order in permutations(questions) if _keeps(order)]


def _keeps(order: Sequence[Question]) -> bool:
    return not any(
        later.delivery.taken < earlier.delivery.posted
        for index, earlier in enumerate(order)
        for later in order[index + 1 :]
    )


def _within(kinds: Sequence[str], order: Sequence[str]) -> bool:
    """Is the one the other, with gaps?"""
    rest = iter(order)
    return all(kind in rest for kind in kinds)
