"""Every sign of a machine, each with people's mails that look alike: header fields, and where it matters the rest.

A row is the sign, the mail of a machine, the kind that it is, and the mails of people. A mail here is only what differs
from the plain complaint in `test_machine_table`: fields replace those of the same name, a blank line begins a body.
"""

from typing import NamedTuple

from mailroom.mail.message import Machine


class Row(NamedTuple):
    """One sign: what a machine sends, and what people send that looks like it."""

    sign: str
    machine: str
    kind: Machine
    people: tuple[str, ...]


STATUS = (
    "Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; mara@example.net\nAction: failed\nStatus: 5.1.1\n"
)
FORWARDED = "From: MAILER-DAEMON@mx.example.net\nReturn-Path: <>\nSubject: Undelivered Mail Returned to Sender\n"


def parts(kind: str, *bodies: str) -> str:
    """Build a multipart; each body begins with its own Content-Type."""
    return f"Content-Type: multipart/{kind}; boundary=b\n\n" + "".join(f"--b\n{body}\n" for body in bodies) + "--b--\n"


def part(media_type: str, body: str) -> str:
    return f"Content-Type: {media_type}\n\n{body}\n"


WORDS = part("text/plain", "He threatens me every day. My mails to him come back, see below. Please help me.")
REPORT = part("message/delivery-status", STATUS)
WHOLE_REPORT = (
    parts("report; report-type=delivery-status", part("text/plain", "Unknown user."), REPORT)
    .replace("boundary=b", "boundary=i")
    .replace("--b", "--i")
)

