import pytest

from dialerd.core.segments import Encoding, Limits, Segments, segments

XOXZO = Limits(single=140, part=132, wide_single=70, wide_part=66, ascii=True)


@pytest.mark.parametrize(
    ("body", "encoding", "parts", "units"),
    [
        ("", "GSM-7", 1, 0),
        ("a" * 160, "GSM-7", 1, 160),
        ("a" * 161, "GSM-7", 2, 161),
        ("a" * 306, "GSM-7", 2, 306),
        ("a" * 307, "GSM-7", 3, 307),
        ("я" * 70, "UCS-2", 1, 70),
        ("я" * 71, "UCS-2", 2, 71),
        ("я" * 134, "UCS-2", 2, 134),
        ("я" * 135, "UCS-2", 3, 135),
    ],
)
def test_a_text_is_cut_at_160_and_153_or_at_70_and_67(
    body: str, encoding: str, parts: int, units: int
) -> None:
    assert segments(body) == Segments(Encoding(encoding), parts, units)


def test_every_letter_of_the_gsm_alphabet_takes_one_unit() -> None:
    alphabet = (
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
        "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
    )

    found = segments(alphabet)

    assert len(alphabet) == 127  # 128 places, one of which is the escape
    assert found == Segments(Encoding.GSM7, 1, 127)


@pytest.mark.parametrize("letter", list("^{}\\[~]|€\f"))
def test_letters_of_the_extension_table_take_two_units(letter: str) -> None:
    assert segments(letter * 80) == Segments(Encoding.GSM7, 1, 160)


@pytest.mark.parametrize("letter", ["`", "ç", "á", "’", "\t", "中", "“"])
def test_one_letter_outside_the_alphabet_turns_the_whole_text_to_ucs_2(letter: str) -> None:
    assert segments("a" * 69 + letter) == Segments(Encoding.UCS2, 1, 70)
    assert segments("a" * 70 + letter).parts == 2


def test_an_escape_is_not_torn_from_its_letter() -> None:
    assert segments("a" * 152 + "€" + "a" * 152) == Segments(Encoding.GSM7, 3, 306)
    assert segments("a" * 151 + "€" + "a" * 153) == Segments(Encoding.GSM7, 2, 306)


def test_letters_beyond_the_basic_plane_take_two_units_and_are_not_torn() -> None:
    assert segments("😀" * 35) == Segments(Encoding.UCS2, 1, 70)
    assert segments("😀" * 66) == Segments(Encoding.UCS2, 2, 132)
    assert segments("😀" * 67) == Segments(Encoding.UCS2, 3, 134)


@pytest.mark.parametrize(
    ("body", "encoding", "parts"),
    [
        ("a" * 140, "ASCII", 1),
        ("a" * 141, "ASCII", 2),
        ("a" * 264, "ASCII", 2),
        ("a" * 265, "ASCII", 3),
        ("{" * 140, "ASCII", 1),
        ("é" * 70, "UCS-2", 1),
        ("é" * 71, "UCS-2", 2),
        ("é" * 133, "UCS-2", 3),
    ],
)
def test_a_provider_may_have_limits_of_its_own(body: str, encoding: str, parts: int) -> None:
    found = segments(body, XOXZO)

    assert (found.encoding, found.parts) == (encoding, parts)
