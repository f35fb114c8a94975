"""Talks HTTP: one request on a connection of its own. The one place that knows requests and urllib3.

The host is resolved once, every address that comes of it is tested, and only these are connected to, whatever
the name leads to a moment later. TLS checks the certificate against the name. The address goes out letter by
letter as it was given. No redirect is followed, and no proxy or password of the environment is used.
"""

from dialerd.http.network import Network, connect, multipart, resolve
from dialerd.http.values import Answer, Connect, Failed, Forbidden, Limits, Manner, Outgoing, Resolve

__all__ = [
    "Answer",
    "Connect",
    "Failed",
    "Forbidden",
    "Limits",
    "Manner",
    "Network",
    "Outgoing",
    "Resolve",
    "connect",
    "multipart",
    "resolve",
]
