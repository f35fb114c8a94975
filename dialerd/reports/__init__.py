"""Reports out: every end of a job is told to each sink at least once (docs/reports.md).

The events are in the store already. The reporter follows them with a cursor for each sink, and keeps what is
not delivered yet in a store of its own, so that a sink that is slow or away holds up nobody else.
"""
