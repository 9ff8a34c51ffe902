"""What the API reads and answers about the people who sign in."""

from typing import Annotated

from msgspec import Meta

from gateway.domain.api.request import Input
from gateway.domain.api.response import View
from gateway.domain.api.roles import Role

SHORTEST, LONGEST = 12, 1024
"""The fewest and the most characters of a password."""

ADDRESS = {"form": "an e-mail address is needed, as in olga@shop.example"}
Email = Annotated[str, Meta(max_length=254, pattern=r"^[^@\s/]+@[^@\s/]+\Z", extra=ADDRESS)]
Password = Annotated[str, Meta(min_length=SHORTEST, max_length=LONGEST)]


class UserRequest(Input):
    """A user to create. email: with what they sign in, in any case. role: what they may do."""

    email: Email
    password: Password
    role: Role


class UserChangeRequest(Input):
    """What to change of a user. Each change ends all their sign-ins."""

    role: Role | None = None
    password: Password | None = None


class UserView(View):
    """A person who signs in. email: in lower case."""

    email: str
    role: Role
    created_at: str | None


class UsersResponse(View):
    """All users, ordered by address."""

    users: list[UserView]
