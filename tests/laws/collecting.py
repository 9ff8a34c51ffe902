"""Collects laws and checks them, and defines the terms that several laws use."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateway.domain.model.attempt import Attempt, succeeded
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Progress
from tests.laws.adversary import Play, Turn

UNDER_WAY = {Progress.SENDING, Progress.UNKNOWN, Progress.SENT, Progress.DELIVERED, Progress.READ}


@dataclass
class Laws:
    """A collection of laws, each a function that checks a finished play."""

    checks: list[Callable[[Play], None]] = field(default_factory=list)

    def __call__(self, check: Callable[[Play], None]) -> Callable[[Play], None]:
        self.checks.append(check)
        return check

    def hold(self, play: Play) -> None:
        """Check all laws on this play. Raises AssertionError."""
        for check in self.checks:
            check(play)


def groups(notification: Notification) -> set[tuple[int, ...]]:
    """Return the groups of steps: the sequence, and each required step by itself."""
    required_groups = {(index,) for index, step in enumerate(notification.steps) if step.required}
    sequence = tuple(index for index, step in enumerate(notification.steps) if not step.required)
    return required_groups | ({sequence} if sequence else set())


def group_of(notification: Notification, step: int) -> tuple[int, ...]:
    """Return the group that contains this step."""
    return next(group for group in groups(notification) if step in group)


def later(notification: Notification, step: int) -> set[int]:
    """Return the steps that may follow this one in its group."""
    return {other for other in group_of(notification, step) if other > step}


def is_reached(notification: Notification, group: tuple[int, ...]) -> bool:
    """Return whether some attempt of this group succeeded."""
    attempts = (attempt for attempt in notification.attempts if attempt.step in group)
    return any(succeeded(attempt, notification.steps[attempt.step]) for attempt in attempts)


def is_over(turn: Turn) -> bool:
    """Return whether every group was reached, the notification was cancelled, or its validity has ended."""
    before = turn.before
    are_reached = all(is_reached(before, group) for group in groups(before))
    return are_reached or before.cancelled_at is not None or turn.context.now >= before.expires_at


def followers(notification: Notification, attempt: Attempt) -> Iterator[Attempt]:
    """Return the attempts of later steps that were or may have been sent."""
    followers = later(notification, attempt.step)
    return (other for other in notification.attempts if other.step in followers and other.progress in UNDER_WAY)
