"""The picture that the person sends from the demo's phones."""

import struct
import zlib

WIDTH, HEIGHT = 160, 120
NAME, CONTENT_TYPE = "evening.png", "image/png"


def picture() -> bytes:
    """Return a small picture as PNG: the sky in the evening."""
    rows = (b"\0" + bytes((60 + row, 90 + row // 2, 190 - row)) * WIDTH for row in range(HEIGHT))
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
