"""The roles of users and API keys, which decide what they may do."""

from enum import StrEnum


class Role(StrEnum):
    """ADMIN may do everything; OPERATOR talks with people; SENDER sends and cancels messages, and reads results."""

    ADMIN = "admin"
    OPERATOR = "operator"
    SENDER = "sender"
