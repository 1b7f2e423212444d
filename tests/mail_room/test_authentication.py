"""We believe what our own mail server says about the sender, and nobody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.mail.authentication import MICROSOFT_365, verdict

US = "mx.example.org"
SENDER = "mara@example.net"
FROM = ("from", "Mara <mara@example.net>")
ARRIVED = ("received", "from out.example.net (out.example.net [192.0.2.25]) by mx.example.org with ESMTPS; Tue, 3 Mar")
INSIDE = ("received", "from mx.example.org by mail.example.org with LMTP id 1; Tue, 3 Mar 2026 10:00:00 +0000")
FOREIGN = ("received", "from laptop by out.example.net with ESMTPSA; Tue, 3 Mar 2026 10:00:00 +0000")
PASS = "dmarc=pass header.from=example.net"
FAIL = "dmarc=fail header.from=example.net"


def says(results: str, server: str = US) -> tuple[str, str]:
    return ("authentication-results", f"{server}; {results}")


def judged(*results: str, sender: str | None = SENDER) -> str:
    """Judge a mail on whose top our own server wrote these fields."""
    fields = [*(says(result) for result in results), ARRIVED, FOREIGN, FROM]
    return verdict(fields, sender, US)


OUTCOMES = [
    # DMARC decides for the From domain
    ("pass", PASS),
    ("pass", "dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=Example.NET"),
    ("fail", FAIL),
    ("fail", f"{FAIL}; dkim=pass header.d=example.net; spf=pass smtp.mailfrom=mara@example.net"),
    ("pass", f"{PASS}; dkim=fail header.d=example.net; spf=fail smtp.mailfrom=mara@example.net"),
    ("none", "dmarc=temperror header.from=example.net; dkim=pass header.d=example.net"),
    ("none", "dmarc=permerror header.from=example.net; spf=pass smtp.mailfrom=example.net"),
    ("none", "dmarc=none header.from=example.net"),
    ("none", "dmarc=pass header.from=mail.example.net"),
    ("none", "dmarc=pass header.from=net"),
    ("none", "dmarc=pass"),
    ("none", "dmarc=fail header.from=example.com"),
    # without DMARC, aligned DKIM and SPF
    ("pass", "dmarc=none header.from=example.net; dkim=pass header.d=example.net"),
    ("pass", "dkim=pass header.i=@example.net header.s=s1 header.b=ab/cd"),
    ("pass", "dkim=pass header.d=mail.example.net"),
    ("none", "dkim=pass header.d=badexample.net"),
    ("none", "dkim=pass header.d=net"),
    ("none", "dkim=pass header.d=evil.example header.i=@example.net"),
    ("none", "dkim=pass header.d=example.com"),
    ("none", "dkim=pass header.d=evil.example header.d=example.net"),
    ("none", "dkim=pass"),
    ("pass", "dkim=fail header.d=example.net; dkim=pass header.d=example.net"),
    ("pass", "dkim=pass header.d=evil.example; dkim=pass header.d=example.net"),
    ("none", "dkim=pass header.d=evil.example; dkim=neutral header.d=example.net"),
    ("pass", "spf=pass smtp.mailfrom=bounce@example.net"),
    ("pass", "spf=pass smtp.mailfrom=bounces.example.net"),
    ("none", "spf=pass smtp.mailfrom=evil@evil.example"),
    ("none", "spf=pass smtp.helo=example.net"),
    ("fail", "spf=fail smtp.mailfrom=mara@example.net; dkim=none"),
    ("fail", "dkim=fail header.d=example.net; spf=softfail smtp.mailfrom=mara@example.net"),
    ("none", "spf=fail smtp.mailfrom=evil@evil.example"),
    ("none", "spf=fail smtp.mailfrom=mara@example.net; dkim=temperror header.d=example.net"),
    ("none", "spf=softfail smtp.mailfrom=mara@example.net"),
    ("none", "spf=neutral smtp.mailfrom=mara@example.net; dkim=none"),
    ("none", "spf=temperror smtp.mailfrom=mara@example.net"),
    ("none", "none"),
    # other methods never vouch
    (
        "none",
        "iprev=pass policy.iprev=192.0.2.1; auth=pass smtp.mailfrom=mara@example.net; arc=pass header.d=example.net",
    ),
    # writing that real servers produce
    ("pass", f"{PASS};"),
    (
        "pass",
        "\r\n\tdkim=pass (2048-bit key; unprotected)\r\n header.d=example.net;\r\n\tspf=none smtp.mailfrom=x.example",
    ),
    (
        "pass",
        "bimi=pass header.d=example.net selector=default policy.authority=none; dmarc=pass header.from=example.net",
    ),
    # comments and quoted strings are no results
    ("none", "spf=none (dmarc=pass header.from=example.net)"),
    ("fail", f"{FAIL} (x; dmarc=pass header.from=example.net)"),
    ("none", "dkim=pass (header.d=example.net) header.d=evil.example"),
    ("none", 'spf=none reason="x; dmarc=pass header.from=example.net" smtp.mailfrom=evil.example'),
    ("none", "spf=none ((dmarc=pass) header.from=example.net; dkim=pass header.d=example.net)"),
    # damaged or monstrous
    ("none", "spf=none (; dmarc=pass header.from=example.net"),
    ("none", ""),
    ("none", f"{'(' * 5000}; {PASS}"),
    ("none", f"{'()' * 101} {PASS}"),
    ("none", f"{PASS} ({'x' * 17_000})"),
    ("none", "dmarc=pass header.from=example\u00fc.net"),
]


@pytest.mark.parametrize(("expected", "results"), OUTCOMES)
def test_the_verdict_follows_the_results_of_our_server(expected: str, results: str) -> None:
    assert judged(results) == expected


def test_a_subdomain_sender_is_aligned_with_its_organisation() -> None:
    assert judged("dkim=pass header.d=example.net", sender="mara@mail.example.net") == "pass"


def test_two_subdomains_of_one_organisation_are_not_aligned() -> None:
    assert judged("dkim=pass header.d=a.example.net", sender="mara@b.example.net") == "none"


@pytest.mark.parametrize("sender", [None, "", "mara@"])
def test_no_sender_no_verdict(sender: str | None) -> None:
    assert judged(PASS, sender=sender) == "none"


def test_without_a_configured_authserv_id_nothing_is_believed() -> None:
    assert verdict([says(PASS), ARRIVED, FROM], SENDER, "") == "none"


def test_the_authserv_id_is_compared_without_case_and_whole() -> None:
    assert verdict([says(PASS, "MX.Example.org 1"), ARRIVED, FROM], SENDER, "mx.example.ORG") == "pass"
    assert verdict([says(PASS, "mx.example.org.evil.example"), ARRIVED, FROM], SENDER, US) == "none"
    assert verdict([says(PASS, "evil.mx.example.org"), ARRIVED, FROM], SENDER, US) == "none"


def test_consecutive_fields_on_top_are_read_together() -> None:
    assert judged("spf=pass smtp.mailfrom=evil.example", "dkim=none", PASS) == "pass"
    assert judged("dkim=pass header.d=example.net", FAIL) == "fail"


def test_of_two_dmarc_results_the_upper_one_decides() -> None:
    assert judged(PASS, FAIL) == "pass"
    assert judged(FAIL, PASS) == "fail"


def test_the_field_of_another_server_between_ours_is_passed_over() -> None:
    fields = [says("spf=none"), says(FAIL, "scanner.example.org"), says(PASS), ARRIVED, FROM]
    assert verdict(fields, SENDER, US) == "pass"


LAYOUTS = [
    [says(PASS), ARRIVED],
    [INSIDE, says(PASS), ARRIVED],
    [INSIDE, ARRIVED, says(PASS), FOREIGN],
    [("return-path", "<mara@example.net>"), ("delivered-to", "desk@example.org"), INSIDE, ARRIVED, says(PASS)],
    [ARRIVED, ("received-spf", "pass"), ("x-spam-score", "0"), says(PASS), FOREIGN],
    [("received", "by 2002:a05:6a20:1 with SMTP id x; Tue, 3 Mar 2026"), ARRIVED, says(PASS), FOREIGN],
    [("received", "from imap.example.org by localhost with POP3; Tue, 3 Mar 2026"), ARRIVED, says(PASS)],
]


@pytest.mark.parametrize("top", LAYOUTS)
def test_fields_below_hops_of_our_own_are_found(top: list[tuple[str, str]]) -> None:
    assert verdict([*top, FROM], SENDER, US) == "pass"


FORGED = [
    [ARRIVED, FOREIGN, says(PASS)],
    [FOREIGN, says(PASS)],
    [ARRIVED, ("received", "from x by evil-example.org with SMTP"), says(PASS)],
    [ARRIVED, ("received", "from x by mx.example.org.evil.example with SMTP"), says(PASS)],
    [ARRIVED, ("received", "by 192.0.2.1 with SMTP"), says(PASS)],
    [ARRIVED, ("received", "from x (HELO by mx.example.org) by evil.example with SMTP"), says(PASS)],
    [ARRIVED, ("received", "no host at all"), says(PASS)],
    [ARRIVED, ("subject", "hello"), says(PASS)],
    [says("spf=none"), ARRIVED, says(PASS)],
    [says("spf=none"), ("x-spam", "no"), says(PASS), ARRIVED],
    [says(PASS, "evil.example"), ARRIVED, says(PASS)],
    [ARRIVED, says("spf=none; dkim=none"), says(PASS)],
    [INSIDE, ARRIVED, says("spf=none"), says(PASS), ("received", "from y by mx.example.org with SMTP"), says(PASS)],
    [("arc-authentication-results", f"i=1; {US}; {PASS}"), ARRIVED],
    [("x-authentication-results", f"{US}; {PASS}"), ("authentication-results-original", f"{US}; {PASS}"), ARRIVED],
]


@pytest.mark.parametrize("top", FORGED)
def test_a_forged_pass_is_not_believed(top: list[tuple[str, str]]) -> None:
    assert verdict([*top, FROM], SENDER, US) == "none"


def test_a_failure_in_a_second_field_below_our_hop_counts() -> None:
    """Two filters of our server wrote a field each; a forger has no use for writing that he failed."""
    assert verdict([ARRIVED, says("spf=none"), says(FAIL), FROM], SENDER, US) == "fail"


def test_a_domain_with_two_labels_is_not_cut_further() -> None:
    hop = ("received", "from x by evil.net with SMTP")
    assert verdict([hop, says(PASS, "example.net"), FROM], SENDER, "example.net") == "none"


AUTHORS = [
    [FROM, ("from", "<evil@example.net>")],
    [FROM, ("from", "")],
    [("from", "mara@example.net, evil@example.net")],
    [("from", '"Mara" <mara@example.net> <evil@example.net>')],
    [("from", "undisclosed:;")],
    [],
]


@pytest.mark.parametrize("authors", AUTHORS)
def test_a_mail_without_exactly_one_author_never_passes(authors: list[tuple[str, str]]) -> None:
    assert verdict([says(PASS), ARRIVED, *authors], SENDER, US) == "none"


def test_two_authors_do_not_undo_a_failure() -> None:
    assert verdict([says(FAIL), ARRIVED, FROM, FROM], SENDER, US) == "fail"


def test_a_comma_in_the_encoded_or_quoted_name_is_one_author() -> None:
    for name in ('"Moreau, Mara"', "=?utf-8?q?Moreau=2C_Mara?="):
        assert verdict([says(PASS), ARRIVED, ("from", f"{name} <mara@example.net>")], SENDER, US) == "pass"


M365_HOP = ("received", "from A.eurprd01.prod.outlook.com by B.eurprd01.prod.outlook.com with HTTPS; Tue, 3 Mar")
M365_EDGE = ("received", "from out.example.net (192.0.2.25) by C.mail.protection.outlook.com (10.0.0.1) with SMTP")


def m365(results: str, *below: tuple[str, str]) -> str:
    fields = [M365_HOP, ("authentication-results", results), ("received-spf", "Pass"), M365_EDGE, *below, FROM]
    return verdict(fields, SENDER, MICROSOFT_365)


def test_microsoft_365_writes_no_authserv_id_and_is_read() -> None:
    spf = "spf=pass (sender IP is 192.0.2.25) smtp.mailfrom=example.net"
    dkim = "dkim=pass (signature was verified) header.d=example.net"
    assert m365(f"{spf}; {dkim};dmarc=pass action=none header.from=example.net;compauth=pass reason=100") == "pass"
    assert m365(f"{spf}; dkim=none (message not signed) header.d=none;{FAIL} action=quarantine") == "fail"
    assert m365(f"{spf};dmarc=bestguesspass action=none header.from=example.net") == "pass"


def test_a_forged_field_below_microsoft_365_is_not_believed() -> None:
    assert m365("spf=none smtp.mailfrom=evil.example", ("authentication-results", PASS)) == "none"
    assert verdict([("received", "by outlook.com.evil.example"), ("authentication-results", PASS), FROM], SENDER,
                   MICROSOFT_365) == "none"  # fmt: skip


def test_a_field_with_an_id_is_not_microsofts() -> None:
    assert m365(f"mx.evil.example; {PASS}") == "none"


METHODS = st.sampled_from(["dmarc", "dkim", "spf"])
WORDS = st.sampled_from(["pass", "fail", "none", "neutral", "softfail", "temperror", "permerror", "unheard"])
PROPERTIES = {"dmarc": "header.from", "dkim": "header.d", "spf": "smtp.mailfrom"}
DOMAINS = st.sampled_from(["example.net", "mail.example.net", "evil.example", "net"])


@st.composite
def results(draw: st.DrawFn) -> str:
    clauses = [(draw(METHODS), draw(WORDS), draw(DOMAINS)) for _ in range(draw(st.integers(1, 3)))]
    return "; ".join(f"{method}={word} {PROPERTIES[method]}={domain}" for method, word, domain in clauses)


@given(results(), st.lists(results(), min_size=1, max_size=3), st.integers(0, 6), st.sampled_from([US, "evil.example"]))
def test_an_injected_lower_field_never_changes_the_verdict(real: str, forged: list[str], depth: int, by: str) -> None:
    """Whatever a sender writes into his mail stands below the hop on which our server wrote its own field."""
    theirs = [
        FOREIGN,
        FROM,
        ("subject", "hello"),
        ("received", f"from x by {by} with SMTP"),
        ("to", "desk@example.org"),
    ]
    injected = [*theirs[:depth], *(says(text) for text in forged), *theirs[depth:]]
    for ours in ([says(real), ARRIVED], [INSIDE, says(real), ARRIVED]):
        assert verdict([*ours, *injected], SENDER, US) == verdict([*ours, *theirs], SENDER, US)


@given(results(), st.lists(results(), min_size=1, max_size=3))
def test_a_field_injected_right_below_ours_never_turns_into_a_pass(real: str, forged: list[str]) -> None:
    before = verdict([ARRIVED, says(real), FROM], SENDER, US)
    after = verdict([ARRIVED, says(real), *(says(text) for text in forged), FROM], SENDER, US)
    assert after in {before, "fail"}


@given(st.lists(st.tuples(st.sampled_from(["received", "authentication-results", "from"]), st.text()), max_size=5))
def test_no_header_makes_it_raise(fields: list[tuple[str, str]]) -> None:
    assert verdict(fields, SENDER, US) in {"pass", "fail", "none"}


@given(st.text(alphabet='();=."\\ abdkimrcspf/@\t', max_size=80))
def test_no_value_of_our_own_server_makes_it_raise(value: str) -> None:
    assert judged(value) in {"pass", "fail", "none"}
