"""A webhook server of viberbot with Flask, as its README shows it, under waitress instead of a development server."""

from typing import Any

from flask import Flask, Response, request
from pymongo import MongoClient
from viberbot import Api, BotConfiguration
from waitress import serve

from tests.benchmarks.floors import DATABASE, PORT, URI
from tests.benchmarks.setup.account import SECRET

app = Flask(__name__)
viber = Api(BotConfiguration(name="bench", avatar="http://127.0.0.1/a.jpg", auth_token=SECRET.reveal()))
collection = MongoClient[dict[str, Any]](URI, w="majority")[DATABASE]["floor"] if URI else None


@app.post("/webhooks")
def webhook() -> Response:
    if not viber.verify_signature(request.get_data(), request.headers.get("X-Viber-Content-Signature")):
        return Response(status=403)
    event = viber.parse_request(request.get_data())
    if collection is not None:
        collection.insert_one({"call": repr(event)})
    return Response(status=200)


serve(app, host="127.0.0.1", port=PORT, threads=16)
