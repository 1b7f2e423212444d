"""Mails whose structure or header is the attack. Each is named by what is odd in it, and is made when it is needed."""

from base64 import b64encode
from collections.abc import Callable

HEADER = (
    b"From: Writer <writer@example.net>\r\nTo: desk@example.org\r\nSubject: help\r\nMessage-ID: <1@example.net>\r\n"
)
_PLAIN = b"\r\nHe follows me home.\r\n"
_DEEP = 100_000  # parentheses, each inside the one before
_MB = 1024 * 1024


def many_parts(count: int, part: bytes = b"\r\nx") -> bytes:
    """Make one multipart of this many parts."""
    return HEADER + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + (b"--b\r\n" + part + b"\r\n") * count


def nested_multiparts(levels: int, kind: bytes = b"mixed", inside: bytes = _PLAIN) -> bytes:
    """Make multiparts inside one another; every boundary begins as the one around it, and none is closed."""
    marks = [b"b" * (1 + level) for level in range(levels)]
    heads = (b"Content-Type: multipart/%s; boundary=%s\r\n\r\n--%s\r\n" % (kind, mark, mark) for mark in marks)
    return HEADER + b"".join(heads) + inside


def nested_mails(levels: int) -> bytes:
    """Make mails attached to mails."""
    return HEADER + b"Content-Type: message/rfc822\r\n\r\n" * levels + HEADER + _PLAIN


