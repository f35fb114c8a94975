"""What was accepted and what became of it: jobs, attempts, events. One verb per function; SQLite behind
them."""
