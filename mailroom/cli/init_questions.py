"""What `mailroom init` has to be told, and how it asks on a terminal: server by server, each tried before the next."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import typer
from pydantic import TypeAdapter, ValidationError

from mailroom.cli.doctor import tell
from mailroom.config_types import Address
from mailroom.doctor.finding import Finding
from mailroom.errors import ConfigError, MailroomError, Problem

ASKED = {
    "address": "The address that people will write to",
    "imap_host": "The server that receives mail (IMAP)",
    "username": "The name to log in with there",
    "smtp_host": "The server that sends mail (SMTP)",
    "keeper": "The record keeper's address",
    "keeper_key": "A file with the record keeper's public OpenPGP key",
}
#: Parts of words that tell what a mail is about, to whoever sees it in somebody else's list of mails.
_TELLING = (
    *("harass", "abus", "assault", "victim", "violen", "stalk", "report", "complain", "help", "crisis", "conduct"),
    *("safe", "survivor", "metoo", "acoso", "maltrat", "ayuda", "denunc", "víctim", "harcel", "harcèl", "plainte"),
    *("agress", "belästig", "belaestig", "gewalt", "missbrauch", "opfer", "hilfe", "notruf", "beschwerde", "krise"),
    *("molest", "aiuto", "vittim", "stupr", "assédio", "assedio", "ajuda", "vítima", "geweld", "slachtoffer", "hulp"),
    *("klacht", "przemoc", "pomoc", "ofiar", "taciz", "yardım", "yardim", "şiddet", "hjälp", "hjælp", "våld"),
    *("насил", "помощ", "жертв", "домогат", "жалоб", "допомог", "переслід", "تحرش", "عنف", "مساعدة", "شكوى"),
    *(
        "उत्पीड़न",
        "मदद",
        "शिकायत",
        "骚扰",
        "騷擾",
        "举报",
        "舉報",
        "投诉",
        "投訴",
        "求助",
        "相談",
        "通報",
        "嫌がらせ",
        "신고",
        "괴롭힘",
    ),
)
#: Tries "imap" or "smtp" with these answers; gives what is wrong, or None.
Try = Callable[["Answers", str], Finding | None]


@dataclass(frozen=True, slots=True)
class Answers:
    """What `init` was told; "" where it was not told yet."""

    address: str = ""
    imap_host: str = ""
    smtp_host: str = ""
    username: str = ""
    keeper: str = ""
    keeper_key: str = ""
    name: str = "Letter desk"
    security: str = "tls"
    password_file: Path | None = None
    typed_password: bytes | None = field(default=None, repr=False)
    token_command: tuple[str, ...] = field(default=(), repr=False)
    imap_port: int | None = None
    smtp_port: int | None = None
    archive_keys: tuple[Path, ...] = ()
    admin: str = ""
    authserv_id: str = ""
    sent: str = ""

    @property
    def password(self) -> bytes | None:
        """What was typed, else what the file holds; None for none."""
        if self.typed_password is None and self.password_file and self.password_file.is_file():
            return self.password_file.read_bytes()
        return self.typed_password


def problem(option: str, what: str, nearest: str | None = None) -> Problem:
    """Say what is wrong with an option."""
    return Problem("mailroom init", option, what, nearest)


def require_all(answers: Answers) -> Answers:
    """Refuse answers that something is missing from, where nobody can be asked.

    Raises:
        ConfigError: with every option that is missing.
    """
    answers = replace(answers, username=answers.username or answers.address)
    missing = ["--" + name.replace("_", "-") for name in ASKED if not getattr(answers, name)]
    if answers.password_file is None and not answers.token_command:
        missing.append("--password-file")
    if missing:
        raise ConfigError(*(problem(option, "is required.") for option in missing))
    return answers


def ask(answers: Answers, attempt: Try) -> Answers:
    """Ask for what is missing. What a server does not take is asked again, the rest is kept."""
    answers = _asked(answers, "address")
    domain = answers.address.rpartition("@")[2]
    answers = _server(_asked(answers, "imap_host", f"imap.{domain}"), "imap", attempt)
    answers = _server(_asked(answers, "smtp_host", f"smtp.{domain}"), "smtp", attempt)
    return _asked(_asked(answers, "keeper"), "keeper_key")


def _server(answers: Answers, server: str, attempt: Try) -> Answers:
    answers = _with_login(answers, answers.address)
    while fault := attempt(answers, server):
        tell(fault, err=True)
        if fault.check == "imap login" and not answers.token_command:
            answers = _with_login(
                replace(answers, username="", password_file=None, typed_password=None), answers.username
            )
        elif fault.check.endswith(" login"):
            raise MailroomError("nothing was written, because both servers must take the same login; see --no-connect")
        else:
            host = f"{server}_host"
            answers = _asked(_changed(answers, host, ""), host, getattr(answers, host))
    return answers


def _with_login(answers: Answers, username: str) -> Answers:
    answers = _asked(answers, "username", username)
    if answers.password is not None or answers.token_command:
        return answers
    typed = str(typer.prompt("The password", hide_input=True, err=True))
    return replace(answers, typed_password=typed.encode())


def _asked(answers: Answers, name: str, default: str | None = None) -> Answers:
    """Ask for one answer, if there is none; what cannot be right is asked again at once."""
    if getattr(answers, name):
        return answers
    check = {"address": _address, "keeper": _address, "keeper_key": _file}.get(name)
    return _changed(answers, name, typer.prompt(ASKED[name], default=default, value_proc=check, err=True))


def _changed(answers: Answers, name: str, value: str) -> Answers:
    change: dict[str, Any] = {name: value}
    return replace(answers, **change)


def _address(value: str) -> str:
    try:
        return TypeAdapter(Address).validate_python(value.strip())
    except ValidationError:
        raise typer.BadParameter("It must be one bare mail address, such as desk@example.org.") from None


def _file(value: str) -> str:
    if not Path(value).is_file():
        raise typer.BadParameter("There is no such file.")
    return value


def telling(answers: Answers) -> list[str]:
    """Name the options whose values tell strangers what people write about; nothing is looked up."""
    shown = {"--address": answers.address.rpartition("@")[0], "--name": answers.name}
    return [option for option, value in shown.items() if any(part in value.casefold() for part in _TELLING)]
