"""Reads texts of parse modes MarkdownV2 and Markdown. Bot API: MarkdownV2 style, Markdown style."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from bots.telegram.simulator.markup.writer import CannotParse, Entity, Marked, Writer, bytes_before, link

RESERVED = "_*[]()~`>#+-=|{}.!"
MARKS: Mapping[str, str] = {
    "__": "underline",
    "||": "spoiler",
    "_": "italic",
    "*": "bold",
    "~": "strikethrough",
}
"""The marks that begin and end an entity, the longer ones first."""

QUOTES = {"**>": "expandable_blockquote", ">": "blockquote"}
FENCE = "```"
LANGUAGE = re.compile(r"([^\s`]+)?\n")
OLD = {"*": "bold", "_": "italic", "`": "code"}
OLD_TOKEN = re.compile(r"\\([_*`\[])|(```)|([_*`])|(\[)|[^\\_*`\[]+|\\")


class Open(NamedTuple):
    """An entity that has begun. `mark` ends it."""

    mark: str
    entity: Entity
    start: int
    at: int


class Markdown:
    """A text of MarkdownV2 under way: what is read and what is open."""

    def __init__(self, source: str) -> None:
        self.source, self.index = source, 0
        self.writer, self.open = Writer(), list[Open]()

    def parse(self) -> Marked:
        while self.index < len(self.source):
            if not (self._quote() or self._escaped() or self._code() or self._link() or self._mark()):
                self._plain()
        while self.open and self.open[-1].mark == ">":
            self._end()
        if self.open:
            raise self._no_end(self.open[-1])
        return self.writer.marked()

    def _at(self, mark: str) -> bool:
        return self.source.startswith(mark, self.index)

    def _begin(self, mark: str, entity: Entity, length: int) -> None:
        self.open.append(Open(mark, entity, self.writer.position, self.index))
        self.index += length

    def _end(self) -> None:
        opened = self.open.pop()
        self.writer.mark(opened.start, opened.entity)

    def _no_end(self, opened: Open) -> CannotParse:
        name = str(opened.entity["type"]).title().replace("_", "")
        return CannotParse(f"Can't find end of {name} entity at byte offset {bytes_before(self.source, opened.at)}")

    def _quote(self) -> bool:
        """Begin, continue or end a block quotation, at the beginning of a line."""
        if self.index and self.source[self.index - 1] != "\n":
            return False
        in_quote = any(opened.mark == ">" for opened in self.open)
        if in_quote and self._at(">"):
            self.index += 1
        elif in_quote:
            if self.open[-1].mark != ">":
                raise self._no_end(self.open[-1])
            self._end()
            return self._begin_quote()
        else:
            return self._begin_quote()
        return True

    def _begin_quote(self) -> bool:
        for mark, kind in QUOTES.items():
            if self._at(mark):
                self._begin(">", {"type": kind}, len(mark))
                return True
        return False

    def _escaped(self) -> bool:
        following = self.source[self.index + 1 : self.index + 2]
        if not (self._at("\\") and following and ord(following) < 127):  # noqa: PLR2004 - the end of ASCII
            return False
        self.writer.write(following)
        self.index += 2
        return True

    def _code(self) -> bool:
        """Read a piece of code whole: in it only the backtick and the backslash are special."""
        if not self._at("`"):
            return False
        mark = FENCE if self._at(FENCE) else "`"
        self._begin(mark, {"type": "pre" if mark == FENCE else "code"}, len(mark))
        if mark == FENCE and (language := LANGUAGE.match(self.source, self.index)):
            self.open[-1].entity.update({"language": language[1]} if language[1] else {})
            self.index = language.end()
        while not self._at(mark):
            if self.index >= len(self.source):
                raise self._no_end(self.open[-1])
            if not self._escaped():
                self._write()
        self.index += len(mark)
        self._end()
        return True

    def _link(self) -> bool:
        if self._at("["):
            self._begin("]", {"type": "text_link"}, 1)
        elif self._at("!["):
            self._begin("]", {"type": "custom_emoji"}, 2)
        elif self._at("]") and self.open and self.open[-1].mark == "]":
            opened = self.open.pop()
            self.index += 1
            self.writer.mark(opened.start, self._target(opened))
        else:
            return False
        return True

    def _target(self, opened: Open) -> Entity:
        """Read the address in parentheses. An address may be missing: then the text is the address."""
        if not self._at("("):
            return {}
        match = re.compile(r"\(((?:\\.|[^\\)])*)\)", re.DOTALL).match(self.source, self.index)
        if not match:
            at = bytes_before(self.source, opened.at)
            raise CannotParse(f"Can't find end of a URL at byte offset {at}")
        self.index = match.end()
        url = re.sub(r"\\(.)", r"\1", match[1])
        if opened.entity["type"] == "text_link":
            return link(url)
        return {"type": "custom_emoji", "custom_emoji_id": url.partition("id=")[2]}

    def _mark(self) -> bool:
        mark = next((mark for mark in MARKS if self._at(mark)), "")
        if not mark:
            return False
        if mark == "||" and self._ends_quote():
            return True
        if self.open and self.open[-1].mark in {mark, mark[0]}:
            self.index += len(self.open[-1].mark)
            self._end()
        else:
            self._begin(mark, {"type": MARKS[mark]}, len(mark))
        return True

    def _ends_quote(self) -> bool:
        """Take the mark at the end of an expandable quotation."""
        following = self.source[self.index + 2 : self.index + 3]
        if not (self.open and self.open[-1].mark == ">" and following in {"", "\n"}):
            return False
        self.open[-1].entity["type"] = "expandable_blockquote"
        self.index += 2
        return True

    def _plain(self) -> None:
        if (character := self.source[self.index]) in RESERVED:
            raise CannotParse(f"Character '{character}' is reserved and must be escaped with the preceding '\\'")
        self._write()

    def _write(self) -> None:
        self.writer.write(self.source[self.index])
        self.index += 1


def parse_markdown(source: str) -> Marked:
    """Return the text of parse mode MarkdownV2 and its entities. Raises CannotParse."""
    return Markdown(source).parse()


def parse_old_markdown(source: str) -> Marked:
    """Return the text of parse mode Markdown and its entities, which cannot be nested. Raises CannotParse."""
    writer, index = Writer(), 0
    while index < len(source):
        token = OLD_TOKEN.match(source, index)
        if token is None or not any(token.groups()):
            writer.write(token[0] if token else source[index])
            index = token.end() if token else index + 1
        elif token[1]:
            writer.write(token[1])
            index = token.end()
        elif token[4]:
            index = _old_link(source, index, writer)
        else:
            index = _old_entity(source, index, token[0], writer)
    return writer.marked()


def _old_entity(source: str, index: int, mark: str, writer: Writer) -> int:
    start, end = writer.position, source.find(mark, index + len(mark))
    if end < 0:
        raise CannotParse(f"Can't find end of the entity starting at byte offset {bytes_before(source, index)}")
    writer.write(source[index + len(mark) : end])
    writer.mark(start, {"type": OLD.get(mark, "pre")})
    return end + len(mark)


def _old_link(source: str, index: int, writer: Writer) -> int:
    start, end = writer.position, source.find("]", index)
    if end < 0:
        raise CannotParse(f"Can't find end of the entity starting at byte offset {bytes_before(source, index)}")
    if not source.startswith("(", end + 1) or (stop := source.find(")", end)) < 0:
        writer.write(source[index : end + 1])
        return end + 1
    writer.write(source[index + 1 : end])
    writer.mark(start, link(source[end + 2 : stop]))
    return stop + 1
