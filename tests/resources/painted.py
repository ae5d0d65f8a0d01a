"""Pictures to send in."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image


def painted(size: tuple[int, int] = (40, 30), kind: str = "JPEG", mode: str = "RGB", **how: Any) -> bytes:
    """A picture of one colour, left half red."""
    picture = Image.new(mode, size, "blue" if mode in ("RGB", "RGBA") else 0)
    if mode in ("RGB", "RGBA"):
        picture.paste("red", (0, 0, size[0] // 2, size[1]))
    file = io.BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()
