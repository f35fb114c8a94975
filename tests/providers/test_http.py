import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from dialerd.core.errors import (
    Rejected,
    Unavailable,
    Unconfirmed,
)
from dialerd.http import Network
from dialerd.providers.http import MOST_BYTES, perform
from dialerd.providers.wire import Part, Request, basic
from tests.providers import cloud as faults
from tests.providers.cloud import Cloud, Fault, Says, closed_port, says
from tests.providers.performing import READ, error, reply
from tests.providers.sample import Sample
from tests.providers.samples import CANARY, account
from tests.reports.receiver import receiving


def test_a_request_has_its_method_path_and_headers_and_its_reply_comes_back_whole(cloud: Cloud) -> None:
    cloud.answers = [says({"id": "x1"}, 201, X_Such="Thing")]

    got = reply(cloud, Request("PATCH", "/v1/a/b/", headers=(("X-Own", "1"),), accept="text/xml"))

    seen = cloud.seen[0]
    assert (seen.method, seen.target, seen.body) == ("PATCH", "/v1/a/b/", b"")
    assert seen.headers["authorization"] == basic("acct", CANARY)
    assert seen.headers["user-agent"].startswith("dialerd/")
    assert seen.headers["accept"] == "text/xml"
    assert seen.headers["x-own"] == "1"
    assert seen.headers["content-length"] == "0"
    assert "content-type" not in seen.headers
    assert (got.status, got.headers["x-such"], got.object()) == (201, "Thing", {"id": "x1"})
    assert got.request is not None


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("/sms/messages/", "sent_date>=2016-05-18", "/base/sms/messages/?sent_date>=2016-05-18"),
        ("/sms/messages/", "sent_date<2016-05-18", "/base/sms/messages/?sent_date<2016-05-18"),
        ("/a%2fb//c", "x=%7e&y={z}|", "/base/a%2fb//c?x=%7e&y={z}|"),
        ("Calls", (("To", "+49 1"), ("E[]", "é")), "/base/Calls?To=%2B49+1&E%5B%5D=%C3%A9"),
        (".json", (), "/base.json"),
        ("", (), "/base"),
        ("/a?b=1", (("c", "2"),), "/base/a?b=1&c=2"),
    ],
)
def test_an_address_goes_out_letter_by_letter(cloud: Cloud, path: str, query: Any, target: str) -> None:
    reply(cloud, Request("GET", path, query), base_url=f"{cloud.url}/base")

    assert cloud.seen[0].target == target


def test_a_slash_at_the_end_of_the_base_url_does_no_harm(cloud: Cloud) -> None:
    reply(cloud, Request("GET", "/a"), base_url=f"{cloud.url}/base/")

    assert cloud.seen[0].target == "/base/a"


def test_a_form_goes_out_in_order_with_repeated_names_in_utf8(cloud: Cloud) -> None:
    fields = (("To", "+491"), ("MediaUrl", "a"), ("MediaUrl", "b"), ("Body", "Grüße & 👋"), ("Empty", ""))

    reply(cloud, Request("POST", "/x", form=fields))

    assert cloud.seen[0].form == list(fields)
    assert cloud.seen[0].headers["content-type"] == "application/x-www-form-urlencoded"


def test_json_goes_out_with_its_media_type(cloud: Cloud) -> None:
    reply(cloud, Request("POST", "/x", json={"body": "Grüße"}, media_type="application/vnd.api+json"))

    assert cloud.seen[0].json == {"body": "Grüße"}
    assert cloud.seen[0].headers["content-type"] == "application/vnd.api+json"


def test_content_goes_out_as_it_stands(cloud: Cloud) -> None:
    reply(cloud, Request("POST", "/x", content=b"<a/>", media_type="text/xml"))

    assert (cloud.seen[0].body, cloud.seen[0].headers["content-type"]) == (b"<a/>", "text/xml")


