"""What happened, as those outside saw it. Times are of the monotonic clock."""

from dataclasses import dataclass, field

from bots.simulation.simulation import Delivery


@dataclass(frozen=True)
class Question:
    """A message of a person's, and how the provider brought it to us."""

    channel: str
    user: str
    text: str
    delivery: Delivery


@dataclass
class Order:
    """What a caller had to tell a person. Its words are its own, so that every piece of it can be found again.

    `began` and `accepted`: when it was first posted, and when we first heard a 202.
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
    """A caller's request: how it was answered (0: not at all), and after how many seconds."""

    status: int
    seconds: float


@dataclass
class Books:
    """`seen`: the statuses that the API told of an order, one after another."""

    questions: list[Question] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    seen: dict[str, list[str]] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
