"""The runtime of the app that is answering."""

from quart import current_app

from gateway.runtime import Runtime


def runtime() -> Runtime:
    found = current_app.extensions["runtime"]
    if not isinstance(found, Runtime):
        raise TypeError(found)
    return found