def test_files_go_out_as_multipart_beside_the_fields(cloud: Cloud) -> None:
    part = Part("file", "Grüße.pdf", "application/pdf", b"%PDF\r\n\x00")

    reply(cloud, Request("POST", "/x", form=(("dest", "+491"), ("tag", "é")), parts=(part,)))

    kind, body = cloud.seen[0].headers["content-type"], cloud.seen[0].body
    boundary = b"--" + kind.partition("boundary=")[2].encode()
    dest, tag, file = [each.partition(b"\r\n\r\n") for each in body.split(boundary)[1:-1]]
    assert kind.startswith("multipart/form-data")
    assert b'name="dest"' in dest[0]
    assert dest[2] == b"+491\r\n"
    assert tag[2] == "é\r\n".encode()
    assert 'filename="Grüße.pdf"'.encode() in file[0]
    assert b"Content-Type: application/pdf" in file[0]
    assert file[2] == part.content + b"\r\n"


@pytest.mark.parametrize("value", ["\ud83d", "a\ud83d"])
def test_half_a_letter_is_refused_before_anything_goes_out(cloud: Cloud, value: str) -> None:
    for request in (Request("POST", "/x", form=(("a", value),)), Request("POST", "/x", json=[value])):
        with pytest.raises(Rejected):
            reply(cloud, request)

    assert cloud.connections_since() == 0


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX-Evil: 1", "/ä"])
def test_a_path_that_is_none_is_never_sent(cloud: Cloud, path: str) -> None:
    with pytest.raises(Unavailable, match="letters"):
        reply(cloud, Request("GET", path))

    assert cloud.connections_since() == 0


@pytest.mark.parametrize("path", ["/v1/../other", "/v1/messages/..", "/v1/./x"])
def test_an_id_that_leads_to_another_place_is_never_sent(cloud: Cloud, path: str) -> None:
    with pytest.raises(Rejected, match="another place"):
        reply(cloud, Request("GET", path))

    assert cloud.connections_since() == 0


def test_a_header_that_holds_a_line_break_is_never_sent_nor_shown(cloud: Cloud) -> None:
    with pytest.raises(Unavailable) as caught:
        reply(cloud, Request("GET", "/", headers=(("X-Key", f"{CANARY}\r\nX-Evil: 1"),)))

    assert CANARY not in str(caught.value)
    assert cloud.seen == []


def test_each_request_has_a_connection_of_its_own(cloud: Cloud) -> None:
    reply(cloud, READ)
    reply(cloud, READ)

    assert cloud.connections_since() == 2


WRITTEN = {
    "unread": faults.RESET_UNREAD,
    "broken": faults.BROKEN_TLS,
    "reset": faults.RESET,
    "closed": faults.CLOSED,
    "half": faults.HALF_A_BODY,
    "no http": faults.NO_HTTP,
}


@pytest.mark.parametrize("fault", WRITTEN)
def test_whatever_breaks_after_the_first_byte_is_in_doubt(cloud: Cloud, fault: str) -> None:
    raised = error(cloud, WRITTEN[fault])

    assert type(raised) is Unconfirmed
    assert len(cloud.seen) == (0 if fault == "unread" else 1)


@pytest.mark.parametrize("fault", [faults.NO_TLS, faults.RESET_IN_TLS])
def test_tls_that_fails_before_the_first_byte_did_nothing(cloud: Cloud, fault: Fault) -> None:
    raised = error(cloud, fault)

    assert type(raised) is Unavailable
    assert cloud.seen == []


def test_a_certificate_of_another_name_did_nothing(cloud: Cloud) -> None:
    raised = error(cloud, says({}), base_url=f"https://127.0.0.1:{cloud.port}")

    assert type(raised) is Unavailable
    assert "certificate" in str(raised)
    assert cloud.seen == []


def test_an_authority_that_is_not_trusted_did_nothing(cloud: Cloud) -> None:
    raised = error(cloud, says({}), ca_file=None)

    assert type(raised) is Unavailable
    assert "certificate" in str(raised)


def test_a_silent_provider_is_left_in_time_and_in_doubt(cloud: Cloud) -> None:
    raised = error(cloud, faults.HANGS, read_s=0.3)

    assert type(raised) is Unconfirmed
    assert "silent for 0.3 seconds" in str(raised)
    assert len(cloud.seen) == 1


def test_a_provider_that_drips_is_left_in_time_and_in_doubt(cloud: Cloud) -> None:
    raised = error(cloud, faults.DRIPS, connect_s=0.6, read_s=0.3)

    assert type(raised) is Unconfirmed
    assert "within 1.2 seconds" in str(raised)


