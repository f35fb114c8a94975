"""The client for Python programs (docs/client.md). Standard library only.

    from dialerd.client import Client

    with Client() as dialerd:
        job = dialerd.submit(to="+4930123456", play="hello-world").job
        print(dialerd.wait(job["id"])["state"])

Every submit carries a key, so that a repeat after a lost connection never calls twice. One client is for
one thread.
"""

from dialerd.client.client import ENDED, Client, new_key
from dialerd.client.errors import (
    DEFAULT_SOCKET,
    AccountRefused,
    ClientError,
    KeyConflict,
    NoPermission,
    NoSuchJob,
    NotAllowed,
    NotPermitted,
    Problem,
    Refused,
    TryLater,
    Unconfirmed,
    Unreachable,
    WaitTimeout,
)
from dialerd.client.fields import Event, Job, JobFields, Mistake, Submitted

__all__ = [
    "DEFAULT_SOCKET",
    "ENDED",
    "AccountRefused",
    "Client",
    "ClientError",
    "Event",
    "Job",
    "JobFields",
    "KeyConflict",
    "Mistake",
    "NoPermission",
    "NoSuchJob",
    "NotAllowed",
    "NotPermitted",
    "Problem",
    "Refused",
    "Submitted",
    "TryLater",
    "Unconfirmed",
    "Unreachable",
    "WaitTimeout",
    "new_key",
]
