"""The words that mail clients write of themselves, in the languages that they speak: around quoted mail, under mail.

Only words are here; `quoted` says where they must stand to count. Each row begins with the languages that it is for.
"""

import re

# "wrote", in an attribution such as "On 3 Feb 2026, Desk <desk@example.org> wrote:".
WROTE = re.compile(
    r"\bwrote\b|\bescribi[óo]\b|\ba écrit\b|\bescreveu\b|\bschrieb\b|\bha scritto\b|\bva escriure\b|\bhet geskryf\b"
    r"|\bskrev\b|\bschreef\b|\bkirjoitti\b|\bskrifaði\b|\bkirjutas\b|\brašė\b|\bparašė\b|\brakstīja\b"
    r"|\bnapisał|\bpisze\b|\bnapsala?\b|\bnapísala?\b|\bnapisa(?:o|la|l)\b|\ba scris\b|\bírta\b|\bshkroi\b"
    r"|\bнаписал|\bпише[тш]?\b|\bнаписав|\bнаписа\b|\bέγραψε\b|\byazdı\b|\bmenulis\b|\bđã viết\b|\bsumulat\b"
    r"|\bgeschreven\b|\bnapisana\b|\byozdi\b|\bнаписао\b|\bнапиша\b|\bжазды\b|\bбичсэн\b|գրել է|գրեց|დაწერა|작성\s?:"
    r"|రాశారు|लिहिले|લખ્યું|ಬರೆದಿದ್ದಾರೆ|എഴുതി|ਲਿਖਿਆ|\baliandika\b|كتب|كتابة|نوشت|لکھا|כתב|लिखा|লিখেছেন|লিখেছে|เขียนว่า|எழுதியது"
    r"|写道|寫道|写了|寫了|のメール|書きました|님이 작성|님이 씀|쓴 글",
    re.IGNORECASE,
)
# How the first line of an attribution begins, where it was broken into several.
BEGINS = re.compile(
    r"(on|at|el|le|em|am|il|in data|op|den|dnia|w dniu|dne|dňa|dana|pe|în|στις|на|в|у|vào|pada|noong|à|a|ke|tir|ons)\s"
    r"|(في|در)\s|(בתאריך|ב-|ในวันที่|เมื่อ|在|於)|[^\s\d,،]{1,14}[.,،]{1,2}\s?\d|\d",
    re.IGNORECASE,
)


def _names(*rows: str) -> frozenset[str]:
    return frozenset(name for row in rows for name in row.casefold().split("|"))


# The fields that Outlook and others put over a quoted mail: who wrote it, and when.
FROM = _names(
    "from|von|de|da|van|från|fra|lähettäjä|od|від|от|kimden|gönderen|από|de la|expeditor|feladó|saatja|nuo|šalje",
    "من|از|מאת|प्रेषक|থেকে|প্রেরক|จาก|ผู้ส่ง|từ|người gửi|dari|daripada|pengirim|mula sa",
    "差出人|送信者|发件人|发送人|發件人|寄件者|寄件人|보낸 사람|보낸사람|발신",
)
SENT = _names(
    "sent|date|sent on|gesendet|datum|envoyé|envoyé le|date d'envoi|enviado|enviada|enviado el|enviado em|fecha|data",
    "inviato|verzonden|skickat|sendt|dato|lähetetty|päivämäärä|pvm|wysłano|wysłane|odesláno|odoslané|dátum|poslano",
    "надіслано|відправлено|отправлено|дата|изпратено|дата и час|gönderildi|gönderilme tarihi|tarih|gönderme tarihi",
    "στάλθηκε|εστάλη|αποστολή|ημερομηνία|trimis|trimise|dată|elküldve|küldve|saadetud|kuupäev|išsiųsta|nosūtīts",
    "تم الإرسال|أُرسلت|أرسلت|تاريخ الإرسال|التاريخ|ارسال شده|فرستاده شده|تاریخ|נשלח|תאריך|भेजा गया|प्रेषित|दिनांक",
    "পাঠানো হয়েছে|প্রেরিত|তারিখ|ส่ง|ส่งเมื่อ|วันที่|đã gửi|gửi|ngày|dikirim|terkirim|tanggal|ipinadala|enviat",
    "送信日時|日時|日付|发送时间|發送時間|傳送時間|日期|寄件日期|보낸 날짜|보낸날짜|날짜|보냄",
)
# What stands between dashes over a quoted mail.
ORIGINAL = _names(
    "original appointment",
    "original message|original mail|original email|original e-mail|reply message|mensaje original|message d'origine",
    "message d’origine|message original|mensagem original|messaggio originale|oorspronkelijk bericht",
    "ursprüngliche nachricht|originalnachricht|original-nachricht|original nachricht|ursprungligt meddelande",
    "originalmeddelande|oprindelig meddelelse|opprinnelig melding|alkuperäinen viesti|oryginalna wiadomość",
    "wiadomość oryginalna|původní zpráva|původní e-mail|pôvodná správa|izvorna poruka|mesaj original|mesajul original",
    "eredeti üzenet|исходное сообщение|оригинальное сообщение|пересылаемое письмо|вихідне повідомлення",
    "оригінальне повідомлення|початкове повідомлення|оригинално съобщение|αρχικό μήνυμα|orijinal ileti|orijinal mesaj",
    "الرسالة الأصلية|پیام اصلی|پیغام اصلی|הודעה מקורית|मूल संदेश|মূল বার্তা|ข้อความต้นฉบับ|ข้อความเดิม|thư gốc",
    "tin nhắn gốc|pesan asli|元のメッセージ|原始邮件|原始郵件|原始信件|回复的原邮件|원본 메시지|원본 메세지",
)

