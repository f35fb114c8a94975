"""The thinnest path: a job goes in by the socket, a real Asterisk calls, the true outcome comes back."""

import pytest


@pytest.mark.parametrize(
    ("number", "state", "disposition"),
    [
        ("100", "completed", "ANSWERED"),
        ("101", "failed", "BUSY"),
        ("103", "failed", "CONGESTION"),
        ("104", "failed", "FAILED"),
    ],
)
def test_a_job_ends_with_what_the_call_came_to(daemon, number, state, disposition):
    job = daemon.ended(daemon.submit(to=number, play="hello-world")["id"])
    assert (job["state"], job["attempts"][0]["disposition"]) == (state, disposition)


def test_nobody_answering_is_told_as_such(daemon):
    job = daemon.ended(daemon.submit(to="102", play="hello-world", wait_time=1)["id"])
    assert (job["state"], job["attempts"][0]["disposition"]) == ("failed", "NOANSWER")
