"""Mails whose text, page or file is the attack. Each is named by what is odd in it, and is made when it is needed."""

import bz2
import gzip
import io
import zipfile
from base64 import b64encode
from collections.abc import Callable

from tests.hostile.structures import HEADER, many_parts

_MB = 1024 * 1024
_LARGE = 4 * _MB


def body(content: bytes, kind: bytes = b"text/plain; charset=utf-8", encoding: bytes = b"8bit") -> bytes:
    """Make a mail of one part."""
    return HEADER + b"Content-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n" % (kind, encoding) + content


def page(content: bytes) -> bytes:
    """Make a mail that is an HTML page."""
    return body(content, b"text/html; charset=utf-8")


def attached(content: bytes, name: bytes, kind: bytes = b"application/octet-stream") -> bytes:
    """Make a mail with a file beside its text."""
    text = b"--b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n"
    file = b"--b\r\nContent-Type: %s\r\nContent-Disposition: attachment; filename=%s\r\n" % (kind, name)
    code = b64encode(content)
    return (
        HEADER + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + text + file
        + b"Content-Transfer-Encoding: base64\r\n\r\n" + code + b"\r\n--b--\r\n"
    )  # fmt: skip


def zip_bomb() -> bytes:
    """One small file that says it is a gigabyte, twenty times over."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"{number}.txt", bytes(_MB))
    return memory.getvalue()


def tnef_junk() -> bytes:
    """The mark of winmail.dat, then attributes whose lengths are lies (MS-OXTNEF 2.1.3)."""
    return b"\x78\x9f\x3e\x22\x01\x00" + b"\x02\x05\x90\x06\x00\xff\xff\xff\xff" * 100_000


def tnef(properties: bytes) -> bytes:
    """Make a winmail.dat of one list of properties, which says that it has four thousand million."""
    content = b"\xff\xff\xff\xff" + properties
    return (
        b"\x78\x9f\x3e\x22\x01\x00"
        + b"\x01\x03\x90\x06\x00"
        + len(content).to_bytes(4, "little")
        + content
        + b"\x00\x00"
    )


BODIES: dict[str, Callable[[], bytes]] = {
    "text of 25 MB in base64": lambda: body(b64encode(bytes(18 * _MB)), encoding=b"base64"),
    "text of 4 MB in lines of base64": lambda: body(b"YWFh\r\n" * (_LARGE // 6), encoding=b"base64"),
    "25 MB of equals signs as quoted-printable": lambda: body(b"=" * 25 * _MB, encoding=b"quoted-printable"),
    "4 MB of equals signs as base64": lambda: body(b"=" * _LARGE, encoding=b"base64"),
    "4 MB of A= as base64": lambda: body(b"A=" * (_LARGE // 2), encoding=b"base64"),
    "4 MB of lines of one mark as base64": lambda: body(b"!\n" * (_LARGE // 2), encoding=b"base64"),
    "4 MB of lines with a blank as base64": lambda: body(b"a b\nYWFh\n" * (_LARGE // 9), encoding=b"base64"),
    "4 MB of blanks as base64": lambda: body(b"a" + b" " * _LARGE + b"\n!", encoding=b"base64"),
    "quoted-printable of spaces": lambda: body(b"=" + b" " * _LARGE + b"x", encoding=b"quoted-printable"),
    "quoted-printable of = and spaces": lambda: body(
        (b"=" + b" " * 2000 + b"x") * 10_000, encoding=b"quoted-printable"
    ),
    "uuencode that begins 100,000 times": lambda: body(b"begin 644 a\r\n" * 100_000, encoding=b"x-uuencode"),
    "uuencode junk": lambda: body(b"begin 644 a\r\n" + b"M" * 5 * _MB + b"\r\nend", encoding=b"x-uuencode"),
    "uuencode of ends": lambda: body(b"end" + b"\n" * 5 * _MB + b"x", encoding=b"x-uuencode"),
    "base64 that is prose with blanks": lambda: body((b"a" + b" " * 2000) * 1000, encoding=b"base64"),
    "an attached file of 4 MB of equals signs": lambda: body(
        b"=" * _LARGE, b"application/octet-stream", b"quoted-printable"
    ),
    "an attached file of 4 MB in uuencode": lambda: body(b"M" * _LARGE, b"application/octet-stream", b"x-uuencode"),
    "a zip bomb": lambda: attached(zip_bomb(), b"a.zip", b"application/zip"),
    "a gzip bomb": lambda: attached(gzip.compress(bytes(100 * _MB), 6), b"a.gz", b"application/gzip"),
    "a bzip2 bomb": lambda: attached(bz2.compress(bytes(20 * _MB)), b"a.bz2", b"application/x-bzip2"),
    "TNEF junk": lambda: attached(tnef_junk(), b"winmail.dat", b"application/ms-tnef"),
    "100,000 files in a text": lambda: body(b"begin 644 a\r\n`\r\nend\r\n" * 100_000),
    "100,000 files that begin in a text": lambda: body(b"begin 644 a\r\n#AAAA\r\n#AAAA\r\n" * 30_000),
    "100,000 files of news that begin in a text": lambda: body(b"=ybegin line=1 size=9 name=a\r\nx\r\n" * 30_000),
    "a file of news with a long line": lambda: body((b"=ybegin " + b"size=" * 40 + b"\r\n") * 5000),
    "TNEF of 170,000 properties": lambda: attached(tnef(b"\x03\x00\x01\x00\x01\x00\x00\x00" * 170_000), b"winmail.dat"),
    "TNEF of 100,000 files": lambda: attached(
        b"\x78\x9f\x3e\x22\x01\x00" + b"\x02\x02\x90\x06\x00\x00\x00\x00\x00\x00\x00" * 100_000, b"winmail.dat"
    ),
    "4 MB on one line": lambda: body(b"a" * _LARGE),
    "5 MB of blanks on one line": lambda: body(b" " * 5 * _MB),
    "4 MB of empty lines": lambda: body(b"\r\n" * (_LARGE // 2)),
    "1 MB of quotes": lambda: body(b"> a\r\n" * 200_000),
    "10,000 attributions": lambda: body(b"On 1.1.2024 at 10:00 a@example.net wrote:\r\n" * 10_000),
    "1 MB of attributions of addresses": lambda: body(b"<a@b.example>\r\n 1.1.2024 10:00 <a@b.example>:\r\n" * 20_000),
    "100,000 colons": lambda: body(b":\n" * 100_000),
    "50,000 From:": lambda: body(b"From:\n" * 50_000),
    "1 MB of signatures": lambda: body(b"-- \n" * 250_000),
    "1 MB of rules": lambda: body(b"-" * _MB),
    "1 MB of rules on lines": lambda: body((b"-" * 300 + b"\n") * 3400),
    "1 MB of at signs": lambda: body(b"a@" * 500_000),
    "1 MB of brackets": lambda: body(b"[" * _MB),
    "1 MB of references": lambda: body(b"K7QD-3M9X-T " * 80_000),
    "1 MB of web addresses": lambda: body(b"http://" * 150_000),
    "flowed text of 1 MB": lambda: body(b"> a \r\n" * 170_000, b"text/plain; format=flowed; delsp=yes"),
    "flowed text of one line": lambda: body(b">" * _MB, b"text/plain; format=flowed"),
    "flowed text of many depths": lambda: body(
        b"".join(b">" * n + b" \n" for n in range(1400)), b"text/plain; format=flowed"
    ),
    "256 KB of 8-bit junk": lambda: body(bytes(range(128, 256)) * 2048, b"text/plain"),
    "256 KB of 8-bit junk labelled Japanese": lambda: body(
        bytes(range(128, 256)) * 2048, b"text/plain; charset=iso-2022-jp"
    ),
    "1 MB of escapes": lambda: body(b"\x1b$B" * 350_000, b"text/plain"),
    "1 MB of UTF-7": lambda: body(b"+AAA" * 250_000, b"text/plain; charset=utf-7"),
    "1 MB in HZ": lambda: body(b"~{" * 500_000, b"text/plain; charset=hz"),
    "1 MB of combining marks": lambda: body("a\u0301".encode() * 350_000),
    "1 MB of marks in disorder": lambda: body("\u0316\u0301".encode() * 250_000),
    "1 MB of ligatures": lambda: body("\ufdfa".encode() * 350_000),
    "1 MB of Arabic and": lambda: body("و".encode() * 500_000),
    "100,000 nested tags": lambda: page(b"<div>" * 100_000),
    "100,000 nested tags of emphasis": lambda: page(b"<b>" * 100_000 + b"<p>" * 100_000),
    "an attribute of 1 MB": lambda: page(b'<a href="' + b"a" * _MB + b'">x</a>'),
    "a style of 1 MB": lambda: page(b'<p style="' + b"font-size:0" + b"0" * _MB + b'x">x</p>'),
    "a style of blanks": lambda: page(b'<p style="' + b"display" + b" " * _MB + b'x">x</p>'),
    "a style of displays": lambda: page(b'<p style="' + b"font-size:0 " * 80_000 + b'x">x</p>'),
    "200,000 tables": lambda: page(b"<table>" * 200_000),
    "20,000 tables side by side": lambda: page(b"<table><tr><td>x</table>" * 20_000),
    "a table of 60,000 cells": lambda: page(b"<table><tr>" + b"<td>" * 60_000),
    "a table as wide as high": lambda: page(b"<table>" + (b"<tr>" + b"<td>a" * 100) * 100),
    "spans of a billion": lambda: page(b'<table><tr><td colspan="999999999" rowspan="999999999">x'),
    "nested lists": lambda: page(b"<ul><li>" * 50_000),
    "nested quotes": lambda: page(b'<blockquote type="cite">' * 40_000 + b"x"),
    "nested quotes within bounds": lambda: page(
        (b'<blockquote type="cite">' * 100 + b"x" + b"</blockquote>" * 100) * 200
    ),
    "divs of class quote": lambda: page(b'<div class="quote">' * 100 + b"<blockquote>a</blockquote>" * 10_000),
    "10,000 links": lambda: page(b'<a href="http://a.example/">x</a>' * 10_000),
    "nested links": lambda: page(b'<a href="http://a.example/">x<p>' * 8000),
    "30 pages of nested links": lambda: many_parts(
        30, b"Content-Type: text/html\r\n\r\n" + b'<div><a href="http://a.example/">' * 1000
    ),
    "links around everything": lambda: page(b'<div><a href="http://a.example/">x</a>' * 25_000),
    "an entities bomb": lambda: page(
        b'<!DOCTYPE html [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>'
        + b"&c;" * 300_000
    ),
    "1 MB of entities": lambda: page(b"&amp;" * 200_000),
    "1 MB of open entities": lambda: page(b"&" * _MB),
    "1 MB of open tags": lambda: page(b"<" * _MB),
    "1 MB of comments": lambda: page(b"<!--" * 250_000),
    "1 MB of CSS": lambda: page(b"<style>" + b"a{b:c}" * 170_000 + b"</style>x"),
    "20,000 style attributes": lambda: page(b'<p style="color:red">a' * 20_000),
    "100,000 breaks": lambda: page(b"<br>" * 100_000),
    "a page of blanks": lambda: page(b"<pre>" + b" \n" * 500_000),
    "a charset named late": lambda: page(b"<meta " * 400),
    "pictures of emoji": lambda: page("<img alt='😀'>".encode() * 20_000),
}

BODIES |= {
    "a wide cell over many rows": lambda: page(
        b"<table><tr><td>" + b"a" * 400_000 + b"<td>b" + b"<tr><td>c<td>d" * 10_000
    ),
    "a high cell beside many": lambda: page(b"<table><tr><td>" + b"<br>" * 40_000 + b"<td>a" * 5000),
    "tables inside wide tables": lambda: page(
        (b"<table><tr><td>" * 8 + b"a" * 20_000 + b"<tr><td>b" * 2000 + b"</table>" * 8) * 5
    ),
    "deep lists with many lines": lambda: page(b"<ul><li>" * 50 + b"x<br>" * 15_000),
    "deep quotes of many lines": lambda: page(b"<blockquote>" * 110 + b"x<br>" * 15_000),
    "a pre with a wide line": lambda: page(b"<table><tr><td><pre>" + b"\n" * 100_000 + b"a" * 800_000),
}
