"""Mails to send to a service: a person's in several languages, with and without OpenPGP."""

from collections.abc import Iterator

from tests.openpgp_mails import entity, inline_encrypted, pgp_mime_encrypted, pgp_mime_signed

TEXTS = {
    "en": "Somebody at work follows me home every evening and waits outside my house. I do not know what to do.",
    "es": "Un hombre me sigue todos los días desde el trabajo hasta mi casa y tengo mucho miedo de salir.",
    "fr": "Un collègue m'insulte devant tout le monde à chaque réunion et je ne dors plus depuis des semaines.",
    "pt": "Um homem publicou as minhas fotografias íntimas na internet sem o meu consentimento e não sei o que fazer.",
    "hi": "मेरे दफ़्तर का एक आदमी हर दिन मेरा पीछा करता है और मुझे बहुत डर लगता है। मुझे मदद चाहिए।",
    "ar": "زميلي في العمل يلاحقني كل يوم إلى البيت وأنا خائفة جدا ولا أعرف ماذا أفعل الآن.",
}


def plain(number: int, text: str, sender: str | None = None, subject: str = "help") -> bytes:
    """Make a mail of one UTF-8 text part."""
    header = (
        f"From: {sender or f'writer{number}@example.net'}\r\nTo: desk@example.org\r\nSubject: {subject}\r\n"
        f"Message-ID: <mail{number}@example.net>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return f"{header}{text}\r\n".encode()


def mixed(count: int) -> Iterator[bytes]:
    """Make mails of every sort in turn, each from an address of its own."""
    texts = list(TEXTS.values())
    for number in range(count):
        sender, text = f"writer{number}@example.net", f"{texts[number % len(texts)]} ({number})"
        match number % 5:
            case 0:
                yield pgp_mime_encrypted(sender, entity(text, subject="inside"), sign_with="complainant")
            case 1:
                yield inline_encrypted(sender, text)
            case 2:
                yield pgp_mime_signed(sender, entity(text), "complainant")
            case _:
                yield plain(number, text)
