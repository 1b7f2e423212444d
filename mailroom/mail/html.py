"""HTML to text that reads like the mail looked. Nothing remote is ever touched: there is no code here that could.

lxml reads the HTML; we take out what nobody saw, write the links into the text and mark quotes; inscriptis sets
lists and tables. inscriptis calls itself once for every level of nesting, and sizes its tables by attributes, so it
only gets pages of bounded depth and without attributes; a stranger page is read without layout.
"""

import re
from collections.abc import Iterator
from itertools import islice

from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import etree, html  # type: ignore[import-untyped]  # lxml publishes no annotations

from mailroom.mail.clients import FROM, SENT, WROTE
from mailroom.mail.layout import room

LIMIT = 1_000_000
_MAX_DEPTH = 120
_MAX_TABLE_DEPTH = 8
_MAX_ELEMENTS = 50_000
_MAX_LINK_DEPTH = 3
_MAX_ROOM = 10_000_000
_URL_LENGTH = 2000
_EMOJI_LENGTH = 8
_ATTRIBUTION_LENGTH = 400

_UNSEEN = {"script", "style", "head", "title", "template", "object", "embed", "iframe", "select", "datalist"}
_ZERO = r"0+(\.0*)?\s*([a-z%]+\s*)?(!\s*important\s*)?(;|$)"
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|mso-hide\s*:\s*all|(?<![-\w])color\s*:\s*transparent"
    rf"|(?<![-\w])(font-size|opacity)\s*:\s*{_ZERO}"
    r"|(?<![-\w])(left|top|text-indent)\s*:\s*-\d{4,}",
    re.IGNORECASE,
)
_NO_HEIGHT = re.compile(rf"(?<![-\w])(max-)?height\s*:\s*{_ZERO}", re.IGNORECASE)
_CUT_OFF = re.compile(r"overflow\s*:\s*hidden", re.IGNORECASE)
_COLOURS = re.compile(r"(?<![-\w])(color|background(?:-color)?)\s*:\s*([^;!]{1,40})", re.IGNORECASE)
_SAME_COLOUR = {
    "white": "#ffffff",
    "#fff": "#ffffff",
    "rgb(255,255,255)": "#ffffff",
    "black": "#000000",
    "#000": "#000000",
}
# What Outlook puts before a quoted mail: its web and phone programs, and the line above the block on a desktop.
_OUTLOOK_REPLY = "divRplyFwdMsg"
_OUTLOOK_LINE = re.compile(r"border:\s*none;\s*border-top:\s*solid", re.IGNORECASE)
_ATTRIBUTION_CLASS = re.compile(r"\b(gmail_attr|moz-cite-prefix)\b")
_ORIGINAL = "-----Original Message-----"
_BLOCKS = {
    "address", "article", "blockquote", "br", "div", "dd", "dt", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header",
    "hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul",
}  # fmt: skip
# What lxml refuses to write, though libxml2 reads it: https://www.w3.org/TR/xml/#charsets; and the same, written as
# a number. What browsers make of the other numbers below 160: https://html.spec.whatwg.org/#numeric-character-reference-end-state
_NOT_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])
_NOT_XML_NUMBER = re.compile(
    r"&#(?:x0*(?:[0-8bcef]|1[0-9a-f]|fff[ef])(?![0-9a-f])|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]|6553[45])(?![0-9]));?",
    re.IGNORECASE | re.ASCII,
)
_AS_BROWSERS = {byte: bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xA0)}
_SHOWN_URL = re.compile(r"(https?|ftp|mailto|tel):\S+", re.IGNORECASE)
_DECLARED = re.compile(rb"<(?:meta|\?xml)[^>]{0,300}?(?:charset|encoding)\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_QUOTE_CLASS = re.compile(r"quote|\bcite", re.IGNORECASE)


def html_to_text(page: str) -> str:
    """Turn HTML into text for reading and for triage; "" when nothing is seen in it. Never raises.

    Links are kept as `text <https://...>` where address and text differ. Scripts, styles and hidden text are
    dropped. Quoted mail begins with "> ". At most LIMIT characters are read.
    """
    root = _tree(page[:LIMIT])
    if root is None:
        return ""
    _drop_unseen(root)
    _write_links(root)
    _write_emoji(root)
    if _is_strange(root):
        return _tidy(_plain(root))
    _mark_beginnings(root)
    _mark_quotes(root)
    return _tidy(_set(root))


def declared_charset(page: bytes) -> str | None:
    """Read the charset that a page names in its first 2048 bytes, or None."""
    found = _DECLARED.search(page, 0, 2048)
    return found.group(1).decode("ascii") if found else None


def _tree(page: str) -> html.HtmlElement | None:
    """Read the HTML; `huge_tree` lets libxml2 go 2048 levels deep instead of 256, then it stops reading."""
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=True)
    source = _NOT_XML_NUMBER.sub(" ", page.translate(_NOT_XML))
    try:
        return html.document_fromstring(source.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _drop_unseen(root: html.HtmlElement) -> None:
    for element in list(root.iter(etree.Element)):
        unseen = element.tag in _UNSEEN or "hidden" in element.attrib or _is_hidden(element.get("style", ""))
        if unseen and element.getparent() is not None:
            element.drop_tree()


def _is_hidden(style: str) -> bool:
    """Tell whether a style hides an element for sure; letters in the colour of their own ground are hidden too."""
    if not style:
        return False
    colours = {name.lower()[:10]: value.lower().replace(" ", "") for name, value in _COLOURS.findall(style)}
    letters, ground = (_SAME_COLOUR.get(colours.get(name, ""), colours.get(name)) for name in ("color", "background"))
    without_height = _CUT_OFF.search(style) and _NO_HEIGHT.search(style)
    return bool(_HIDDEN.search(style) or without_height) or (letters is not None and letters == ground)


def _write_links(root: html.HtmlElement) -> None:
    for link in list(_links(root)):
        url = re.sub(r"\s", "", link.get("href", ""))
        shown = "".join(link.itertext()).strip()
        if len(url) <= _URL_LENGTH and _SHOWN_URL.fullmatch(url) and _bare(url) != _bare(shown):
            _append(link, f" <{url}>" if shown else f"<{url}>")


def _links(root: html.HtmlElement) -> Iterator[html.HtmlElement]:
    """Give the links, but none deep inside others: the text in a thousand links would be read a thousand times."""
    depth = 0
    for event, link in etree.iterwalk(root, events=("start", "end"), tag="a"):
        depth += 1 if event == "start" else -1
        if event == "start" and depth < _MAX_LINK_DEPTH:
            yield link


def _bare(url: str) -> str:
    return re.sub(r"^(https?://|mailto:|tel:)(www\.)?", "", url.strip().lower()).rstrip("/")


def _append(element: html.HtmlElement, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def _write_emoji(root: html.HtmlElement) -> None:
    """Some mailers send emoji as pictures with the character as the other text."""
    for image in root.iter("img"):
        other = image.get("alt", "").strip()
        if other and len(other) <= _EMOJI_LENGTH and not other.isascii():
            image.tail = other + (image.tail or "")


def _is_strange(root: html.HtmlElement) -> bool:
    depth = tables = deepest = most_tables = elements = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        step = 1 if event == "start" else -1
        depth += step
        tables += step * (element.tag == "table")
        deepest, most_tables, elements = max(deepest, depth), max(most_tables, tables), elements + (step > 0)
    if deepest > _MAX_DEPTH or most_tables > _MAX_TABLE_DEPTH or elements > _MAX_ELEMENTS:
        return True
    return most_tables > 0 and room(root, _BLOCKS) > _MAX_ROOM


def _plain(root: html.HtmlElement) -> str:
    """Read a page without layout, in one pass whatever its shape."""
    return "".join(_pieces(root))


def _pieces(root: html.HtmlElement) -> Iterator[str]:
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if element.tag in _BLOCKS:
            yield "\n"
        piece = element.text if event == "start" else element.tail
        yield re.sub(r"\s+", " ", piece or "")


def _mark_beginnings(root: html.HtmlElement) -> None:
    """Write where a quoted mail begins that only its HTML tells, because the words are in a language unknown here."""
    for element in list(root.iter("div")):
        desktop = _OUTLOOK_LINE.search(element.get("style", ""))
        if (desktop and element.find(".//b") is not None) or element.get("id", "").endswith(_OUTLOOK_REPLY):
            name = _beginning(element).replace("：", ":").partition(":")[0].strip()
            if name.casefold() not in FROM | SENT:
                _put_before(element, _ORIGINAL)


def _beginning(element: html.HtmlElement) -> str:
    """Give the first words in an element."""
    return "".join(islice(element.itertext(), _ATTRIBUTION_LENGTH))[:_ATTRIBUTION_LENGTH].strip()


def _put_before(element: html.HtmlElement, line: str) -> None:
    mark = html.Element("p")
    mark.text = line
    element.insert(0, mark)
    mark.tail, element.text = element.text, None


def _mark_quotes(root: html.HtmlElement) -> None:
    """Put "> " before quoted mail, as plain text has it; a blockquote that only indents stays as it is."""
    for quote in list(_outer_quotes(root)):
        tail, quote.tail = quote.tail, None
        marked = html.Element("pre")
        marked.text = "\n".join(f"> {line}".rstrip() for line in _tidy(_set(quote)).split("\n"))
        marked.tail = tail
        quote.getparent().replace(quote, marked)


def _outer_quotes(root: html.HtmlElement) -> Iterator[html.HtmlElement]:
    """Find the quotes that are inside no other: they, or a div around them, say so. One pass, whatever the depth."""
    quotes = divs = 0
    for event, element in etree.iterwalk(root, events=("start", "end"), tag=("blockquote", "div")):
        says_so = bool(_QUOTE_CLASS.search(element.get("class", "")))
        is_quote = says_so or divs > 0 or element.get("type") == "cite"
        if element.tag == "div":
            is_quote = _is_quoting_div(element)
        if is_quote and quotes == 0:
            yield element
        step = 1 if event == "start" else -1
        quotes += step * is_quote
        divs += step * (says_so and element.tag == "div")


def _is_quoting_div(element: html.HtmlElement) -> bool:
    """Tell what is quoted without a blockquote: Yahoo's quotes, and an attribution in unknown words."""
    named = element.get("class", "")
    unknown = _ATTRIBUTION_CLASS.search(named) and not WROTE.search(_beginning(element))
    return "yahoo_quoted" in named or (bool(unknown) and _precedes_quote(element))


def _precedes_quote(attribution: html.HtmlElement) -> bool:
    following = attribution.getnext()
    while following is not None and following.tag == "br":
        following = following.getnext()
    return following is not None and following.tag == "blockquote"


def _set(root: html.HtmlElement) -> str:
    for element in root.iter(etree.Element):
        element.attrib.clear()
    css = CSS_PROFILES["strict"].copy()
    return str(Inscriptis(root, ParserConfig(css=css)).get_text())


def _tidy(text: str) -> str:
    lines = (line.rstrip() for line in text.replace("\xa0", " ").translate(_AS_BROWSERS).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
