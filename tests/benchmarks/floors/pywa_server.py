"""pywa with FastAPI under uvicorn, as its documentation shows it (pywa: Getting started), verifying signatures."""

import uvicorn
from fastapi import FastAPI
from pywa import filters
from pywa_async import WhatsApp
from pywa_async.handlers import MessageHandler
from pywa_async.types import Message

from tests.benchmarks.floors import PORT, keeper
from tests.benchmarks.stage.account import SECRET, account

ours, app = account("http://127.0.0.1"), FastAPI()
whatsapp = WhatsApp(
    phone_id=ours.phone_number_id,
    token=ours.access_token.reveal(),
    server=app,
    webhook_endpoint="/webhooks",
    verify_token=ours.verify_token.reveal(),
    app_secret=SECRET.reveal(),
)
keep = keeper()


async def message(_: WhatsApp, told: Message) -> None:
    """pywa answers before this has ended."""
    await keep(told.text)


whatsapp.add_handlers(MessageHandler(message, filters.text))

uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
