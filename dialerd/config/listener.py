"""The section [listener]: where providers tell us what happened, and whom we believe."""

from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from dialerd.config.fields import Account, Name, Section, file_mode, socket_path
from dialerd.config.urls import Networks, base_address, is_own
from dialerd.core import texts
from dialerd.core.inbound import MAX_BODY_BYTES, ListenerSettings

_THIS_MACHINE = ("127.0.0.0/8", "::1")
_HOW = "Write 127.0.0.1:8443, [::1]:8443, or the whole path of a Unix socket."


def _place(text: str) -> tuple[str, int] | Path:
    """Host and port, or the path of a Unix socket. Raises ValueError with a sentence."""
    if text.startswith("/"):
        return socket_path(Path(text))
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ip_address(bare)
    except ValueError:
        raise ValueError(f"This is no address of this machine with a port. {_HOW}") from None
    if not colon or (address.version == 6) is (bare == host):
        raise ValueError(f"This is no address of this machine with a port. {_HOW}")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise ValueError(f"A port lies between 1 and 65535. {_HOW}")
    return str(address), int(port)


def _address(text: str) -> str:
    _place(text)
    return text


def _readers(value: object) -> object:
    """Who may read the metrics: true is this machine, false is nobody."""
    return (_THIS_MACHINE if value else ()) if isinstance(value, bool) else value


def _public_url(url: str) -> str:
    return base_address(url, plain=is_own(url))


class ListenerSection(Section):
    """Where callbacks are taken. It speaks plain HTTP: a reverse proxy before it has the certificate."""

    address: Annotated[str, AfterValidator(partial(texts.bounded, most=200)), AfterValidator(_address)] = (
        "127.0.0.1:8443"
    )
    mode: Annotated[int, BeforeValidator(file_mode)] = 0o660
    group: Account = ""
    allow_any: bool = False
    public_url: Annotated[str, AfterValidator(_public_url)]
    proxies: Networks = ()
    max_body: Annotated[int, Field(ge=1024, le=64 * 1024 * 1024)] = MAX_BODY_BYTES
    sources: dict[Name, Networks] = Field(default={})
    metrics: Annotated[Networks, BeforeValidator(_readers)] = ()

    @model_validator(mode="after")
    def _fits(self) -> "ListenerSection":
        place = _place(self.address)
        if not isinstance(place, Path):
            if not ip_address(place[0]).is_loopback and not self.allow_any:
                raise ValueError(
                    "The listener speaks plain HTTP, so whoever is on the network could read and forge what"
                    " providers say: let it listen on 127.0.0.1, behind a reverse proxy that has a"
                    " certificate, or say allow_any = true."
                )
            if self.model_fields_set & {"mode", "group"}:
                raise ValueError(
                    "mode and group are those of a Unix socket: take them out, or give its path."
                )
        if not isinstance(place, Path) and self._shows_all():
            raise ValueError(
                "A reverse proxy on this machine would show the metrics to everybody, since its requests come"
                ' from this machine: name it in proxies, such as proxies = ["127.0.0.1"], have it send'
                " X-Forwarded-For, and let it pass on nothing but what is below public_url."
            )
        return self

    def _shows_all(self) -> bool:
        """Whether metrics that this machine may read are also shown to those behind a proxy on it."""
        near = any(each.is_loopback for each in self.metrics)
        return near and not is_own(self.public_url) and not self.proxies

    def settings(self) -> ListenerSettings:
        """What the listener needs to know."""
        place = _place(self.address)
        path = place if isinstance(place, Path) else None
        host, port = ("", 0) if isinstance(place, Path) else place
        return ListenerSettings(
            public_url=self.public_url,
            host=host,
            port=port,
            path=path,
            mode=self.mode,
            group=self.group,
            proxies=self.proxies,
            max_body=self.max_body,
            sources=dict(self.sources),
            metrics=self.metrics,
        )
