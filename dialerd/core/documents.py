"""Documents to be faxed: which bytes are one, how many pages it has, whose they are.

Sources: the PDF header and page tree by ISO 32000-1, 7.5.2 and 7.7.3; TIFF's header and its chain of image
directories by TIFF revision 6.0, section 2.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from typing import Protocol

PDF = "application/pdf"
TIFF = "image/tiff"
SUFFIXES: Mapping[str, str] = {".pdf": PDF, ".tif": TIFF, ".tiff": TIFF}
"""How the names of documents end, by what they are."""

MOST_BYTES = 20 << 20
"""The most that a document may have, if nothing else is configured. Providers allow less (Hoiio 2 MB)."""

MOST_PAGES = 10_000

ID = r"[0-9a-f]{64}"

_TIFF_ORDER = {b"II*\0": "<", b"MM\0*": ">"}
_ENTRY_BYTES = 12
_TOKEN = re.compile(
    rb"(?P<obj>[0-9]{1,10})\s{1,20}[0-9]{1,5}\s{1,20}obj\b|/Type\s{0,20}/(?P<type>Pages?)(?![A-Za-z])"
    rb"|/Count\s{1,20}(?P<count>[0-9]{1,9})|(?P<parent>/Parent\b)|(?P<packed>/ObjStm\b)|(?P<stream>\bstream\r?\n)"
)


@dataclass(frozen=True, slots=True)
class Paper:
    """A document that is kept. `id` is the SHA-256 of its bytes in hex, `size` is in bytes; `pages` is None
    where it can't be told."""

    id: str
    media_type: str
    size: int
    pages: int | None = None


class Documents(Protocol):
    """Where documents are kept: each belongs to the users that handed in its bytes. From any thread."""

    @property
    def most_bytes(self) -> int:
        """The most that one may have."""

    def put(self, owner: int, data: bytes, /) -> Paper:
        """Keeps it; on disk when it returns. Raises InvalidJob, Overloaded at a bound, Broken."""

    def find(self, owner: int, document: str, /) -> Paper | None:
        """One of this user's, by its id; it is kept on for a while."""


def examine(data: bytes, most_bytes: int = MOST_BYTES) -> Paper:
    """What these bytes are. Raises ValueError with a sentence for what can't be faxed."""
    if len(data) > most_bytes:
        raise ValueError(f"The document has {len(data)} bytes: {most_bytes} are the most.")
    media_type = media_type_of(data)
    pages = _pdf_pages(data) if media_type == PDF else _tiff_pages(data)
    return Paper(sha256(data).hexdigest(), media_type, len(data), pages)


def media_type_of(data: bytes) -> str:
    """What the document is, by its first bytes. Raises ValueError with a sentence."""
    if data.startswith(b"%PDF-"):
        return PDF
    if data[:4] in _TIFF_ORDER:
        return TIFF
    if not data:
        raise ValueError("The document is empty: send the bytes of a PDF or a TIFF.")
    raise ValueError("The document is neither PDF nor TIFF: convert it to one of them.")


def _tiff_pages(data: bytes) -> int:
    """An image directory is a page. Raises ValueError for a chain of them that is broken."""
    order = _TIFF_ORDER[data[:4]]
    long, short = Struct(f"{order}I"), Struct(f"{order}H")
    seen: set[int] = set()
    place = 4
    try:
        while (place := long.unpack_from(data, place)[0]) != 0:
            if place in seen or len(seen) >= MOST_PAGES:
                raise ValueError("The TIFF's pages never end: save it anew.")
            seen.add(place)
            place += short.size + short.unpack_from(data, place)[0] * _ENTRY_BYTES
    except Exception as error:
        if isinstance(error, ValueError):
            raise
        raise ValueError("The TIFF is cut off: save it anew, and send it whole.") from None
    if not seen:
        raise ValueError("The TIFF has no page.")
    return len(seen)


@dataclass(slots=True)
class _Object:
    """What was seen of one object of a PDF."""

    type: bytes = b""
    count: int | None = None
    inner: bool = False


def _pdf_pages(data: bytes) -> int | None:
    """The number of pages, where the objects that are not packed away say it, all in the same way: the
    page objects are as many as the root of their tree counts."""
    objects: dict[int, _Object] = {}
    here, place = _Object(), 0
    while (found := _TOKEN.search(data, place)) is not None:
        place = found.end()
        if found["packed"]:
            return None
        if found["stream"]:
            place = data.find(b"endstream", place)
            if place < 0:
                break
        elif found["obj"]:
            here = objects[int(found["obj"])] = _Object()
        elif found["type"]:
            here.type = found["type"]
        elif found["count"]:
            here.count = int(found["count"])
        else:
            here.inner = True
    pages = sum(each.type == b"Page" for each in objects.values())
    roots = [each.count for each in objects.values() if each.type == b"Pages" and not each.inner]
    return pages if roots == [pages] and pages else None
