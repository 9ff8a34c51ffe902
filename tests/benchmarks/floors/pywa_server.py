"""A webhook server of pywa with FastAPI, as its documentation shows it (pywa: Getting started), with signatures."""

import uvicorn
from fastapi import FastAPI
from pywa import filters
from pywa_async import WhatsApp
from pywa_async.handlers import MessageHandler
from pywa_async.types import Message

from tests.benchmarks.floors import PORT, open_store
from tests.benchmarks.setup.account import SECRET, account

settings, app = account("http://127.0.0.1"), FastAPI()
whatsapp = WhatsApp(
    phone_id=settings.phone_number_id,
    token=settings.access_token.reveal(),
    server=app,
    webhook_endpoint="/webhooks",
    verify_token=settings.verify_token.reveal(),
    app_secret=SECRET.reveal(),
)
store = open_store()


async def message(_: WhatsApp, event: Message) -> None:
    """Store the message's text; pywa answers before this has ended."""
    await store(event.text)


whatsapp.add_handlers(MessageHandler(message, filters.text))

uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
