"""The files that setup writes for Asterisk and systemd.

etc/asterisk holds the same two snippets for those who set up by hand; a test compares them.
"""

import ipaddress
import re

from dialerd.setup.answers import Answers, is_loopback

_SECRET = re.compile(r"\s*;*[^=;]*secret\s*=", re.IGNORECASE)
"""Also one that was commented out. Asterisk takes no notice of the case of its keys."""

_MANAGER = """\
[{user}]
{secret_says}secret = {secret}
deny = 0.0.0.0/0.0.0.0
{permits}
; call: how each channel rings, is answered and ends. dialplan: which channel belongs to which job (VarSet),
; and whether the action ran (Newexten). system: that Asterisk has booted or goes down. cdr: the call records,
; which tell that an application did not exist (needs cdr_manager.so, and enabled = yes in cdr_manager.conf;
; optional).
read = call,dialplan,system,cdr
; call: to hang up a cancelled call. reporting: CoreStatus and CoreSettings (start time, call limit). system:
; Filter, which keeps the events that dialerd does not need off the wire.
write = call,reporting,system
writetimeout = 5000
"""

RING = """\
; A call file can name one channel only. For several at once dialerd dials Local/s@dialerd-ring, which rings
; all of DIALERD_RING (channels joined by &) for DIALERD_RING_TIME seconds; the first to answer gets the job's
; action.
; The context's name is ring_context under [calls] in dialerd.toml.
[dialerd-ring]
exten => s,1,Dial(${DIALERD_RING},${DIALERD_RING_TIME})
 same => n,Hangup(${HANGUPCAUSE})
"""
"""extensions.dialerd.conf: for jobs with `ring: any`."""

_GENERAL = """\
; AMI is off in manager.conf. This switches it on, for this machine alone: AMI is clear text.
[general]{adds}
enabled = yes
bindaddr = 127.0.0.1

"""


def manager(answers: Answers, secret: str, general: bool = True, says: str = "") -> str:
    """The AMI user that dialerd logs in as. `general`: manager.conf has a section of that name, since (+) may
    add to no other. `says` is a line above the secret."""
    on = _GENERAL.format(adds="(+)" if general else "") if answers.enable_ami else ""
    return on + _MANAGER.format(
        user=answers.ami_user,
        secret=secret.replace(";", "\\;"),
        secret_says=says,
        permits="\n".join(f"permit = {each}" for each in _permits(answers.ami_host)),
    )


def _permits(host: str) -> list[str]:
    own = "127.0.0.1/255.255.255.255"
    if is_loopback(host):
        return [own]
    return [own, f"{host}/{'255.255.255.255' if ipaddress.ip_address(host).version == 4 else '128'}"]


def tmpfiles(answers: Answers, group: str) -> str:
    """What opens Asterisk's spool to dialerd, at each start of the machine (tmpfiles.d(5)).

    A call file belongs to Asterisk's user and to the group of dialerd, which so reads what Asterisk adds to
    it; to hand over, take back and remove files it must write in both folders. Nothing else of the spool is
    open to it. There are no default ACLs: those would change the mode of files that others make there.
    """
    spool, owner = answers.spool, f":{answers.user} :{group}"
    return f"""\
# Opens Asterisk's spool to dialerd. Asterisk's folders keep their owner and mode, and get an ACL entry each.
a+ {spool} - - - - u:dialerd:--x
d {spool}/outgoing :0750 {owner} -
a+ {spool}/outgoing - - - - u:dialerd:rwx
# Asterisk makes this one with the first archived call; dialerd must be able to remove files from it.
d {spool}/outgoing_done :0750 {owner} -
a+ {spool}/outgoing_done - - - - u:dialerd:rwx
# Where dialerd writes call files, to rename them into outgoing once they are whole.
d {spool}/dialerd 0700 dialerd dialerd -
"""


def drop_in(answers: Answers) -> str:
    """What lets dialerd.service write to a spool that is not the usual one (systemd.exec(5))."""
    return f"""\
# The spool is one mount, whole: nothing can be renamed from one mount into another.
[Unit]
RequiresMountsFor={answers.spool}

[Service]
ReadWritePaths=-{answers.spool}
"""


def shown(text: str, secret: str) -> str:
    """The text of a manager's file with no secret in it, for a screen: ours is told from any other."""
    lines = text.splitlines(keepends=True)
    return "".join(_hidden(line, secret) if _SECRET.match(line) else line for line in lines)


def _hidden(line: str, secret: str) -> str:
    key, _, value = line.partition("=")
    same = value.removeprefix(">").strip() == secret.replace(";", "\\;")
    return f"{key}= ({'as' if same else 'not as'} in ami_secret)\n"
