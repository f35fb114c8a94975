"""Examples of dialerctl's commands, for their --help and their manual pages."""

import click

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "call": (
        (
            "Play a sound, and wait for what becomes of the call:",
            "call +4930123456 --play hello-world --wait",
        ),
        (
            "Send who answers into the dialplan, in an hour:",
            'call 100 --context sales --extension s --at "in 1h" --max-retries 2',
        ),
        (
            "By a trunk, or by a provider where the route leads to both:",
            'call +4930123456 --play alarm --say "The alarm went off." --language en',
        ),
    ),
    "sms send": (
        ("One message:", 'sms send +4930123456 "Your code is 1234" --wait'),
        ("The text of a file, to two:", "sms send +4930123456 +4940123456 --file notice.txt --tag notice"),
    ),
    "sms history": (("What went out today, as all providers tell it:", "sms history --since 24h"),),
    "fax send": (("Fax a document:", "fax send +4930123456 contract.pdf --wait"),),
    "voice connect": (
        ("Ring the first, then connect the second:", "voice connect +6591234567 +4930123456 --wait"),
    ),
    "voice say": (("Speak a text:", 'voice say +4930123456 "Your order has arrived." --language en'),),
    "ivr dial": (("Go through steps:", 'ivr dial +4930123456 --message "Hello." --steps steps.json'),),
    "submit": (
        ("Look first at what would become of each row:", "submit leads.csv --template job.toml --dry-run"),
        ("Then hand them in:", "submit leads.csv --template job.toml --batch spring"),
        ("The file may be handed in again, and calls nobody twice:", "submit jobs.csv --key spring-campaign"),
    ),
    "batch show": (("Follow a batch to its end:", "batch show spring --watch"),),
    "batch report": (("A line for each job:", "batch report spring --csv spring.csv"),),
    "list": (("What nobody can know the outcome of:", "list --state held"),),
    "show": (("Everything about a job, as JSON:", "show 01k9zq4m8vbcd --json"),),
    "watch": (("Until the job has ended:", "watch 01k9zq4m8vbcd --timeout 300"),),
    "events": (("What happens, as it happens:", "events --follow --json"),),
    "cancel": (("Take two jobs back:", "cancel 01k9zq4m8vbcd 01k9zq4m8vbce"),),
    "hold": (("Keep a job until it is released:", "hold 01k9zq4m8vbcd"),),
    "release": (
        ("Let it go on:", "release 01k9zq4m8vbcd"),
        ("After a restore, all that was held and is not in doubt:", "release --restored"),
    ),
    "requeue": (("Try a failed job again:", "requeue 01k9zq4m8vbcd"),),
    "resolve": (("The call was made, as the callee said:", "resolve 01k9zq4m8vbcd --as completed"),),
    "dnc add": (("Never call a number again:", 'dnc add "030 123456" --reason "asked on the phone"'),),
    "dnc check": (("Is it on a list?", 'dnc check "030 123456"'),),
    "dnc import": (("All numbers of a file:", "dnc import numbers.csv --list customers"),),
    "rates check": (("What does a minute cost?", 'rates check "030 123456" --trunk main'),),
    "reports list": (("What could not be told:", "reports list --dead"),),
    "reports retry": (("Try it again:", "reports retry webhooks.crm"),),
    "pause": (
        ("A trunk whose line is down:", 'pause main --reason "line is down"'),
        ("Everything:", "pause all"),
    ),
    "resume": (("Let it go on:", "resume main"),),
    "drain": (("Before an upgrade:", "drain --timeout 300"),),
    "trunks": (("Which one is paused, resting or full?", "trunks"),),
    "numbers search": (("Numbers for sale:", "numbers search --country DE --contains 77 --limit 10"),),
    "numbers configure": (
        ("Where the calls to a number go:", "numbers configure +4930123456 --forward-to +4940123456"),
    ),
    "routes create": (("A route to a PBX:", "routes create host pbx.example.com:5060 --alias office"),),
    "account balance": (("What is left, with each provider:", "account balance"),),
    "providers check": (("Do they answer? At no cost:", "providers check"),),
    "status": (("For a program:", "status --json"),),
    "qshape": (("How old is what waits?", "qshape --state queued --state deferred"),),
    "stats": (("A week, day by day:", "stats --since 7d --by day"),),
    "export": (("A batch, for a program:", "export --batch spring --format ndjson"),),
    "purge": (("How many would be removed?", "purge --older-than 30d --dry-run"),),
    "redact": (("Forget whom was called a month ago:", "redact --older-than 30d"),),
    "whoami": (("What may I do, and call?", "whoami"),),
    "check": (("What is wrong, and what to do about it?", "check --problems"),),
    "setup": (
        ("Look first at what would be written:", "setup --dry-run"),
        (
            "All given, nothing asked:",
            "setup --trunk main=PJSIP/{digits}@mytrunk --country DE --context sales --yes --apply",
        ),
    ),
    "backup": (("While dialerd works:", "backup /var/backups/dialerd.tar.gz"),),
    "restore": (
        ("After systemctl stop dialerd.service dialerd.socket:", "restore /var/backups/dialerd.tar.gz"),
    ),
    "fsck": (("After systemctl stop dialerd.service dialerd.socket:", "fsck --repair"),),
    "completion": (
        ("For bash:", "completion bash > ~/.local/share/bash-completion/completions/dialerctl"),
        ("For fish:", "completion fish > ~/.config/fish/completions/dialerctl.fish"),
    ),
}
"""By the command's words: what an example is for, and the words behind "dialerctl"."""


def give(command: click.Command, name: str) -> None:
    """Lets --help of a command, and of its sub-commands, end with their examples."""
    found = EXAMPLES.get(name, ())
    if found and not command.epilog:
        command.epilog = "\n".join(["\b", "Examples:", *(f"  dialerctl {words}" for _, words in found)])
    if isinstance(command, click.Group):
        for each in command.commands.values():
            give(each, f"{name} {each.name}")
