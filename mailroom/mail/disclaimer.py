"""The notice that companies hang under every mail: confidential, for the addressee only, else delete it.

It is taken away only when a paragraph at the end says all four things that such a notice says, in one language. A
person who asks for silence says one or two of them, and a threat none: what is quoted or stands higher stays.
"""

_SHORTEST, _LONGEST = 60, 4000
_MOST_PARAGRAPHS = 8
_HEADING_LENGTH = 80
# Where none of these lines says that something is secret, there is no notice.
_LAST_LINES = 60

# Of each language: that it is secret / whom it is for / what is meant / what others must do. Beginnings of words.
_WORDS = (
    "confidential|privileged / intended|addressee|named recipient / mail|message|communication / "
    "in error|by mistake|delete|destroy|prohibited|unauthori|disclos",
    "vertraulich / adressat|empfänger|bestimmt / mail|nachricht / irrtüm|vernichten|löschen|unbefugt|nicht gestattet",
    "confidentiel / destinataire|intention exclusive / message|courriel|mail / par erreur|détrui|supprimer|interdit",
    "confidencial / destinatari|dirigid / mensaje|correo|mail|mensagem / "
    "por error|por erro|elimin|destru|prohibid|proibid|apag",
    "riservat|confidenzial / destinatari / messaggio|mail|comunicazione / per errore|cancell|distrugg|vietat|elimin",
    "vertrouwelijk / geadresseerde|bestemd voor|bestemde / mail|bericht / "
    "abusievelijk|ten onrechte|verwijder|vernietig|niet toegestaan",
    "konfidentiell|sekretess / avsed|mottagare / post|meddelande|mail / av misstag|radera|förbjud|otillåt",
    "fortrolig|konfidensiel / modtager|mottaker|bestemt for|beregnet for / mail|post|melding|meddelelse / "
    "ved en fejl|ved en feil|slet|forbud|ikke tilladt|ikke tillatt",
    "luottamukselli / vastaanottaja|tarkoitettu / viesti|sähköposti / erehdyks|vahingossa|poista|hävitt|kielletty",
    "poufn / adresat|odbiorc|przeznaczon / wiadomość|wiadomości|mail / omyłk|pomyłk|usun|zabronion|błęd",
    "důvěrn|dôvern / příjemc|adresát|určen|príjemc / zpráv|správ|mail / omyl|vymaž|smaž|zakáz|odstraň",
    "bizalmas / címzett / mail|üzenet|levél / tévedés|töröl|tilos|véletlen",
    "confidențial|confidenţial|confidential / destinatar / mesaj|mail / eroare|greșeal|şterge|șterge|interzis",
    "конфиденциальн|конфіденційн|поверителн / адресат|получател|одержувач|отримувач|предназначен|призначен / "
    "сообщени|повідомлен|съобщени|письмо|лист|писмо|почт|пошт / "
    "по ошибке|удал|помилк|видал|запрещ|заборон|погрешка|изтри|забранен",
    "εμπιστευτικ / παραλήπτη|αποδέκτη|προορίζεται / μήνυμα|mail / λάθος|διαγρά|απαγορεύ|σφάλμα",
    "gizli / alıcı|muhatap|gönderilen kişi / posta|mesaj|ileti|mail / yanlışlıkla|siliniz|silmeniz|yasak|hata",
    "سري|سرّي / المستلم|المرسل إليه|المتلقي|المقصود|الموجه / رسال|بريد / بالخطأ|عن طريق الخطأ|حذف|يُحظر|يحظر|خطأ",
    "محرمانه / گیرنده|مخاطب / ایمیل|پیام|رایانامه / اشتباه|حذف|پاک|ممنوع",
    "חסוי|סודי|חסויי / נמען|מיועד|נמענ / הודע|דואר|מייל / בטעות|מחק|אסור|למחוק",
    "गोपनीय / प्राप्तकर्ता|के लिए / ईमेल|ई-मेल|संदेश|मेल / गलती|त्रुटि|हटा|निषिद्ध",
    "গোপনীয় / প্রাপক|জন্য / ইমেল|ইমেইল|বার্তা / ভুল|মুছে|নিষিদ্ধ",
    "ความลับ / ผู้รับ / อีเมล|ข้อความ / ผิดพลาด|ลบ|ห้าม",
    "bảo mật|bí mật|tuyệt mật / người nhận / email|thư|thông điệp / nhầm|xóa|xoá|nghiêm cấm",
    "rahasia|sulit / penerima|ditujukan / email|e-mail|pesan|surel / kesalahan|kesilapan|hapus|padam|dilarang",
    "機密|秘密|秘匿 / 受信者|宛先|名宛人|受取人 / メール / 誤って|削除|破棄|禁",
    "机密|保密|機密 / 收件人|收件者|接收 / 邮件|郵件|信息 / 误|誤|删除|刪除|禁止|严禁|嚴禁",
    "기밀|비밀 / 수신인|수신자|지정된 / 메일|메시지|이메일 / 잘못|삭제|금지",
)
_NOTICES = tuple(tuple(frozenset(group.split("|")) for group in words.split(" / ")) for words in _WORDS)
_SECRET = frozenset(word for notice in _NOTICES for word in notice[0])
_HEADINGS = (*_SECRET, "disclaimer", "avis", "hinweis", "aviso", "legal", "notice")
# What programs and companies add beside it; the whole paragraph must be about that, so it is short.
_ADDED = (
    "before printing", "bevor sie diese mail drucken", "avant d'imprimer", "avant d’imprimer", "antes de imprimir",
    "checked for viruses by a", "free from viruses", "virus-free.", "virenfrei.", "auf viren geprüft",
    "libre de virus.", "sans virus.",
)  # fmt: skip
_ADDED_LENGTH = 300
_SIGNS = (*_SECRET, *_ADDED)
_RULE_SIGNS = "_-=*–—~# "


