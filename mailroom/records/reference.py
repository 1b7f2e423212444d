"""Case references: random, readable on the phone, with a check letter, e.g. `K7QD-3M9X-T`.

Crockford's base 32 (https://www.crockford.com/base32.html) leaves out I, L, O and U. Eight random letters carry
40 bits; the ninth is the Luhn check letter modulo 32 (ISO/IEC 7812-1 annex B, generalised to 32 symbols), which
catches every single wrong letter and nearly every swap of neighbours.
"""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0"})
_LENGTH = 8


def check_letter(body: str) -> str:
    """Give the Luhn modulo 32 check letter for letters of the alphabet."""
    total = 0
    for place, letter in enumerate(reversed(body)):
        doubled = _VALUES[letter] * (2 if place % 2 == 0 else 1)
        total += doubled // 32 + doubled % 32
    return ALPHABET[-total % 32]


def new() -> str:
    """Draw a reference from the system's randomness; it says nothing about volume or date."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))
    return _grouped(body + check_letter(body))


def normalise(text: str) -> str | None:
    """Read what a person typed: any case, spaces or dashes, I and L for 1, O for 0. None when it is no reference."""
    letters = "".join(text.split()).replace("-", "").upper().translate(_MISREAD)
    if len(letters) != _LENGTH + 1 or any(letter not in _VALUES for letter in letters):
        return None
    return _grouped(letters) if check_letter(letters[:-1]) == letters[-1] else None


def _grouped(letters: str) -> str:
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"
