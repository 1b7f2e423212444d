"""What clients write around quoted mail is known in the languages that they speak, and company notices too."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.mail.clients import FROM, ORIGINAL, SENT
from mailroom.mail.disclaimer import without_disclaimer
from mailroom.mail.quoted import own_text

OWN = "It happened again.\n\nPlease help me."
DESK = "Desk <desk@example.org>"
ATTRIBUTIONS = {
    "nl": f"Op di 3 feb 2026 om 10:00 schreef {DESK}:",
    "sv": f"Den tis 3 feb. 2026 kl 10:00 skrev {DESK}:",
    "da": f"Den tirs. 3. feb. 2026 kl. 10.00 skrev {DESK}:",
    "nb": f"tir. 3. feb. 2026 kl. 10:00 skrev {DESK}:",
    "fi": f"ti 3. helmik. 2026 klo 10.00 {DESK} kirjoitti:",
    "pl": f"wt., 3 lut 2026 o 10:00 {DESK} napisał(a):",
    "pl-web": f"W dniu 2026-02-03 10:00:00 użytkownik {DESK} napisał:",
    "cs": f"út 3. 2. 2026 v 10:00 odesílatel {DESK} napsal:",
    "sk": f"ut 3. 2. 2026 o 10:00 {DESK} napísal(a):",
    "ro": f"Pe mar., 3 feb. 2026 la 10:00, {DESK} a scris:",
    "hu": f"{DESK} ezt írta (időpont: 2026. febr. 3., K, 10:00):",
    "bg": f"На вт, 3.02.2026 г. в 10:00 {DESK} написа:",
    "el": f"Στις Τρί 3 Φεβ 2026 στις 10:00 π.μ., ο χρήστης {DESK} έγραψε:",
    "fa": f"در تاریخ سه‌شنبه ۳ فوریه ۲۰۲۶، ۱۰:۰۰ {DESK} نوشت:",
    "he": "\u202bבתאריך יום ג׳, 3 בפבר׳ 2026 ב-10:00 מאת \u202aDesk\u202c\u200f"
    " <\u202adesk@example.org\u202c\u200f>:\u202c",
    "bn": f"মঙ্গল, ৩ ফেব, ২০২৬ তারিখে ১০:০০ AM টায় {DESK} লিখেছেন:",
    "th": f"เมื่อ อ. 3 ก.พ. 2026 เวลา 10:00 {DESK} เขียนว่า:",
    "vi": f"Vào Th 3, 3 thg 2, 2026 vào lúc 10:00 {DESK} đã viết:",
    "id": f"Pada tanggal Sel, 3 Feb 2026 pukul 10.00 {DESK} menulis:",
    "zh-hant": f"{DESK} 於 2026年2月3日 週二 上午10:00寫道：",
    "netease": '在 2026-02-03 10:00:00，"Desk" <desk@example.org> 写道：',
    "yandex": '03.02.2026, 10:00, "Desk" <desk@example.org>:',
    "mail-ru": f"Вторник, 3 февраля 2026, 10:00 +03:00 от {DESK}:",
    "apple-nl": f"Op 3 feb 2026, om 10:00 heeft {DESK} het volgende geschreven:",
    "apple-pl": f"Wiadomość napisana przez {DESK} w dniu 3 lut 2026, o godz. 10:00:",
    "apple-ko": f"2026. 2. 3. 오전 10:00, {DESK} 작성:",
    "te": f"మంగళ, 3 ఫిబ్ర 2026న 10:00కి {DESK} ఇలా రాశారు:",
    "hy": f"երք, 3 փտվ 2026 թ., 10:00 {DESK} գրել է.:",
    "french-spaces": f"Le mar. 3 févr. 2026 à 10:00, {DESK} a\xa0écrit\xa0:",
    "proton": f"On Tuesday, February 3rd, 2026 at 10:00 AM, {DESK} wrote:",
}
BLOCKS = {
    "nl": ("Van", "Verzonden", "Aan", "Onderwerp"),
    "sv": ("Från", "Skickat", "Till", "Ämne"),
    "da": ("Fra", "Sendt", "Til", "Emne"),
    "fi": ("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe"),
    "pl": ("Od", "Wysłano", "Do", "Temat"),
    "cs": ("Od", "Odesláno", "Komu", "Předmět"),
    "ro": ("De la", "Trimis", "Către", "Subiect"),
    "hu": ("Feladó", "Elküldve", "Címzett", "Tárgy"),
    "bg": ("От", "Изпратено", "До", "Тема"),
    "uk": ("Від", "Надіслано", "Кому", "Тема"),
    "el": ("Από", "Στάλθηκε", "Προς", "Θέμα"),
    "tr": ("Gönderen", "Gönderildi", "Kime", "Konu"),
    "ar": ("من", "تم الإرسال", "إلى", "الموضوع"),
    "fa": ("از", "ارسال شده", "به", "موضوع"),
    "he": ("מאת", "נשלח", "אל", "נושא"),
    "hi": ("प्रेषक", "भेजा गया", "प्रति", "विषय"),
    "bn": ("থেকে", "পাঠানো হয়েছে", "প্রতি", "বিষয়"),
    "th": ("จาก", "ส่ง", "ถึง", "เรื่อง"),
    "vi": ("Từ", "Đã gửi", "Đến", "Chủ đề"),
    "id": ("Dari", "Dikirim", "Kepada", "Subjek"),
    "ja": ("差出人", "送信日時", "宛先", "件名"),
    "zh-hans": ("发件人", "发送时间", "收件人", "主题"),
    "zh-hant": ("寄件者", "寄件日期", "收件者", "主旨"),
    "ko": ("보낸 사람", "보낸 날짜", "받는 사람", "제목"),
}
NOTICES = {
    "en": "This e-mail and any attachments are confidential and intended solely for the addressee. If you have received"
    " it in error, please notify the sender and delete it. Any unauthorised disclosure is prohibited.",
    "de": "Diese E-Mail enthält vertrauliche Informationen. Wenn Sie nicht der richtige Adressat sind oder diese E-Mail"
    " irrtümlich erhalten haben, informieren Sie bitte den Absender und vernichten Sie diese Mail.",
    "fr": "Ce message est confidentiel et destiné à l'usage exclusif de son destinataire. Si vous l'avez reçu par"
    " erreur, merci de le détruire et d'en avertir l'expéditeur.",
    "es": "Este mensaje es confidencial y va dirigido únicamente a su destinatario. Si lo ha recibido por error, le"
    " rogamos que lo elimine y avise al remitente.",
    "pl": "Niniejsza wiadomość jest poufna i przeznaczona wyłącznie dla adresata. Jeżeli otrzymali ją Państwo omyłkowo,"
    " prosimy o jej usunięcie.",
    "ru": "Это сообщение содержит конфиденциальную информацию и предназначено только адресату. Если вы получили его по"
    " ошибке, удалите его и сообщите отправителю.",
    "ar": "هذه الرسالة سرية وموجهة إلى المرسل إليه فقط. إذا وصلتك بطريق الخطأ فيرجى حذفها وإبلاغ المرسل بذلك.",
    "ja": "このメールには機密情報が含まれ、宛先の方のみを対象としています。"
    "誤って受信された場合は、削除のうえご連絡"
    "ください。第三者への開示は固くお断りします。",
    "zh": "本邮件及其附件含有保密信息，仅供上述收件人使用。"
    "如果您误收了本邮件，请立即通知发件人并删除本邮件。"
    "禁止任何其他人以任何形式使用、披露、复制本邮件中的信息，谢谢合作。",
    "hi": "यह ईमेल गोपनीय है और केवल प्राप्तकर्ता के लिए है। यदि यह आपको गलती से मिला है तो कृपया इसे हटा दें और भेजने वाले को बताएं।",
}  # fmt: skip


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_an_attribution_goes_with_its_quote(attribution: str) -> None:
    assert own_text(f"{OWN}\n\n{attribution}\n> Thank you.\n> > first\n") == OWN
    assert own_text(f"{attribution}\n> Thank you.\n\n{OWN}", answer=False) == OWN


@pytest.mark.parametrize("names", BLOCKS.values(), ids=BLOCKS)
@pytest.mark.parametrize("shape", ["{}: ", "*{}:* ", "{} : ", "{}："])
def test_the_block_over_a_quoted_mail_ends_an_answer(names: tuple[str, ...], shape: str) -> None:
    values = (DESK, "3.2.2026 10:00", "robin@example.net", "x")
    rows = [shape.format(name) + value for name, value in zip(names, values, strict=True)]
    for block in (rows, [rows[1], rows[0], *rows[2:]]):
        text = f"{OWN}\n\n" + "\n".join(block) + "\n\nold mail"
        assert own_text(text) == OWN
        assert own_text(text, answer=False) == text


def test_a_block_in_an_unknown_language_is_known_by_the_rule_above_it() -> None:
    text = f"{OWN}\n\n________________________________\nNgu: {DESK}\nThumela: 3.2.2026\nKu: me\n\nold"
    assert own_text(text) == OWN
    no_rule = text.replace("_" * 32, "")
    assert own_text(no_rule) == no_rule
    note = f"{OWN}\n\n{'_' * 32}\nHis address: <boss@example.net>\nand he uses it often.\nEvery day."
    assert own_text(note) == note


def test_an_unmarked_history_goes_when_its_attribution_is_broken_in_two() -> None:
    assert own_text(f"{OWN}\n\nOn Tue, 3 Feb 2026 at 10:00, {DESK}\nwrote:\n\nold mail") == OWN


@pytest.mark.parametrize(
    "attribution",
    [
        f"Le mar. 3 févr. 2026 à 10:00, {DESK} a\nécrit :",
        f"Il giorno mar 3 feb 2026 alle ore 10:00 {DESK} ha\nscritto:",
        f"Vào Th 3, 3 thg 2, 2026 vào lúc 10:00 {DESK} đã\nviết:",
        "On Tue, 3 Feb 2026 at 10:00, Desk\n<desk@example.org>\nwrote:",
    ],
)
def test_the_words_of_an_attribution_may_be_broken_in_two(attribution: str) -> None:
    assert own_text(f"{OWN}\n\n{attribution}\n\n> old", answer=False) == OWN


def test_an_attribution_between_dashes_ends_an_answer() -> None:
    text = f"{OWN}\n\n---- On Tue, 03 Feb 2026 10:00:00 +0000 {DESK} wrote ---\n\nold"
    assert own_text(text) == OWN
    assert own_text(text, answer=False) == text


@pytest.mark.parametrize(
    "footer",
    [
        "Verzonden vanaf mijn iPhone", "Skickat från min iPhone", "Sendt fra min iPhone", "Lähetetty iPhonesta",
        "Wysłane z iPhone'a", "Odesláno z iPhonu", "Надіслано з iPhone", "Στάλθηκε από το iPhone μου",
        "Trimis de pe iPhone", "ارسال شده از iPhone", "נשלח מה-iPhone שלי", "আমার iPhone থেকে পাঠানো হয়েছে",
        "ส่งจาก iPhone ของฉัน", "Đã gửi từ iPhone của tôi", "Dikirim dari iPhone saya", "Outlook voor Android downloaden",
    ],
)  # fmt: skip
def test_the_footer_of_a_phone_goes_in_more_languages(footer: str) -> None:
    assert own_text(f"{OWN}\n\n{footer}") == OWN


@pytest.mark.parametrize("notice", NOTICES.values(), ids=NOTICES)
def test_a_company_notice_goes(notice: str) -> None:
    assert own_text(f"{OWN}\n\n{notice}", answer=False) == OWN
    assert own_text(f"{OWN}\n-- \nRobin\n\n__________\nDISCLAIMER\n{notice}\n\n{NOTICES['en']}", answer=False) == OWN
    assert own_text(f"{OWN}\n\n{notice}\n\n{ATTRIBUTIONS['nl']}\n> old") == OWN
    assert own_text(notice, answer=False) == notice


@pytest.mark.parametrize(
    "last",
    [
        "This message is confidential. Please do not tell anybody at work, and delete it when you have read it.",
        "He wrote to me that the message is confidential and that I am to delete it or he will find me at home again.",
        "Please keep this e-mail confidential, it is intended for the record keeper only. I am afraid of them.",
        f"> {NOTICES['en']}",
        f"He put this under his threat:\n\n{NOTICES['de']}",
        f"He put this under his threat:\n{NOTICES['en']}\nand then my address.",
    ],
)
def test_a_plea_for_silence_stays(last: str) -> None:
    text = f"{OWN}\n\n{last}"
    assert own_text(text, answer=False) == text


PIECES = [
    *ATTRIBUTIONS.values(), *NOTICES.values(), OWN, "", "> quote", "_" * 20, "DISCLAIMER", "Od: x <a@example.org>",
    "Wysłano: y", "--- Original Message ---", "Sent from my iPhone",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES)).map("\n".join), st.booleans())
@settings(deadline=None)
def test_what_is_left_is_part_of_the_text_and_never_nothing(text: str, answer: bool) -> None:
    left = own_text(text, answer=answer)
    assert left in text
    assert bool(left) == bool(text.strip())


@given(st.lists(st.sampled_from([*PIECES, " "])))
def test_a_notice_goes_only_from_the_end(lines: list[str]) -> None:
    left = without_disclaimer(lines)
    assert left == lines[: len(left)]


def test_words_of_clients_are_folded_so_that_they_can_be_found() -> None:
    for names in (FROM, SENT, ORIGINAL):
        assert all(name == name.casefold().strip() and name for name in names)
