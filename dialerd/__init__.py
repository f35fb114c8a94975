"""dialerd: the local daemon that places phone calls through Asterisk, and never loses or repeats one."""

__version__ = "0.1.0"