_THING = (
    r"(?:apple|google|microsoft|sony|motorola|iphon[eu]|ipad|android|galaxy|samsung|huawei|xiaomi|redmi|pixel|nokia|oppo"
    r"|blackberry|windows|ios|outlook|yahoo|proton|protonmail|gmail|gmx|web\.de|mail\.ru|mail|e-mail|app|phone|mobile"
    r"|smartphone|tablet|móvil|celular|telemóvel|portable|téléphone|handy|cellulare|telefoon|puhelime|telefonu?|mobil"
    r"|ponsel|điện thoại|โทรศัพท์|κινητό|телефона?|почты|الهاتف|هاتفي|آيفون|گوشی|טלפון|फ़ोन|फोन|ফোন|手机|手機)"
)
_DEVICE = rf"{_THING}(?:\s(?:{_THING}|[a-z+]{{0,3}}\d[\w+]{{0,8}})){{0,4}}"
# What a phone or an app writes under every mail; D stands for the thing that it names.
_FOOTERS = (
    "sent from my D", "sent from D", "sent from D (for|on) D", "sent via( the)? D", "sent with D( secure email)?",
    "get outlook for D", "enviado desde (mi )?D", "enviado desde D (para|en) D", "enviado con D",
    "obtener outlook para D", "obtén outlook para D", "enviado d[oe] (meu )?D", "enviada do meu D",
    "obter o outlook para D", "envoyé (de|depuis) (mon )?D", "envoyé à partir de D( pour D)?",
    "envoyé depuis D pour D", "(télécharger|obtenez) outlook pour D", "von (meinem|meiner) D gesendet",
    "gesendet (von|mit)( meinem| meiner| der)? D( für D)?", "outlook für D herunterladen", "inviato da(l mio)? D",
    "(scarica|ottieni) outlook per D", "(verzonden|verstuurd) (vanaf|met|van)( mijn| de)? D",
    "outlook voor D downloaden", "skickat (från|med)( min)? D", "(hämta|skaffa) outlook för D",
    "(sendt|send) fra( min)? D", "(hent|få) outlook (til|for) D", "lähetetty D\\w{0,6}( laitteesta)?",
    "(wysłane|wysłano) z( mojego)? D['’]?\\w{0,3}", "pobierz (aplikację )?outlook dla D",
    "(odesláno|odoslané) z(e)?( mého| môjho)? D\\w{0,3}", "надіслано з( мого)? D", "отправлено с (моего )?D",
    "отправлено из (мобильной )?D", "изпратено от( моя)? D", "στάλθηκε από( το)? D( μου)?",
    "trimis de pe D\\w{0,3}( meu)?", "(elküldve|küldve)( az)? D\\w{0,8}( készülékemről)?",
    "D['’]?\\w{0,6} gönderildi", "dikirim dari D( saya)?", "(đã )?gửi từ D( của tôi)?", "ส่งจาก ?D( ของฉัน)?",
    "ارسال ?شده از( طریق)? D( من)?", "נשלח מה[- ]?D( שלי)?", "أُ?رسلت? من (الـ ?|ال|جهاز )?D", "مرسل من D",
    "मेरे D से भेजा गया", "আমার D থেকে (পাঠানো( হয়েছে)?|প্রেরিত)", "发自(我的)? ?D", "發自我的 ?D",
    "從我的 ?D ?傳送", "D ?から送信",
    "ipinadala mula sa( aking)? D",
    "내 D에서 보냄",
)  # fmt: skip
NAMES_A_THING = re.compile(_THING, re.IGNORECASE)


def footer_pattern() -> re.Pattern[str]:
    """Make the pattern of a line that a phone wrote; it takes 0.1 s."""
    any_of_them = "|".join(_FOOTERS).replace("D", _DEVICE)
    return re.compile(rf"\s*(?:{any_of_them})\s?[.!]?\s*", re.IGNORECASE)
