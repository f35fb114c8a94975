"""Whom a callback may come from, where it leads, and what its body holds."""

import time
from ipaddress import ip_network

import pytest

from dialerd.core.callbacks import Answer
from dialerd.intake.listener.doors import Door, Opened, find, form, pairs, source_of, within

TOKEN = "0123456789abcdef"
DOORS = {"exo": Door("exo", TOKEN, lambda callback: Opened((), Answer()))}
PROXIES = (ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8"))


@pytest.mark.parametrize("before", ["", "/dialerd", "/a/b/c"])
def test_a_door_is_found_whatever_a_proxy_puts_before_its_path(before):
    assert find(f"{before}/exo/{TOKEN}", DOORS) is DOORS["exo"]


@pytest.mark.parametrize("path", ["/", "/exo", "/exo/", f"/exo/{TOKEN}x", f"/two/{TOKEN}", f"/exo/{TOKEN}/"])
def test_another_path_leads_nowhere(path):
    assert find(path, DOORS) is None


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        ("8.8.8.8", [], "8.8.8.8"),
        ("8.8.8.8", ["1.2.3.4"], "8.8.8.8"),
        ("127.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("127.0.0.1", ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        ("127.0.0.1", ["6.6.6.6", "1.2.3.4, 10.1.1.1"], "1.2.3.4"),
        ("127.0.0.1", [], "127.0.0.1"),
        (None, ["1.2.3.4"], "1.2.3.4"),
    ],
)
def test_only_what_our_own_proxies_say_of_the_source_is_believed(peer, forwarded, source):
    assert source_of(peer, forwarded, PROXIES) == source


@pytest.mark.parametrize("address", [None, "", "nonsense", "11.0.0.1", "::1"])
def test_what_is_in_no_network_is_outside(address):
    assert not within(address, PROXIES)


def test_an_address_in_a_network_is_inside_also_as_ipv6_writes_it():
    assert within("::ffff:10.1.2.3", PROXIES)


def test_a_form_is_read_in_order_with_its_empty_fields():
    read = form("application/x-www-form-urlencoded; charset=UTF-8", b"a=1&b=&a=%C3%A4+x")

    assert read == (("a", "1"), ("b", ""), ("a", "ä x"))


def test_of_a_multipart_body_the_fields_are_read_and_the_files_left_out():
    body = (
        b'--x\r\nContent-Disposition: form-data; name="CallSid"\r\n\r\nCA1\r\n'
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nno\r\n--x--\r\n'
    )

    assert form("multipart/form-data; boundary=x", body) == (("CallSid", "CA1"),)


def test_another_body_has_no_fields():
    assert form("application/json", b"{}") == ()


def test_a_query_of_very_many_fields_is_refused():
    with pytest.raises(ValueError, match="fields"):
        pairs("&".join(["a=1"] * 1000))


def test_bytes_that_are_no_letters_are_replaced():
    assert pairs("ref=\udcff&to=%ff%41") == (("ref", "\ufffd"), ("to", "\ufffdA"))


def test_a_path_of_bytes_that_are_no_letters_leads_nowhere():
    assert find("/exo/\udcff", DOORS) is None


@pytest.mark.parametrize(
    ("media_type", "written", "read"),
    [
        ('multipart/form-data; charset=utf-8; boundary="a b"', "--a b\r\n{}\r\n\r\n1\r\n--a b--", "1"),
        ("Multipart/Form-Data;BOUNDARY=x", "preamble\r\n--x\r\n{}\r\n\r\n1\r\n2\r\n--x--\r\n", "1\r\n2"),
        ("multipart/form-data; boundary=x", "--x\r\nX-A: b\r\n{}\r\n\r\na --x\r\n--x--", "a --x"),
        ("multipart/form-data; boundary=x", "--x\r\n{}\r\n\r\n\r\n--x--", ""),
    ],
)
def test_a_multipart_body_is_read_however_it_is_written(media_type, written, read):
    body = written.format('content-disposition: form-data; name="Status"').encode()

    assert form(media_type, body) == (("Status", read),)


@pytest.mark.parametrize(
    "part",
    [
        b"Content-Disposition: form-data" + b"; a*0*=b" * 100_000,
        b'Content-Disposition: form-data; name="' + b"=?utf-8?q?a?= " * 70_000,
        b"Content-Disposition: form-data; name=a" + b"(" * 900_000,
        b"Content-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n" * 20_000,
        b"Content-Disposition:" + b" ;" * 400_000,
        b'Content-Disposition: form-data; name="a"\r\n\r\n1\r\n--x\r\n' * 20_000,
    ],
)
def test_a_multipart_body_that_is_made_to_take_long_does_not(part):
    begun = time.process_time()

    form("multipart/form-data; boundary=x", b"--x\r\n" + part + b"\r\n\r\n1\r\n--x--\r\n")

    assert time.process_time() - begun < 2