def without_disclaimer(lines: list[str]) -> list[str]:
    """Drop the paragraphs at the end that are a company's notice, unless nothing would be left."""
    if not _names_any("\n".join(lines[-_LAST_LINES:]).casefold(), _SIGNS):
        return lines
    left, found = lines, False
    for _ in range(_MOST_PARAGRAPHS):
        start, end = _last_paragraph(left)
        text = "\n".join(left[start:end]).casefold()
        is_heading = found and end - start == 1 and len(text) <= _HEADING_LENGTH and _names_any(text, _HEADINGS)
        known = is_heading or _is_rule(text, found=found) or (_is_notice(text) and not _is_introduced(left[:end]))
        if start == 0 or not known:
            break
        left, found = left[:start], True
    return left if any(line.strip() for line in left) else lines


def _last_paragraph(lines: list[str]) -> tuple[int, int]:
    """Find where the last lines stand that no blank line or line of dashes parts."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    start, length = end, 0
    while start and lines[start - 1].strip() and length <= _LONGEST:
        start -= 1
        length += len(lines[start])
        if lines[start][:1] in _RULE_SIGNS and _is_rule(lines[start], found=True):
            return (start, end) if end - start == 1 else (start + 1, end)
    return start, end


def _is_rule(text: str, *, found: bool) -> bool:
    return found and len(text.strip()) >= 5 and not text.strip().strip(_RULE_SIGNS)


def _is_notice(text: str) -> bool:
    if len(text) <= _ADDED_LENGTH and _names_any(text, _ADDED):
        return True
    if not _SHORTEST <= len(text) <= _LONGEST or text.lstrip().startswith(">") or not _names_any(text, _SECRET):
        return False
    return any(all(_names_any(text, words) for words in notice) for notice in _NOTICES)


def _is_introduced(lines: list[str]) -> bool:
    """Tell whether the last paragraph, or the line before it, says with a colon that something is quoted."""
    start, _ = _last_paragraph(lines)
    before = next((line for line in reversed(lines[:start]) if line.strip()), "")
    return any(line.rstrip().endswith((":", "：")) for line in (before, *lines[start:]))


def _names_any(text: str, words: tuple[str, ...] | frozenset[str]) -> bool:
    return any(word in text for word in words)
