"""Links to files, as bots and callers get them with what a person said."""

from msgspec.structs import replace

from gateway.domain.api.file_links import file_link, life_from
from gateway.domain.model.files import PERSONS, files_of, with_ids
from gateway.domain.model.nouns import Content, Media
from gateway.messages.media.kinds import file_name
from gateway.runtime.runtime import Runtime


def with_links(runtime: Runtime, content: Content, line: str) -> Content:
    """Return what a person said in this line of the chat log, its files with their ids and with links to them."""
    if content.media is None:
        return content
    media, *others = (_linked(runtime, file) for file in files_of(with_ids(content, line)))
    return replace(content, media=media, others=tuple(others))


def without_links(content: Content) -> Content:
    """Return a bot's answer without what stands for a person's file, which only the bot and callers are told."""
    media = content.media
    if media is None or not (media.link or media.file.startswith(PERSONS)):
        return content
    return replace(content, media=replace(media, file="", link=""))


def _linked(runtime: Runtime, media: Media) -> Media:
    """Return the file with a link to it, if links are signed here."""
    if not runtime.settings.media_secrets:
        return media
    secret, until = runtime.settings.media_secrets[0].reveal(), life_from(runtime.clock())
    name = file_name(media.name, media.type, "")
    return replace(media, link=file_link(secret, runtime.settings.public_url, media.file, name, until))
