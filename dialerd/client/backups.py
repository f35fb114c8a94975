"""What the client asks of backups."""

from collections.abc import Iterator

from dialerd.client.errors import explain, raise_problem
from dialerd.client.wire import Wire

_TIMEOUT_S = 600.0
"""A large queue is copied before the first byte comes."""


class Backups:
    """The client's method on backups."""

    socket_path: str

    def backup(self) -> Iterator[bytes]:
        """A backup of all that the daemon knows, piece by piece (docs/backup.md): whole only if the iterator
        comes to its end. Raises TryLater where there is no room for it."""
        import json

        wire = Wire(self.socket_path, _TIMEOUT_S)
        try:
            reply = wire.request("GET", "/v1/backup")
            if reply.status != 200:
                raise_problem(reply.status, json.loads(reply.body()))
            yield from reply.pieces()
        except OSError as error:
            raise explain(error, self.socket_path) from None
        finally:
            wire.close()
