"""Keeping the state folder: backup, restore, and fsck, which looks whether what it says can be true."""
