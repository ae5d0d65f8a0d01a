"""What an app writes in the report of an area: one chapter about one of its mandates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from records.documents.content import Content


@dataclass(frozen=True)
class Chapter:
    """A chapter of the report, from the app's own data.

    An app that has one keeps it in `chapter.py`, with `MANDATE: int` and `chapter(area, school_year) -> Chapter`:

    - It is what an outsider may see (AnonymousUser), whoever orders the document.
    - Its texts are Swedish by gettext with English msgids. Whoever makes the document calls it under
      `translation.override("sv")`.
    - The same data give the same content, byte for byte: nothing in it comes from the clock.
    - `blocks` open the chapter; `sections` follow and hold none of their own, since documents are three levels deep;
      `annexes` come at the end of the document.
    - The ids of sections and tables and the keys of `sources` begin with a word that is the chapter's own, for all
      chapters stand in one document.
    - What nobody has reported is said to be not reported, and never counted as none.
    """

    mandate: int
    blocks: Sequence[Content]
    sections: Sequence[Content]
    sources: Mapping[str, Content]
    annexes: Sequence[Content] = ()
