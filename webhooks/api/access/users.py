"""The people who sign in over HTTP, for admins."""

from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_request, document_response

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.formats import iso
from gateway.domain.api.request import read
from gateway.domain.api.users import UserChangeRequest, UserRequest, UsersResponse, UserView
from gateway.domain.model.act import Act
from gateway.people import access
from gateway.people import users as people
from storage.access import users
from storage.access.users import User
from webhooks.http.answers import DeletedResponse, answer, require
from webhooks.http.audit import note, records
from webhooks.http.context import body, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("users", __name__, url_prefix="/api/v1/users")


@blueprint.get("")
@allow()
@document_response(UsersResponse)
async def list_users() -> ResponseReturnValue:
    """List the people who sign in."""
    return answer(UsersResponse(users=[user_view(user) for user in await users.list_users(runtime().db)]))


@blueprint.post("")
@allow()
@records(Act.USER_CREATE)
@document_request(UserRequest)
@document_response(UserView, 201)
async def create() -> ResponseReturnValue:
    """Create a user, who can sign in at once."""
    request, db = read(UserRequest, await body()), runtime().db
    if not await access.create_user(db, request.email, request.password, request.role, runtime().clock()):
        raise Conflict("There is a user of this address already.", "email")
    note(people.plain(request.email), after={"role": request.role})
    return answer(user_view(await _user(request.email)), 201)


@blueprint.patch("/<key>")
@allow()
@records(Act.USER_CHANGE)
@document_request(UserChangeRequest)
@document_response(UserView)
async def change(key: str) -> ResponseReturnValue:
    """Change a user's role or password, which ends all their sign-ins. The last admin stays one."""
    request = read(UserChangeRequest, await body())
    before, after = await _user(key), dict[str, str]()
    if request.role is not None:
        await people.change_role(runtime().db, key, request.role)
        after["role"] = request.role
    if request.password is not None:
        require(key, await people.change_password(runtime().db, key, request.password) or None)
        after |= {"password": "another"}
    note(before.id, before={"role": before.role}, after=after)
    return answer(user_view(await _user(key)))


@blueprint.post("/<key>/signOut")
@allow()
@records(Act.USER_SIGN_OUT)
@document_response(UserView)
async def sign_out(key: str) -> ResponseReturnValue:
    """End all sign-ins of a user, who may sign in anew."""
    user = await _user(key)
    await people.end_sign_ins(runtime().db, user.id)
    note(user.id)
    return answer(user_view(user))


@blueprint.delete("/<key>")
@allow()
@records(Act.USER_DELETE)
@document_response(DeletedResponse)
async def delete(key: str) -> ResponseReturnValue:
    """Delete a user, which ends all their sign-ins. The last admin stays."""
    user = require(key, await people.delete(runtime().db, key))
    note(user.id, before={"role": user.role})
    return answer(DeletedResponse(id=user.id))


async def _user(email: str) -> User:
    return require(email, await users.get_user(runtime().db, people.plain(email)))


def user_view(user: User) -> UserView:
    """Return a user as the API shows it."""
    return UserView(email=user.id, role=user.role, created_at=iso(user.created_at))
