"""What happened as seen from outside. Times are seconds of the monotonic clock."""

from dataclasses import dataclass, field

from bots.simulation.simulation import Delivery


@dataclass(frozen=True)
class Question:
    """A person's message and its delivery by the provider."""

    channel: str
    user: str
    text: str
    delivery: Delivery


@dataclass
class Order:
    """A message of a caller to a person. Its words are unique, so that every piece of it can be found again.

    `began` and `accepted`: when it was first posted, and when the first 202 arrived.
    """

    number: str
    phone: str
    words: list[str]
    channels: tuple[str, ...]
    began: float = 0
    accepted: float = 0
    id: str = ""


@dataclass(frozen=True)
class Post:
    """A caller's request: the status of its answer (0 for none) and the seconds until then."""

    status: int
    seconds: float


@dataclass
class Books:
    """The records of callers and people. statuses: what the API said of an order, one after another."""

    questions: list[Question] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    statuses: dict[str, list[str]] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
