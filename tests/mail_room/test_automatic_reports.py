"""Reports about mail are known by their shape, also in a wrapper, and a person who passes one on is none."""

from dataclasses import replace

import pytest

from mailroom.mail.automatic import machine_sign
from mailroom.mail.entity import read_entity
from mailroom.mail.message import Attachment, MachineSign, Message
from mailroom.mail.parse import parse
from mailroom.mail.reports import report_in

OWN = frozenset({"desk@example.org"})


def written() -> Message:
    """Give a message in which nothing tells of a machine."""
    return Message("mara@example.net", "", None, "", None, None, (), "text")


@pytest.mark.parametrize("report", ["delivery-status", "disposition-notification", "feedback-report", "unheard-of"])
def test_every_report_about_mail_is_a_bounce(report: str) -> None:
    content_type = f'Multipart/Report; Report-Type="{report}";\r\n boundary="b"'
    assert machine_sign(written(), content_type, OWN) == MachineSign("bounce", "a report about mail (Content-Type)")


@pytest.mark.parametrize(
    "content_type",
    [
        *("message/delivery-status", "message/global-delivery-status", "message/disposition-notification"),
        *("message/feedback-report", "application/tlsrpt+gzip", "application/tlsrpt+json"),
        "message/global-disposition-notification",
        *(f"multipart/mixed; report-type={kind}" for kind in ("feedback-report", "TLSRPT", "global-delivery-status")),
        "multipart/mixed; report-type=global-disposition-notification",
        'multipart/mixed; report-type="delivery-status"; boundary=b',
        "multipart/mixed; report-type=disposition-notification; boundary=b",
    ],
)
def test_a_report_without_its_multipart_report_is_a_bounce(content_type: str) -> None:
    found = machine_sign(written(), content_type, OWN)
    assert found is not None
    assert found.kind == "bounce"


REPORT = (
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n"
    b"--r\r\n\r\nGone.\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n--r--\r\n"
)
WRAPPED = {
    "a footer": b"Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n%s\r\n--m\r\n\r\nA footer.\r\n--m--\r\n",
    "a signature": b"Content-Type: multipart/signed; boundary=m\r\n\r\n--m\r\n%s\r\n"
    b"--m\r\nContent-Type: application/pkcs7-signature\r\n\r\nMII=\r\n--m--\r\n",
}
PASSED_ON = {
    "below a word": b"Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nHelp me.\r\n--m\r\n%s\r\n--m--\r\n",
    "as a mail": b"Content-Type: multipart/mixed; boundary=m\r\n\r\n"
    b"--m\r\nContent-Type: message/rfc822\r\n\r\n%s\r\n--m\r\n\r\nHelp me.\r\n--m--\r\n",
    "beside a picture": b"Content-Type: multipart/mixed; boundary=m\r\n\r\n"
    b"--m\r\n%s\r\n--m\r\nContent-Type: image/png\r\n\r\nPNG\r\n--m--\r\n",
}


@pytest.mark.parametrize("wrapper", [*WRAPPED, *PASSED_ON])
def test_a_report_in_a_wrapper_is_a_bounce_and_one_that_is_passed_on_is_none(wrapper: str) -> None:
    content = b"From: mara@example.net\r\n" + {**WRAPPED, **PASSED_ON}[wrapper] % REPORT
    message = parse(content)
    found = machine_sign(message, report_in(read_entity(content)), OWN)
    assert (found is not None) == (wrapper in WRAPPED)


@pytest.mark.parametrize(
    ("name", "media_type", "text", "is_machine"),
    [
        ("mail.example!example.org!1772496000!1772582399.zip", "application/zip", "", True),
        ("mail.example!example.org!1772496000!1772582399!7.xml.gz", "application/gzip", "", True),
        ("mail.example!example.org!1772496000!1772582399.gz", "application/x-gzip", "", True),
        ("mail.example!example.org!1772496000!1772582399.xml", "application/x-zip-compressed", "", True),
        ("mail.example!example.org!1772496000!1772582399.zip", "application/zip", "He sent me this.", False),
        ("mail.example!example.org!1772496000!1772582399.zip", "image/png", "", False),
        ("photos!.zip", "application/zip", "", False),
        (None, "application/zip", "", False),
    ],
)
def test_a_dmarc_report_is_known_by_its_name_where_nothing_else_is_said(
    name: str | None, media_type: str, text: str, is_machine: bool
) -> None:
    message = replace(written(), attachments=(Attachment(name, media_type, 900),), text=text)
    assert (machine_sign(message, "multipart/mixed", OWN) is not None) == is_machine
