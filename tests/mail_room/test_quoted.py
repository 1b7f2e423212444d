"""Only what the writer wrote is left, and never nothing; what was done to them stays."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.mail.quoted import own_text

OWN = "It happened again.\n\nPlease help me."
ATTRIBUTIONS = {
    "en": "On Tue, Feb 3, 2026 at 10:00 AM Desk <desk@example.org> wrote:",
    "en-apple": "On 3 Feb 2026, at 10:00, Desk <desk@example.org> wrote:",
    "es": "El mar, 3 feb 2026 a las 10:00, Desk (<desk@example.org>) escribió:",
    "fr": "Le mar. 3 févr. 2026 à 10:00, Desk <desk@example.org> a écrit :",
    "pt": "Em ter., 3 de fev. de 2026 às 10:00, Desk <desk@example.org> escreveu:",
    "de": "Am Di., 3. Feb. 2026 um 10:00 Uhr schrieb Desk <desk@example.org>:",
    "it": "Il giorno mar 3 feb 2026 alle ore 10:00 Desk <desk@example.org> ha scritto:",
    "ru": "вт, 3 февр. 2026 г. в 10:00, Desk <desk@example.org>:",
    "uk": "вт, 3 лют. 2026 р. о 10:00 Desk <desk@example.org> пише:",
    "ar": "في ٣ فبراير ٢٠٢٦، الساعة ١٠:٠٠، كتب \u200fDesk\u200f <\u202adesk@example.org\u202c>:\u200f",
    "hi": "मंगल, 3 फ़र॰ 2026 को 10:00 पूर्वाह्न बजे को Desk <desk@example.org> ने लिखा:",
    "zh": "Desk <desk@example.org> 于2026年2月3日周二 10:00写道：",
    "ja": "2026年2月3日(火) 10:00 Desk <desk@example.org>:",
    "ko": "2026년 2월 3일 (화) 오전 10:00, Desk <desk@example.org>님이 작성:",
    "tr": "Desk <desk@example.org>, 3 Şub 2026 Sal, 10:00 tarihinde şunu yazdı:",
}


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_history_under_an_attribution_goes_in_every_language(attribution: str) -> None:
    quote = "> Thank you.\n>\n> > first mail"
    for text in (
        f"{OWN}\n\n{attribution}\n\n{quote}\n",
        f"{OWN}\n{attribution}\n{quote}",
        f"{attribution}\n{quote}\n\n{OWN}",
    ):
        assert own_text(text) == OWN
        assert own_text(text, answer=False) == OWN


@pytest.mark.parametrize("language", ["en", "es", "fr", "pt", "de", "ru"])
def test_a_wrapped_attribution_goes_whole(language: str) -> None:
    attribution = ATTRIBUTIONS[language].replace(" Desk", "\nDesk")
    assert own_text(f"{OWN}\n\n{attribution}\n> quote") == OWN


@pytest.mark.parametrize(
    "history",
    [
        "-----Original Message-----\nFrom: Desk\nhello",
        "----- Mensaje original -----\nhello",
        "-------- Ursprüngliche Nachricht --------\nhello",
        "-----Исходное сообщение-----\nhello",
        "________________________________\nFrom: Desk <desk@example.org>\nSent: Tuesday\nTo: me\nSubject: x\n\nhello",
        "De : Desk\nEnvoyé : mardi 3 février 2026\nÀ : moi\n\nhello",
        "*Von:* Desk\n*Gesendet:* Dienstag\n\nhello",
        "发件人： Desk\n发送时间： 2026年2月3日\n\nhello",
        "On 3 Feb 2026, at 10:00, Desk <desk@example.org> wrote:\n\nhello without marks",
        "> hello without attribution",
    ],
)
def test_history_goes_from_an_answer_and_stays_in_a_first_mail(history: str) -> None:
    assert own_text(f"{OWN}\n\n{history}") == OWN
    assert own_text(f"{OWN}\n\n{history}", answer=False) == f"{OWN}\n\n{history}"


@pytest.mark.parametrize(
    "text",
    [
        "He wrote under my article:\n\n> leave or else\n\nI am afraid.",
        "I am afraid. This came today:\n\n> leave or else",
        "Yesterday he wrote:\n> leave\n\nToday he wrote:\n> or else",
        "On Monday he wrote:\n> leave or else\nand I did not answer.",
        "> leave or else\n\nThis I found on my page.\n\n> or else\n\nWhat can I do?",
        "Hello,\nhe wrote to me on 3.2.2026 at 10:00 from boss@example.net, and he wrote:\n> I will find you",
        "Hello,\non 3.2.2026 at 10:00 boss@example.net wrote this to me:\n> I will find you",
        "---------- Forwarded message ---------\nFrom: x@example.net\nDate: today\n\nleave or else",
    ],
)
def test_quoted_threats_stay_in_a_complaint(text: str) -> None:
    assert own_text(text, answer=False) == text


def test_a_threat_that_the_writer_introduces_stays_in_an_answer_too() -> None:
    text = "There is more. He wrote to me:\n> leave or else"
    assert own_text(text) == text


@pytest.mark.parametrize(
    "threat",
    [
        f"{ATTRIBUTIONS['en']}\n> leave or else",
        "________________________________\nFrom: x <x@example.net>\nSent: Monday\nTo: me\n\nleave or else",
        "-----Original Message-----\nFrom: x\nleave or else",
    ],
)
def test_a_mail_that_the_writer_introduces_with_a_colon_is_no_history(threat: str) -> None:
    for text in (f"There is more. This is what he sent me:\n\n{threat}", f"他写给我的：\n{threat}"):
        assert own_text(text) == text
        assert own_text(text, answer=False) == text
    assert own_text(f"There is more.\n\n{threat}") == "There is more."
    assert own_text(f"There is more.\n> you wrote:\n\n{threat}") == "There is more.\n> you wrote:"


@pytest.mark.parametrize(
    "attribution",
    ["On Tue, Feb 03, 2026 at 10:00:00AM +0100, Desk wrote:", "At 2026-02-03 10:00:00, desk@example.org wrote:"],
)
def test_an_attribution_without_brackets_is_known_in_an_answer_by_its_beginning(attribution: str) -> None:
    assert own_text(f"{OWN}\n\n{attribution}\n> old") == OWN
    told = f"There is more. He {attribution}\n> leave or else"
    assert own_text(told) == told


def test_answers_between_quotes_stay_with_them() -> None:
    text = "On 3 Feb 2026, at 10:00, Desk <desk@example.org> wrote:\n> Is it safe?\nYes.\n> Where are you?\nAt home."
    assert own_text(text) == text


@pytest.mark.parametrize(
    "text", ["> only quoted", "-- \nonly a signature", "-----Original Message-----\nx", "Sent from my iPhone"]
)
def test_rather_too_much_than_nothing(text: str) -> None:
    assert own_text(text) == text


@pytest.mark.parametrize("signature", ["-- \nRobin\nStreet 1", "--\nRobin", "-- \n" + "line\n" * 11])
def test_a_signature_goes(signature: str) -> None:
    assert own_text(f"{OWN}\n{signature}") == OWN
    assert own_text(f"{OWN}\n\n{signature}\n\n{ATTRIBUTIONS['en']}\n> quote") == OWN


@pytest.mark.parametrize(
    "text",
    [
        "one\n--\nHe is here now.",
        "one\n--\n他来了。",
        "one\n--\ntwo\n--\nthree",
        "one\n-- \n" + "line\n" * 30 + "end",
        "one\n--\n" + "line\n" * 8 + "end",
    ],
)
def test_a_line_of_dashes_in_the_story_is_no_signature(text: str) -> None:
    assert own_text(text) == text


@pytest.mark.parametrize(
    "footer",
    [
        "Sent from my iPhone", "Sent from my Samsung Galaxy S21 5G smartphone", "Von meinem iPhone gesendet",
        "Sent with Proton Mail secure email.", "Sent with Proton Mail <https://p.example> secure email.",
        "Envoyé de mon iPhone", "Enviado desde mi iPhone", "Inviato da iPhone",
        "Enviado do meu iPhone", "Gesendet mit der GMX Mail App", "Get Outlook for iOS<https://x.example>",
        "Отправлено с iPhone", "أُرسلت من الـ iPhone", "मेरे iPhone से भेजा गया", "发自我的iPhone", "iPhoneから送信",
        "iPhone’umdan gönderildi", "Sent from Yahoo Mail on Android\nGet Outlook for Android",
    ],
)  # fmt: skip
def test_the_footer_of_a_phone_goes(footer: str) -> None:
    assert own_text(f"{OWN}\n\n{footer}\n") == OWN


@pytest.mark.parametrize(
    "last",
    [
        "Sent from my phone because he reads my laptop.",
        "Enviado desde mi trabajo porque en casa no es seguro.",
        "He sent it from my phone",
        "Thanks,\nRobin",
        "- and one more thing",
    ],
)
def test_a_last_sentence_stays(last: str) -> None:
    assert own_text(f"{OWN}\n{last}") == f"{OWN}\n{last}"


PIECES = [*ATTRIBUTIONS.values(), OWN, "> quote", ">", "", "-- ", "--", "From: x", "Sent: y", "wrote:", "____________"]


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("\n".join)), st.booleans())
@settings(deadline=None)
def test_what_is_left_are_lines_of_the_text_and_never_nothing(text: str, answer: bool) -> None:
    left = own_text(text, answer=answer)
    assert left in text
    assert bool(left) == bool(text.strip())
