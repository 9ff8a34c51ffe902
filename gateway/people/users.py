"""Changes of the people who sign in. One of the administrators always stays. Making a user: `access`."""

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.roles import Role
from gateway.people.access import hash_password
from storage.access import users
from storage.access.users import User
from storage.documents.documents import Db

LAST_ADMIN = "This is the last administrator: make another one first."


async def change_role(db: Db, email: str, role: Role) -> User | None:
    """Give a user another role, which ends their sign-ins. Returns the user as it was, or None if there is none.

    Raises Conflict where no administrator would be left.
    """
    user = await users.get_user(db, plain(email))
    if user is None or user.role is role:
        return user
    if user.role is Role.ADMIN and await _admins(db) == {user.id}:
        raise Conflict(LAST_ADMIN, "role")
    await users.set_role(db, user.id, role)
    if user.role is Role.ADMIN and not await _admins(db):  # another was changed at the same moment
        await users.set_role(db, user.id, Role.ADMIN)
        raise Conflict(LAST_ADMIN, "role")
    return user


async def change_password(db: Db, email: str, password: str) -> bool:
    """Give a user another password, which ends their sign-ins. Returns False if there is no such user."""
    return await users.set_password(db, plain(email), await hash_password(password))


async def end_sign_ins(db: Db, email: str) -> bool:
    """End all sign-ins of a user, in pages and by tokens. Returns False if there is no such user."""
    user = await users.get_user(db, plain(email))
    if user:
        await users.sign_out(db, user.id)
    return user is not None


async def delete(db: Db, email: str) -> User | None:
    """Delete a user, which ends their sign-ins. Returns the user as it was, or None if there is none.

    An administrator loses the role first, so that of two who delete each other at least one stays. Raises Conflict
    where no administrator would be left.
    """
    user = await change_role(db, email, Role.SENDER)
    if user:
        await users.delete_user(db, user.id)
    return user


async def _admins(db: Db) -> set[str]:
    return {user.id for user in await users.list_users(db) if user.role is Role.ADMIN}


def plain(email: str) -> str:
    """Return an address as it is stored."""
    return email.strip().lower()
