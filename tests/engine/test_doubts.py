"""Doubts that last: how often a provider is asked about one."""

from dialerd.core.errors import Unconfirmed


def test_an_old_doubt_is_asked_about_once_an_hour_at_most(clouded, cloud):
    clouded.send()
    clouded.settle_down()
    clouded.reply(Unconfirmed("one did not answer."))
    clouded.wait(3 * 86400 + 3600, step=600)
    before = len(cloud.looked)

    for _ in range(360):
        clouded.wait(10, step=10)
        clouded.asked(None)

    assert len(cloud.looked) - before <= 1
