"""How laws are collected and looked at, and words that several of them use."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateway.domain.model.attempt import Attempt, succeeded
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Progress
from tests.laws.adversary import Play, Turn

UNDER_WAY = {Progress.SENDING, Progress.UNKNOWN, Progress.SENT, Progress.DELIVERED, Progress.READ}


@dataclass
class Laws:
    """Each is a function that looks at a play that is over."""

    checks: list[Callable[[Play], None]] = field(default_factory=list)

    def __call__(self, check: Callable[[Play], None]) -> Callable[[Play], None]:
        self.checks.append(check)
        return check

    def hold(self, play: Play) -> None:
        for check in self.checks:
            check(play)


def groups(notification: Notification) -> set[tuple[int, ...]]:
    """The sequence, and each required step by itself."""
    required = {(index,) for index, step in enumerate(notification.steps) if step.required}
    sequence = tuple(index for index, step in enumerate(notification.steps) if not step.required)
    return required | ({sequence} if sequence else set())


def group_of(notification: Notification, step: int) -> tuple[int, ...]:
    return next(group for group in groups(notification) if step in group)


def later(notification: Notification, step: int) -> set[int]:
    """The steps that may take over from this one."""
    return {other for other in group_of(notification, step) if other > step}


def reached(notification: Notification, group: tuple[int, ...]) -> bool:
    tried = (attempt for attempt in notification.attempts if attempt.step in group)
    return any(succeeded(attempt, notification.steps[attempt.step]) for attempt in tried)


def over(turn: Turn) -> bool:
    """Has everything arrived that was to arrive, was it cancelled, or is its validity over?"""
    before = turn.before
    arrived = all(reached(before, group) for group in groups(before))
    return arrived or before.cancelled_at is not None or turn.context.now >= before.expires_at


def followers(notification: Notification, attempt: Attempt) -> Iterator[Attempt]:
    """Attempts of later steps that have gone out or may have."""
    after = later(notification, attempt.step)
    return (other for other in notification.attempts if other.step in after and other.progress in UNDER_WAY)
