"""Who may do what: the roles of users and of API keys."""

from enum import StrEnum


class Role(StrEnum):
    """ADMIN may do everything. OPERATOR talks with people; SENDER sends, cancels, and asks how it ended."""

    ADMIN = "admin"
    OPERATOR = "operator"
    SENDER = "sender"
