"""Until when what comes may have waited for us."""

from gateway.mqtt.backlog import LONGEST, Backlog


def test_the_backlog_ends_with_our_own_word():
    backlog = Backlog("gw")
    assert not backlog.lasts(0)
    backlog.begin(10)
    assert backlog.lasts(10)
    backlog.hear(backlog.word)
    assert not backlog.lasts(10)


def test_the_word_of_an_earlier_connection_ends_nothing():
    """It may have waited for us like everything else."""
    backlog = Backlog("gw")
    backlog.begin(0)
    earlier = backlog.word
    backlog.begin(5)
    backlog.hear(earlier)
    assert backlog.lasts(6)


def test_a_broker_that_forbids_us_the_word_does_not_make_everything_late_for_ever():
    backlog = Backlog("gw")
    backlog.begin(10)
    assert backlog.lasts(10 + LONGEST - 1)
    assert not backlog.lasts(10 + LONGEST)
