"""What can go wrong, by what the user must know of it (docs/INTERNALS.md, "Outcomes")."""

from dataclasses import dataclass


class DialerError(Exception):
    """The root of every error that dialerd raises on purpose."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in what a user wrote: where it stands, and a sentence on what to do about it.

    `rule` names the rule that refuses what is right in itself, such as "do_not_call" (docs/api.md lists
    them).
    """

    where: str
    what: str
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class Refusal(ValueError):
    """What a rule of the configuration refuses though it is right in itself; `rule` is as in Mistake."""

    def __init__(self, rule: str, what: str) -> None:
        self.rule = rule
        super().__init__(what)


class _Mistakes(DialerError):
    """An error that lists every mistake at once."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        super().__init__("; ".join(map(str, mistakes)))


class ConfigError(_Mistakes):
    """The daemon can't start as it is configured. Only at start-up; exit code 78."""


class NoGround(ConfigError):
    """What the configuration names can't be used by now: a disk that is not mounted, a folder, a port. It may
    come back without a person. Only at start-up; exit code 70."""


class InvalidJob(_Mistakes):
    """A document that can't become a job: refused at the door, with every mistake in it."""


class KeyConflict(DialerError):
    """The owner used this key before, for another document."""

    def __init__(self, key: str, job_id: str, purged: bool = False) -> None:
        self.key, self.job_id = key, job_id
        was = "which has ended and was purged" if purged else "which was submitted with another body"
        super().__init__(f"The key {key!r} already stands for job {job_id}, {was}.")


class Overloaded(DialerError):
    """A bound is reached: nothing was accepted. Ask again after `retry_after` seconds."""

    def __init__(self, why: str, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(why)


class NoSuchJob(DialerError):
    """No job has this id."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"There is no job {job_id}.")


class NotAllowed(DialerError):
    """The job's state does not allow what was asked of it."""


class NotPermitted(DialerError):
    """The caller's roles don't give the right that this takes (core/roles.py)."""

    rule = "role"


class DeliveryError(DialerError):
    """The outcome of one attempt that did not hand the job over."""


class Rejected(DeliveryError):
    """Permanent: the answer will be no every time."""


class NotServed(Rejected):
    """A provider does not serve this number or sender: another one may."""


class Unavailable(DeliveryError):
    """Transient: certainly nothing was done. `retry_after`: seconds that the provider asked us to wait."""

    def __init__(self, why: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(why)


class AccountRefused(Unavailable):
    """The provider takes nothing from this account (credentials, credit): it says nothing of the job."""


class Unconfirmed(DeliveryError):
    """In doubt: it may have been done. Never tried again by itself."""


class Broken(DialerError):
    """Our own ground gave way (disk full, spool unwritable, store corrupt): stop accepting and say so."""


class NewerStore(Broken):
    """A file of ours was written by a newer dialerd: nothing of it is touched, and starting again won't
    help."""
