"""What `dialerctl check` looks at, live: one file for each kind of ground. The daemon looks at what only its
user can see; the client looks by itself at what anybody can (`host.py`), and at all it can where no daemon
answers.

A check is a function that takes nothing and gives findings (core/findings.py). It may take time, and it may
hang: `running.py` runs all at once, each with a limit.
"""
