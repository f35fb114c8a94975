"""What bytes are a document, and how many pages it has."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.core.documents import PDF, TIFF, examine


def pdf(pages: int, more: bytes = b"", count: int | None = None) -> bytes:
    """A PDF as most programs write it, without its table of places."""
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(pages))
    found = b"%%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    found += b"2 0 obj\n<< /Type /Pages /Kids [%b] /Count %d >>\nendobj\n" % (
        kids,
        pages if count is None else count,
    )
    for number in range(pages):
        found += b"%d 0 obj\n<</Type /Page /Parent 2 0 R>>\nendobj\n" % (number + 3)
    return found.replace(b"%%", b"%", 1) + more + b"%%EOF\n"


def tiff(pages: int, order: str = "<") -> bytes:
    """A TIFF with nothing but its directories."""
    found = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    for number in range(pages):
        following = 0 if number == pages - 1 else len(found) + 18
        found += struct.pack(f"{order}H", 1) + bytes(12) + struct.pack(f"{order}I", following)
    return found


@pytest.mark.parametrize("pages", [1, 2, 25])
def test_the_pages_of_a_pdf_are_counted(pages: int) -> None:
    paper = examine(pdf(pages))

    assert (paper.media_type, paper.pages, paper.size) == (PDF, pages, len(pdf(pages)))


def test_a_page_that_was_written_anew_counts_once_and_one_in_a_stream_not_at_all() -> None:
    again = b"3 0 obj\n<</Type /Page /Parent 2 0 R>>\nendobj\n"
    packed = b"90 0 obj\n<<>>\nstream\n91 0 obj /Type /Page\nendstream\nendobj\n"

    assert examine(pdf(2, again + packed)).pages == 2


@pytest.mark.parametrize(
    "data",
    [pdf(2, count=3), pdf(2, b"9 0 obj\n<</Type /ObjStm>>\nendobj\n"), b"%PDF-1.4\n", pdf(0)],
    ids=["disagrees", "packed away", "nothing", "none"],
)
def test_where_the_pages_of_a_pdf_can_not_be_told_for_sure_they_are_not(data: bytes) -> None:
    assert examine(data).pages is None


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_pages_of_a_tiff_are_counted(order: str) -> None:
    paper = examine(tiff(3, order))

    assert (paper.media_type, paper.pages) == (TIFF, 3)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"PK\x03\x04", "neither PDF nor TIFF"),
        (b" %PDF-1.4", "neither PDF nor TIFF"),
        (tiff(2)[:-1], "cut off"),
        (b"II*\0", "cut off"),
        (b"II*\0" + struct.pack("<I", 0), "no page"),
        (b"II*\0" + struct.pack("<I", 8) + struct.pack("<HI", 0, 8), "never end"),
        (b"%PDF-" + bytes(100), "50 are the most"),
    ],
)
def test_what_can_not_be_faxed_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        examine(data, 50)


def test_the_same_bytes_have_the_same_id_and_others_another() -> None:
    assert examine(pdf(1)).id == examine(pdf(1)).id != examine(pdf(2)).id


@pytest.mark.parametrize("piece", [b"1 0 obj ", b"1 ", b"/Type /Page", b"stream\n", b"/Count 1" + b" " * 30])
def test_a_hostile_pdf_is_read_in_one_go(piece: bytes) -> None:
    assert examine(b"%PDF-1.4\n" + piece * (2_000_000 // len(piece))).pages is None


@given(st.sampled_from([b"%PDF-", b"II*\0", b"MM\0*"]), st.binary())
def test_no_bytes_whatever_make_it_stumble(start: bytes, rest: bytes) -> None:
    told = ""
    try:
        size = examine(start + rest).size
    except ValueError as error:
        size, told = 0, str(error)

    assert size == len(start + rest) or told.endswith(".")
