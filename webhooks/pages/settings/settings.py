"""The settings: their tabs. Operators see opt-outs and links, admins all of them."""

from quart import Blueprint

from webhooks.pages.settings import audit, keys, links, optouts, users

blueprint = Blueprint("settings", __name__, url_prefix="/settings")
for _tab in (optouts, links, keys, users, audit):
    blueprint.register_blueprint(_tab.blueprint)
