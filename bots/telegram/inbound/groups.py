"""Reads what messages in groups have besides: who speaks, to whom, in which topic. Bot API: Message, Chat."""

import re

from bots.telegram.inbound.updates import Message

FORWARDER = 777000
"""The account in whose name Telegram copies a channel's posts into its discussion group."""


def is_group(chat: int) -> bool:
    """Tell whether a chat is a group or a channel: their ids are negative. Bot API: Chat."""
    return chat < 0


def author(message: Message) -> tuple[str, str]:
    """Return the id and the name of who speaks; an anonymous admin speaks as the group, others as their channel."""
    if chat := message.sender_chat:
        return str(chat.id), chat.title
    sender = message.sender
    return (str(sender.id), f"{sender.first_name} {sender.last_name}".strip()) if sender else ("", "")


def is_automatic(message: Message) -> bool:
    """Tell whether nobody wrote this: a bot, or Telegram, which copies a channel's posts.

    Who speaks as a chat has a bot for a sender, too, but is a person.
    """
    if message.is_automatic_forward or (message.sender and message.sender.id == FORWARDER):
        return True
    return message.sender is not None and message.sender.is_bot and message.sender_chat is None


def topic(message: Message) -> str:
    """Return the id of the forum topic, or "". A thread of replies has an id too, but takes no messages by it."""
    return str(message.message_thread_id or "") if message.is_topic_message else ""


def addressed(text: str, username: str) -> bool | None:
    """Return whether a text names our bot or another as the one that it is for; None where it names no bot.

    username: our bot's. Without it nothing is known of names, and every command is ours.
    """
    if not username:
        return None
    if target := re.match(r"/\w{1,32}@(\w{1,64})", text):
        return target[1].lower() == username.lower()
    return True if _mention(username).search(text) else None


def without_name(text: str, username: str) -> str:
    """Return a text without our bot's name at its beginning or end."""
    if not username:
        return text
    mention = _mention(username)
    begin, end = mention.match(text), mention.search(text, max(0, len(text) - len(username) - 1))
    text = text[: end.start()] if end and end.end() == len(text) else text
    return (text[begin.end() :].lstrip(" ,:\n") if begin else text).strip()


def _mention(username: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)@{re.escape(username)}(?!\w)", re.IGNORECASE)
