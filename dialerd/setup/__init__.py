"""What `dialerctl setup` writes, and why: pure rules and texts. cli/setup.py looks, asks, writes and runs."""
