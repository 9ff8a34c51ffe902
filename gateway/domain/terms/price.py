"""What messages cost, as our accounts' settings say: no provider tells it when it takes one. Pure."""

import re
from decimal import Decimal

from msgspec import Struct

FORM = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ([A-Z]{3})")


class Price(Struct, frozen=True):
    """So much of a currency (ISO 4217); `amount` is decimal, as in "2.50"."""

    amount: str
    currency: str

    def times(self, count: int) -> "Price":
        return Price(str(Decimal(self.amount) * count), self.currency)


def read_price(text: object) -> Price:
    """Read a price as settings write it, "2.50 RUB". Raises ValueError."""
    found = FORM.fullmatch(text) if isinstance(text, str) and text.isascii() else None
    if found is None:
        raise ValueError('an amount and a currency are needed, as in "2.50 RUB"')
    return Price(*found.groups())
