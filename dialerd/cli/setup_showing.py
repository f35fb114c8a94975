"""What `dialerctl setup` would do, did, and leaves to do, for a person or as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click

from dialerd.cli import setup_steps, show
from dialerd.cli.setup_writing import Change
from dialerd.setup.marks import Found


def changes(found: Sequence[Change], force: bool) -> None:
    """What would become of each file."""
    for each in found:
        said = each.found.value
        if each.file.text is None:
            said = "not needed any more" if not each.left_alone else said
        elif each.found is Found.SAME and not each.right:
            said = f"owner or mode not right ({each.file.owner}:{each.file.group} {each.file.mode:04o})"
        if each.left_alone:
            said += ": replaced (--force)" if force else ": left alone; this is how it would differ"
        click.echo(f"{each.file.path}: {said}")
        if each.found is not Found.SAME:
            click.echo(each.diff or "  a long random word that nobody sees\n")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run: the files that were written, those that were kept under another name, those that
    were left alone, what is left to do for a person, and the commands that make it count."""

    changes: Sequence[Change]
    needed: bool
    written: Sequence[str]
    kept: Mapping[str, str]
    left: Sequence[str]
    todo: Sequence[str]
    steps: Sequence[Sequence[str]]

    def tell(self, steps_too: bool, declined: bool = False) -> None:
        """In sentences."""
        if declined:
            click.echo("Nothing was written.")
            return
        if self.written:
            click.echo(f"Written: {len(self.written)} files.")
        elif self.needed:
            click.echo("Nothing was written; --yes writes it.")
        elif not self.left:
            click.echo("Nothing has to be changed.")
        for path, name in self.kept.items():
            click.echo(f"What {path} held is kept beside it, as {name}.")
        if self.left:
            click.echo(f"Left alone, since a person wrote them: {', '.join(self.left)}.")
            click.echo("--force replaces them, and keeps what they held as NAME.bak.")
        for each in self.todo:
            click.echo(f"To do: {each}")
        if steps_too:
            click.echo("\nThen, or by --apply:")
            for step in self.steps:
                click.echo(f"  {setup_steps.line(step)}")

    def print_json(self) -> None:
        """As one JSON object."""
        files = [
            {
                "path": each.file.path,
                "found": each.found.name.lower(),
                "written": each.file.path in self.written,
                "kept_as": self.kept.get(each.file.path),
                "diff": each.diff,
            }
            for each in self.changes
        ]
        show.print_json({"files": files, "todo": self.todo, "commands": self.steps})