ROWS = (
    Row("own address", "From: desk@desk.example", "own", ("From: desk@example.net", "From: desks@desk.example")),
    Row("own address with a suffix", "From: desk+x@desk.example", "own", ("From: x+desk@desk.example",)),
    Row("own loop mark", "X-Loop: desk@desk.example", "own", ("X-Loop: mara@example.net", "X-Loop: no")),
    Row(
        "own Message-ID",
        "Message-ID: <mz4xg5dfnruw4zzanrxw4zlt@desk.example>",
        "own",
        ("Message-ID: <mz4xg5dfnruw4zzanrxw4zlt@example.net>", "In-Reply-To: <mz4xg5dfnruw4zzanrxw4zlt@desk.example>"),
    ),
    Row(
        "delivery status notification",
        WHOLE_REPORT,
        "bounce",
        (
            "Subject: Undelivered Mail Returned to Sender",
            "Subject: Delivery Status Notification (Failure)",
            "Subject: Mail delivery failed: returning message to sender",
            parts("mixed", WORDS, part("message/rfc822", FORWARDED + WHOLE_REPORT)),
            parts("mixed", WORDS, WHOLE_REPORT),
            parts("mixed", WORDS, REPORT),
            "Subject: Fwd: failure notice\n\nHe blocked me and threatens me.\n\n---- Forwarded ----\n"
            "Return-Path: <>\nAuto-Submitted: auto-replied\nFrom: MAILER-DAEMON\nHi. This is the qmail-send program.\n",
        ),
    ),
    Row(
        "signed report",
        parts("signed", WHOLE_REPORT, part("application/pkcs7-signature", "MII=")),
        "bounce",
        (parts("signed", WORDS, part("application/pkcs7-signature", "MII=")),),
    ),
    Row(
        "report with a footer",
        parts("mixed", WHOLE_REPORT, part("text/plain", "Footer")),
        "bounce",
        (parts("mixed", WORDS, part("text/plain", "Footer"), WHOLE_REPORT),),
    ),
    Row(
        "report of another multipart",
        parts("mixed; report-type=delivery-status", WORDS, REPORT),
        "bounce",
        (parts("mixed; report-type=story", WORDS),),
    ),
    Row(
        "bare delivery status",
        part("message/delivery-status", STATUS),
        "bounce",
        ("Content-Type: text/plain\n\nShe sent: Content-Type: message/delivery-status\n" + STATUS,),
    ),
    Row(
        "read receipt",
        parts(
            "report; report-type=disposition-notification",
            WORDS,
            part("message/disposition-notification", "Disposition: manual-action/MDN-sent-manually; displayed"),
        ),
        "bounce",
        ("Disposition-Notification-To: mara@example.net", "Return-Receipt-To: mara@example.net"),
    ),
    Row(
        "abuse report",
        parts("report; report-type=feedback-report", WORDS, part("message/feedback-report", "Feedback-Type: abuse")),
        "bounce",
        ("Subject: Abuse report", "X-Report-Abuse: https://mail.example.net/abuse", "Feedback-ID: 1:2:3:mail"),
    ),
    Row("TLS report", "TLS-Report-Domain: desk.example", "bounce", ("Subject: Report Domain: desk.example",)),
    Row(
        "report of Exchange",
        "Content-Class: urn:content-classes:dsn",
        "bounce",
        ("Content-Class: urn:content-classes:message",),
    ),
    Row(
        "mailer-daemon",
        "From: MAILER-DAEMON@example.net",
        "bounce",
        (
            "From: Daemon <daemon@example.net>",
            'From: "Mailer Daemon" <mara@example.net>',
            'From: "MAILER-DAEMON@example.net" <mara@example.net>',
            "From: mailer-daemon.fan@example.net",
        ),
    ),
    Row("mailer-daemon of the same host", "From: Mail Delivery Subsystem <MAILER-DAEMON>", "bounce", ()),
    Row("mailer-daemon without an address", "From: MAILER-DAEMON (Mail System)", "bounce", ()),
    Row("postmaster without an address", "From: Postmaster <>\nX-Failed-Recipients: x@example.net", "bounce", ()),
    Row(
        "postmaster with a report",
        "From: postmaster@example.net\n" + parts("mixed", WORDS, REPORT),
        "bounce",
        (
            "From: Postmaster <postmaster@example.net>",
            "From: postmaster@example.net\nX-MS-Has-Attach: yes",
            "From: postmaster@example.net\n" + parts("mixed", WORDS, part("image/png", "PNG")),
        ),
    ),
    Row(
        "postmaster with failed recipients",
        "From: postmaster@example.net\nX-Failed-Recipients: x@example.net",
        "bounce",
        ("X-Failed-Recipients: x@example.net",),
    ),
    Row(
        "postmaster of Exchange 5.5",
        "From: postmaster@example.net\nX-MS-Embedded-Report:",
        "bounce",
        ("X-MS-Embedded-Report:",),
    ),
    Row(
        "postmaster of Windows",
        "From: postmaster@example.net\nX-DSNContext: 335a7efd - 4523",
        "bounce",
        ("X-DSNContext: 335a7efd - 4523",),
    ),
    Row(
        "words of a bounce under a null return path",
        "Return-Path: <>\n\nHi. This is the qmail-send program at mx.example.net.\nI'm afraid I failed.\n\n"
        "<mara@example.net>:\nSorry, no mailbox here by that name. (#5.1.1)\n",
        "bounce",
        (
            "\n\nHi. This is the qmail-send program at mx.example.net, it writes to me when I answer him.\n\n"
            "<mara@example.net>:\nSorry, no mailbox here by that name.\n\nHe threatens me. Please help.\n",
        ),
    ),
    *(
        Row(f"list: {name}", f"{name}: {value}", "list", (f"Subject: {name}: {value}",))
        for name, value in (
            ("List-Id", "<talk.example.net>"),
            ("List-Post", "<mailto:talk@example.net>"),
            ("List-Help", "<mailto:h@example.net>"),
            ("List-Subscribe", "<mailto:s@example.net>"),
            ("List-Owner", "<mailto:o@example.net>"),
            ("List-Archive", "<https://example.net/>"),
            ("Mailing-List", "list talk@example.net"),
            ("X-Mailing-List", "<talk@example.net>"),
            ("X-BeenThere", "talk@example.net"),
        )
    ),
    Row(
        "way out of a list",
        "List-Unsubscribe: <https://example.net/out>",
        "list",
        (
            "List-Unsubscribe: <https://wiki.example/wiki/Special:Preferences>\nX-Mailer: MediaWiki mailer",
            "X-Mailer: PHPMailer 6.9.1 (https://github.com/PHPMailer/PHPMailer)\nReply-To: mara@example.net",
        ),
    ),
    Row("one-click way out", "List-Unsubscribe-Post: List-Unsubscribe=One-Click", "list", ("X-Entity-Ref-ID: 1",)),
    *(
        Row(
            f"{name}: {word}",
            f"{name}: {word}",
            "list",
            tuple(f"{name}: {one}" for one in ("first-class", "normal", "urgent")),
        )
        for name in ("Precedence", "X-Precedence")
        for word in ("bulk", "junk", "list", "Bulk (to many)")
    ),
    *(
        Row(f"Auto-Submitted: {value}", f"Auto-Submitted: {value}", "automatic", people)
        for value, people in (
            ("auto-generated", ("Auto-Submitted: no", "Auto-Submitted: No", "Auto-Submitted: NO")),
            ("auto-replied", ("Auto-Submitted: No (a person (really) wrote this)", "Auto-Submitted:")),
            ("auto-replied (vacation)", ("Auto-Submitted: (auto-replied) no", "Subject: Out of office")),
            ("auto-replied; owner-email=x@example.net", ("Auto-Submitted: no; x=auto-replied",)),
            (
                "auto-notified; owner-token=1",
                ("\n\nAuto-Submitted: auto-notified\n\nHe threatens me, please help me.\n",),
            ),
        )
    ),
    Row(
        "null return path",
        "Return-Path: <>",
        "automatic",
        (
            "Return-Path: <mara@example.net>",
            "Return-Path: <bounces+SRS=x=y@example.net>",
            "Return-Path: <daemon@example.net>",
            "Return-Path: <mara@example.net>\nReturn-Path: <>",
        ),
    ),
    Row(
        "null return path of sendmail",
        "Return-Path: <MAILER-DAEMON@mx.desk.example>",
        "automatic",
        ("Return-Path: <my-mailer-daemon@example.net>",),
    ),
    *(
        Row(
            f"X-Auto-Response-Suppress: {value}",
            f"X-Auto-Response-Suppress: {value}",
            "automatic",
            ("X-Auto-Response-Suppress: DR, RN, NRN", "X-Auto-Response-Suppress: None"),
        )
        for value in ("All", "OOF", "AutoReply", "DR, OOF, AutoReply")
    ),
    *(
        Row(name, f"{name}: {value}", "automatic", (people,))
        for name, value, people in (
            ("X-Autoreply", "yes", "X-Autoreply: no"),
            ("X-Auto-Reply", "yes", "X-Auto-Reply: no"),
            ("X-Autoreply-From", "x@example.net", "X-Priority: 1 (Highest)"),
            ("X-Autorespond", "away", "X-MSMail-Priority: High"),
            ("X-Autoresponder", "1", "X-Mailer: Autoresponder Pro"),
            ("X-Autoresponse", "away", "Importance: high"),
            ("X-Mail-Autoreply", "yes", "X-Mail-Autoreply: no"),
            ("X-Autogenerated", "Reply", "X-Autogenerated: Redirect"),
            ("X-Auto-Generated", "feedback", "X-Auto-Generated: no"),
            ("X-Facebook-Notify", "fan", "X-Mailer: ZuckMail"),
            ("X-FC-Machinegenerated", "true", "X-FC-Machinegenerated: false"),
            ("X-GitHub-Reason", "author", "X-GitHub-User: mara"),
            ("X-GitLab-NotificationReason", "own", "X-GitLab-User: mara"),
            ("X-Cron-Env", "<HOME=/root>", "X-Mailer: s-nail"),
            ("X-POST-MessageClass", "9; Autoresponder", "X-POST-MessageClass: 1; Message"),
            (
                "X-MS-Exchange-Generated-Message-Source",
                "Mailbox Rules Agent",
                "X-MS-Exchange-Inbox-Rules-Loop: mara@example.net",
            ),
            ("X-Amazon-Mail-Relay-Type", "notification", "X-SES-Outgoing: 2026.03.03-192.0.2.1"),
            ("X-Amazon-Auto-Reply", "true", "X-Amazon-Auto-Reply: false"),
            ("X-No-Loop", "yes", "X-No-Archive: yes"),
            ("X-OTRS-Loop", "queue", "X-OTRS-Loop: no"),
            ("X-Roundup-Loop", "hello", "X-Roundup-Name: tracker"),
            ("X-RT-Loop-Prevention", "rt", "X-RT-Original-Encoding: utf-8"),
            ("X-Loop", "yes", "X-Loop: friends@example.net"),
            ("Delivered-To", "Autoresponder", "Delivered-To: mara@example.net"),
        )
    ),
    Row("Precedence: auto_reply", "Precedence: auto_reply", "automatic", ("Precedence: special-delivery",)),
    Row("Precedence: auto-reply", "Precedence: Auto-Reply", "automatic", ("Precedence: reply",)),
    Row(
        "mail to a bounce address",
        "To: desk+b.k7qd3m9x@desk.example",
        "automatic",
        (
            "To: desk+help@desk.example",
            "Bcc: desk@desk.example\nTo: ombuds@example.net",
            "To: undisclosed-recipients:;",
        ),
    ),
    Row(
        "DMARC report",
        'Content-Type: application/gzip; name="mail.example!desk.example!1772496000!1772582399.xml.gz"\n\nH4sI\n',
        "automatic",
        (parts("mixed", WORDS, part('application/zip; name="photos!.zip"', "UEsD")),),
    ),
)
