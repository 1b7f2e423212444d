"""What breaks a library shows nothing of the mail: not on the streams, not in a log."""

import logging

import pytest

from mailroom.mail.bounce import read_bounce


def test_a_detector_of_bounces_that_breaks_logs_nothing(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert read_bounce(b"From: MAILER-DAEMON " + b"(" * 990 + b"\r\n\r\ncanary\r\n") is None
    out, err = capfd.readouterr()
    assert out + err + caplog.text == ""
