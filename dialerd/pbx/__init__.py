"""The way out through Asterisk: call files, their spool, and AMI."""