def wide_and_deep() -> bytes:
    """Twenty levels, and at each the whole of 5 MB has to be searched for another boundary."""
    return nested_multiparts(20) + b"--" * (5 * _MB // 2)


def with_field(name: bytes, value: bytes) -> bytes:
    """Make a mail with one field more, at the top."""
    return name + b": " + value + b"\r\n" + HEADER + _PLAIN


def with_kind(value: bytes) -> bytes:
    """Make a mail with this Content-Type."""
    return with_field(b"Content-Type", value)


def with_comments(name: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """Make a mail with comments nested in one structured field."""
    return with_field(name, before + b"(" * _DEEP + b")" * _DEEP + after)


_COMMENTED: dict[str, tuple[bytes, bytes]] = {
    "From": (b"a@example.net ", b""),
    "Reply-To": (b"a@example.net ", b""),
    "Date": (b"Mon, 1 Jan 2024 ", b" 10:00:00 +0000"),
    "Authentication-Results": (b"mx.example.org ", b"; dmarc=pass header.from=example.net"),
    "Received": (b"from a ", b" by mx.example.org; Mon, 1 Jan 2024 10:00:00 +0000"),
    "Content-Type": (b"multipart/mixed ", b"; boundary=b"),
    "Content-Disposition": (b"attachment ", b"; filename=a"),
    "Content-Transfer-Encoding": (b"", b"base64"),
    "Auto-Submitted": (b"no ", b""),
    "Precedence": (b"", b"bulk"),
    "X-Loop": (b"", b"yes"),
    "Return-Path": (b"", b"<>"),
    "Delivered-To": (b"", b"desk@example.org"),
    "Message-ID": (b"", b"<a@example.net>"),
    "References": (b"", b"<a@example.net>"),
    "Subject": (b"Re: ", b"[K7QD-3M9X-T]"),
}

STRUCTURES: dict[str, Callable[[], bytes]] = {
    "50,000 parts": lambda: many_parts(50_000),
    "50,000 parts that are multiparts": lambda: many_parts(50_000, b"Content-Type: multipart/mixed; boundary=c\r\n"),
    "1,000 multiparts over 4 MB": lambda: many_parts(
        1000, b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c" * 90
    ),
    "100 levels of multipart": lambda: nested_multiparts(100),
    "100 levels of alternative": lambda: nested_multiparts(100, b"alternative"),
    "100 levels of related": lambda: nested_multiparts(100, b"related"),
    "100,000 levels of multipart": lambda: many_parts(100_000, b"Content-Type: multipart/mixed; boundary=b\r\n"),
    "100 levels of mails": lambda: nested_mails(100),
    "100,000 levels of mails": lambda: nested_mails(100_000),
    "20 levels over 5 MB": wide_and_deep,
    "10 MB in one field": lambda: with_field(b"X-Long", b"a" * 10 * _MB),
    "5 MB in one folded field": lambda: with_field(b"X-Long", b"a\r\n " * (5 * _MB // 4)),
    "10 MB of fields": lambda: b"X-A: b\r\n" * (10 * _MB // 8) + HEADER + _PLAIN,
    "10 MB of fields without a name": lambda: HEADER + b": b\r\n" * (10 * _MB // 5) + _PLAIN,
    "a field name of 10 MB": lambda: b"a" * 10 * _MB + b": b\r\n" + HEADER + _PLAIN,
    "a million recipients": lambda: with_field(b"To", b"a@example.net, " * 1_000_000),
    "a million recipients, folded": lambda: with_field(b"To", b"a@example.net,\r\n " * 1_000_000),
    "100,000 senders": lambda: with_field(b"From", b"a@example.net, " * 100_000),
    "100,000 fields From": lambda: b"From: a@example.net\r\n" * 100_000 + HEADER + _PLAIN,
    "100,000 unclosed brackets in From": lambda: with_field(b"From", b"<" * 100_000),
    "100,000 groups in From": lambda: with_field(b"From", b"a:" * 100_000),
    "a group of 300,000 in To": lambda: with_field(b"To", b"a:" + b"b," * 300_000),
    "100 fields To with a group of 30,000": lambda: (b"To: a:" + b"b," * 30_000 + b"\r\n") * 100 + HEADER + _PLAIN,
    "100,000 groups in To": lambda: with_field(b"To", b"a:" * 100_000),
    "100,000 quotes in From": lambda: with_field(b"From", b'"\\' * 100_000),
    "100,000 encoded words in Subject": lambda: with_field(b"Subject", b"=?utf-8?q?a?= " * 100_000),
    "100,000 encoded words in From": lambda: with_field(b"From", b"=?utf-8?q?a?= " * 100_000 + b"<a@example.net>"),
    "100,000 broken encoded words": lambda: with_field(b"Subject", b"=?utf-8?q?" * 100_000),
    "encoded words of 100 charsets": lambda: with_field(
        b"Subject", b"".join(b"=?x%d?b?gICA?= " % n for n in range(1000))
    ),
    "a subject of an answer and blanks": lambda: with_field(b"Subject", b"Re" + b" " * 65_000 + b"x"),
    "a subject of a forward and blanks": lambda: with_field(b"Subject", b"[a] Fwd" + b" " * 65_000 + b"x"),
    "a subject of blanks": lambda: with_field(b"Subject", b"x" + b" [" * 32_000),
    "blanks around an encoded word": lambda: with_field(
        b"Subject", b"=?utf-8?q?a?=" + b" " * 65_000 + b"=?utf-8?q?a?= x"
    ),
    "blanks that only encoded words show": lambda: with_field(
        b"Subject", b"=?utf-8?b?" + b64encode(b"re" + b" " * 45_000) + b"?= x"
    ),
    "a reference of 1 MB": lambda: with_field(b"References", b"<" + b"a" * _MB + b"@example.org>"),
    "references of 1 MB": lambda: with_field(b"References", b"<a@example.org> " * (_MB // 16)),
    "1 MB of opened references": lambda: with_field(b"References", b"<" * _MB),
    "a boundary of 10 KB": lambda: with_kind(b"multipart/mixed; boundary=" + b"b" * 10_240),
    "100,000 continuations": lambda: with_kind(
        b"text/plain" + b"".join(b"; charset*%d=a" % number for number in range(100_000))
    ),
    "100,000 parameters": lambda: with_kind(b"text/plain" + b"; a=b" * 100_000),
    "100,000 escaped quotes in a parameter": lambda: with_kind(b'text/plain; charset="' + b"\\" * 100_000),
    "10,000 fields Autocrypt": lambda: (
        b"Autocrypt: addr=writer@example.net; keydata=AAAA\r\n" * 10_000 + HEADER + _PLAIN
    ),
    "an Autocrypt field of 1 MB": lambda: with_field(b"Autocrypt", b"addr=writer@example.net; keydata=" + b"A" * _MB),
    "10,000 fields Received": lambda: b"Received: by a\r\n" * 10_000 + HEADER + _PLAIN,
    "10,000 fields Authentication-Results": lambda: (
        b"Authentication-Results: mx.example.org; dmarc=pass header.from=example.net\r\n" * 10_000 + HEADER + _PLAIN
    ),
    "an Authentication-Results of 1 MB": lambda: with_field(
        b"Authentication-Results", b"mx.example.org" + b"; spf=pass" * 100_000
    ),
    "a megabyte of spaces in a field": lambda: with_field(b"Auto-Submitted", b" " * _MB + b"no"),
    "not a mail but 5 MB of zeros": lambda: bytes(5 * _MB),
    "5 MB of line ends": lambda: b"\r\n" * (5 * _MB // 2),
    "5 MB of CR": lambda: b"\r" * (5 * _MB),
    "5 MB of From lines": lambda: b"From x\r\n" * (5 * _MB // 8),
} | {
    f"comments 100,000 deep in {name}": lambda n=name, v=value: with_comments(n.encode(), *v)
    for name, value in _COMMENTED.items()
}