def test_a_server_that_never_shows_a_certificate_did_nothing(cloud: Cloud) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        raised = error(
            cloud, says({}), base_url=f"https://localhost:{silent.getsockname()[1]}", connect_s=0.3
        )

    assert type(raised) is Unavailable
    assert "within 0.3 seconds" in str(raised)


def test_a_refused_connection_did_nothing(cloud: Cloud) -> None:
    raised = error(cloud, says({}), base_url=f"https://localhost:{closed_port()}")

    assert type(raised) is Unavailable
    assert "refused" in str(raised)


def test_a_name_that_is_not_found_did_nothing(cloud: Cloud) -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(Unavailable, match=r"api\.example\.com can't be found"):
        perform(
            account(Sample, cloud, base_url="https://api.example.com"),
            READ,
            sending=True,
            network=Network(nowhere),
        )


def test_an_answer_without_end_is_in_doubt(cloud: Cloud) -> None:
    raised = error(cloud, Says(200, b" " * (MOST_BYTES + 1)))

    assert type(raised) is Unconfirmed
    assert "more than" in str(raised)


def test_the_longest_answer_is_read(cloud: Cloud) -> None:
    cloud.answers = [Says(200, b" " * MOST_BYTES)]

    assert len(reply(cloud, READ).body) == MOST_BYTES


def test_what_holds_a_request_up_does_so_before_its_first_byte(cloud: Cloud) -> None:
    held: list[int] = []
    perform(account(Sample, cloud), READ, sending=True, ready=lambda: held.append(len(cloud.seen)))

    assert held == [0]
    assert len(cloud.seen) == 1


def test_without_tls_only_the_own_network_is_asked(cloud: Cloud) -> None:
    with receiving() as plain:
        settings = replace(account(Sample, cloud), base_url=f"http://localhost:{plain.port}", plain=True)
        perform(settings, Request("POST", "/x", form=()), sending=True)
        with pytest.raises(Unavailable, match="TLS is needed"):
            perform(settings, READ, sending=True, network=Network(lambda host, port: ["93.184.215.14"]))
        with pytest.raises(Unavailable, match="https"):
            perform(replace(settings, plain=False), READ, sending=True)

        assert len(plain.received) == 1


def test_proxies_and_passwords_of_the_environment_are_not_used(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    assert reply(cloud, READ).status == 200


@contextmanager
def proxy(status: int, to: int) -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that connects (status 200) or does not."""
    asked: list[bytes] = []

    def serve(server: socket.socket) -> None:
        client, _ = server.accept()
        with client:
            asked.append(client.recv(4000))
            client.sendall(f"HTTP/1.1 {status} Such\r\n\r\n".encode())
            if status == 200:
                with socket.create_connection(("127.0.0.1", to)) as far:
                    pump = threading.Thread(target=_pump, args=(far, client))
                    pump.start()
                    _pump(client, far)
                    pump.join()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        yield f"http://user:{CANARY}@127.0.0.1:{server.getsockname()[1]}", asked
        thread.join(30)


def _pump(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            to.sendall(piece)
    with suppress(OSError):
        to.shutdown(socket.SHUT_WR)


def test_a_proxy_of_the_settings_is_used_and_sees_no_request(cloud: Cloud) -> None:
    with proxy(200, cloud.port) as (address, asked):
        got = reply(cloud, Request("GET", "/a?b>c"), proxy=address)

    assert got.status == 200
    assert cloud.seen[0].target == "/a?b>c"
    assert asked[0].startswith(f"CONNECT localhost:{cloud.port} ".encode())
    assert b"Proxy-Authorization: Basic" in asked[0]


@pytest.mark.parametrize("status", [407, 502])
def test_a_proxy_that_does_not_connect_did_nothing(cloud: Cloud, status: int) -> None:
    with proxy(status, cloud.port) as (address, _):
        raised = error(cloud, says({}), proxy=address)

    assert type(raised) is Unavailable
    assert str(status) in str(raised)
    assert CANARY not in str(raised)
    assert cloud.seen == []
