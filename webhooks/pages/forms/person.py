"""How an operator names a person: by a number, an e-mail address, an id of the business's, or an identifier."""

from gateway.domain.model.sought import is_number
from webhooks.pages.forms.mistakes import Mistake
from webhooks.pages.words import gettext

FEWEST_DIGITS = 5
LONGEST = 256


def named(text: str) -> dict[str, str]:
    """Return the field of a request in which somebody is named like this. Raises Mistake for nobody."""
    who = text.strip()[:LONGEST]
    if not who:
        raise Mistake(gettext("Say whom."), "who")
    if ":" in who:
        return {"identifier": who}
    if "@" in who:
        return {"email": who}
    return {"phone" if is_number(who, FEWEST_DIGITS) else "externalId": who}
