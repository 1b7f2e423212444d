"""The texts of `mailroom init`: for publishing the address, to the record keeper, and what to do next."""

from pathlib import Path

_PUBLISH = """\
[For the people who run the service: nobody has reviewed this text. Read it, change it to fit, have it translated,
and take these lines away. Say who reads the mail, how long it is kept, and when somebody reads it.]

If somebody harasses or threatens you, you can write to

    {address}

In danger, call your local emergency number first. Nobody reads this mailbox round the clock.

Write in any language. You need not give your name. What you write is kept so that one person, the record keeper,
can read it.

Before you write
- Can somebody else read your mail? Then write from another address, or add the words: not safe.
- Choose a subject that says nothing, such as: Hello. A subject shows on a locked phone, and is never encrypted by
  some mail programs.
- Afterwards you may delete what you sent, and the answer, also from the trash.

What comes back
- A short answer, mostly within minutes. It comes from "{name}", its subject says nothing of your story, and
  it repeats nothing of what you wrote. A number stands in the subject; keep it if you want to write again.
- It names services that may help, where we know of some.
- To get no more mail, answer with the one word STOP.

Encrypted mail
- You can encrypt to the key in desk-key.asc. The answer is then encrypted too, if your key came with your mail.
- Its fingerprint is {fingerprint}
"""

_GREETING = """\
If you can read this, the new mail desk can write to you, and only you can read what it writes.

What comes next:
- Look at the sender, and put the address into your address book, so that its mail is never taken for junk.
- Keep a copy of your private key and its passphrase in a safe place. Without it the records cannot be read.
- Every report will be told to you in a mail like this one.
- The key of the desk came with this mail. Its fingerprint:
  {fingerprint}

Nothing has to be answered.
"""


def publication(address: str, name: str, fingerprint: str) -> str:
    """Write a short text for publishing the address."""
    return _PUBLISH.format(address=address, name=name, fingerprint=grouped(fingerprint))


def greeting(fingerprint: str) -> str:
    """Write the test mail to the record keeper."""
    return _GREETING.format(fingerprint=grouped(fingerprint))


def grouped(fingerprint: str) -> str:
    """Write a fingerprint as people compare it."""
    return " ".join(fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4))


def next_steps(config: Path) -> list[str]:
    """Say which commands come next."""
    return [
        "Next, look whether everything works, take one round, and then let it run:",
        f"  mailroom doctor --config {config}",
        f"  mailroom run --once --config {config}",
        f"  mailroom run --config {config}    (or the unit in systemd/, which starts it with the machine)",
    ]
