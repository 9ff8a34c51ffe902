"""A webhook server of aiogram, as its documentation shows it (aiogram: Webhook), with a handler that does nothing."""

from aiogram import Bot, Dispatcher
from aiogram.types import Message
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web

from tests.benchmarks.floors import PORT, open_store
from tests.benchmarks.setup.account import SECRET

TOKEN = "4839574812:AAFD39kkdpWt3ywyRZergyOLMaJhac60qcK"


async def main() -> web.Application:
    store, dispatcher = open_store(), Dispatcher()

    @dispatcher.message()
    async def message(event: Message) -> None:
        await store(event.model_dump_json())

    app, bot = web.Application(), Bot(TOKEN)
    handler = SimpleRequestHandler(dispatcher, bot, handle_in_background=False, secret_token=SECRET.reveal())
    handler.register(app, path="/webhooks")
    setup_application(app, dispatcher, bot=bot)
    return app


web.run_app(main(), host="127.0.0.1", port=PORT, access_log=None, print=None)
