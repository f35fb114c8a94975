"""dialerctl: the client on the command line. Each command's module is imported only when it is called."""

import sys
from importlib import import_module
from typing import Any

import click

_MODULES = {
    "call": "call",
    "sms": "sms",
    "fax": "fax",
    "voice": "voice",
    "ivr": "ivr",
    "submit": "submit",
    "batch": "batch",
    "list": "listing",
    "show": "listing",
    "watch": "follow",
    "events": "follow",
    "cancel": "operate",
    "hold": "operate",
    "release": "operate",
    "requeue": "operate",
    "resolve": "operate",
    "dnc": "dnc",
    "rates": "rates",
    "reports": "reports",
    "pause": "pause",
    "resume": "pause",
    "drain": "pause",
    "trunks": "trunks",
    "numbers": "numbers",
    "routes": "routes",
    "account": "account",
    "providers": "providers",
    "status": "status",
    "qshape": "qshape",
    "stats": "stats",
    "export": "export",
    "purge": "purge",
    "redact": "purge",
    "whoami": "whoami",
    "check": "check",
    "backup": "backup",
    "restore": "restore",
    "fsck": "fsck",
    "setup": "setup",
    "completion": "completion",
}


class _Commands(click.Group):
    """Finds a command in its module, and turns the client's errors into sentences and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _MODULES:
            return None
        from dialerd.cli import examples

        found = getattr(import_module(f"dialerd.cli.{_MODULES[name]}"), f"{name}_")
        assert isinstance(found, click.Command)
        examples.give(found, name)
        return found

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        unknown = args and not args[0].startswith("-") and args[0] not in _MODULES
        if unknown and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = get_close_matches(args[0], _MODULES, n=1)
            hint = f' Did you mean "{near[0]}"?' if near else ""
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        from dialerd.client.errors import ClientError

        try:
            return super().invoke(ctx)
        except ClientError as error:
            from dialerd.cli import errors

            sys.exit(errors.report(error, ctx.obj))
        except KeyboardInterrupt:
            sys.exit(130)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from dialerd.cli import exits

        self.epilog = exits.help()
        super().format_epilog(ctx, formatter)


def _version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from dialerd import __version__

        click.echo(f"dialerctl {__version__}")
        ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--socket", metavar="PATH", help="The daemon's socket; default $DIALERD_SOCKET, else the system's."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one value a line.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version, and end.",
)
@click.pass_context
def main(ctx: click.Context, socket: str | None, as_json: bool) -> None:
    """Hands phone calls, messages and faxes to dialerd, and follows what becomes of them."""
    ctx.obj = {"socket": socket, "json": as_json}
