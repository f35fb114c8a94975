"""The rulebook: what the configuration and its files say of policy. Made anew, whole, at each reload."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from dialerd.config import DEFAULT_PATH, Config, load
from dialerd.config.lists import OPT_OUT
from dialerd.core.errors import InvalidJob
from dialerd.core.policy import Rules
from dialerd.core.roles import Roles
from dialerd.engine.ports import Policy
from dialerd.lists.rates import Rates
from dialerd.lists.settings import ListFile
from dialerd.lists.stoplists import StopLists
from dialerd.log import get_logger
from dialerd.secret import as_the_service

log = get_logger(__name__)


class Rulebook:
    """Rules, roles, stop lists, rates, accounts with providers and our own numbers: what belongs together.

    `accounts` are AccountSettings with their secrets; `dids` are core's Did by number.
    """

    def __init__(self, config: Config, make: bool = True) -> None:
        """Reads the files; those of dialerd's own that are missing are made, unless `make` is off. Raises
        ConfigError with every mistake in them."""
        self.config = config
        sections, own = config.stop_list_files()
        files = [
            ListFile(
                name,
                each.file or own / f"{name}.txt",
                each.reason or "",
                each.writable,
                own=each.file is not None and each.file.parent == own,
                salt_path=each.salt_file,
            )
            for name, each in sections.items()
        ]
        self.stop_lists = StopLists(files, config.calls.default_country)
        self.rates = Rates(config.caps.rates, frozenset((*config.trunks, *config.providers)))
        self.accounts = config.provider_settings()
        self.dids = config.did_actions()
        self.stop_lists.load(make)
        self.rates.load()

    def start(self) -> None:
        """Looks from now on whether the files change."""
        self.stop_lists.start()
        self.rates.start()

    def stop(self) -> None:
        """Ends that."""
        self.rates.stop()
        self.stop_lists.stop()

    def problems(self) -> list[str]:
        """What is wrong with the files by now; what they said before counts on."""
        return [*self.stop_lists.problems(), *self.rates.problems()]

    def rules(self) -> Rules:
        """What a job may ask for, before its owner's role is looked at."""
        return replace(self.config.rules(), stopped=self.stop_lists.stopped)

    def roles(self) -> Roles:
        """Who may do what."""
        return self.config.roles_of()

    def policy(self) -> Policy:
        """What the engine keeps to."""
        rules = self.roles().widest(self.rules())
        answers = {(did.provider or "", did.number): did.steps for did in self.dids.values() if did.steps}
        return Policy(rules, self.config.caps.budget(), self.rates, self.opt_out, answers)

    def opt_out(self, number: str, reason: str) -> None:
        """Puts a number on the opt-out list: its callee wants no more calls."""
        try:
            self.stop_lists.insist(OPT_OUT, number, reason, os.geteuid(), datetime.now(UTC))
        except InvalidJob as error:
            log.error("opt_out_failed", why=str(error))


def looked_through(path: Path | None) -> str:
    """What `dialerd --check` says of a configuration without mistakes. It runs outside the service and makes
    no files: they would be another user's. Raises ConfigError with every mistake."""
    Rulebook(load(path, as_the_service(os.environ)), make=False)
    if path is None and not DEFAULT_PATH.exists():
        return f"There is no {DEFAULT_PATH}, and the defaults alone call nobody. Write it: dialerctl setup"
    return f"{path or DEFAULT_PATH} is fine."
