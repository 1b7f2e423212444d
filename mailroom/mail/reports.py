"""The shapes of reports about mail: programs make them, whoever they come from.

See Also:
    RFC 6522 (multipart/report), https://www.rfc-editor.org/rfc/rfc6522
    RFC 3464 (delivery status), https://www.rfc-editor.org/rfc/rfc3464
    RFC 8098 (disposition notifications), https://www.rfc-editor.org/rfc/rfc8098
    RFC 6533 (both with UTF-8 addresses), https://www.rfc-editor.org/rfc/rfc6533
    RFC 5965 (complaints of providers), https://www.rfc-editor.org/rfc/rfc5965
    RFC 8460 (TLS reports), https://www.rfc-editor.org/rfc/rfc8460
"""

import re

from mailroom.mail.entity import Entity, MimeFields
from mailroom.mail.message import Attachment

# RFC 3464, RFC 8098, RFC 6533
REPORTS = frozenset(
    {
        *("message/delivery-status", "message/global-delivery-status"),
        *("message/disposition-notification", "message/global-disposition-notification"),
    }
)
# RFC 5965, RFC 8460
_STATISTICS = {"message/feedback-report", "application/tlsrpt+gzip", "application/tlsrpt+json"}
# The parameter `report-type`, for reports that a gateway put into another multipart.
_REPORT_TYPES = {"delivery-status", "disposition-notification", "feedback-report", "tlsrpt"} | {
    name.partition("/")[2] for name in REPORTS
}
# RFC 7489 section 7.2.1.1: receiver!domain!begin!end[!id].xml.gz
_DMARC_NAME = re.compile(r"[^!/]{1,255}![^!/]{1,255}!\d{1,12}!\d{1,12}(?:![^!/]{1,255})?\.(?:xml|xml\.gz|gz|zip)")
_PACKED = {"application/zip", "application/gzip", "application/x-gzip", "application/x-zip-compressed"}
# How many wrappers are opened; and no field that names a type needs more letters.
_WRAPPED = 3
_MIME_FIELD_LENGTH = 4000


def report_in(root: Entity) -> str:
    """Give the Content-Type of a mail, or that of the multipart/report inside it, where something wrapped one.

    A gateway signs a report, or hangs a footer below it. A person who passes one on writes first, or sends it as
    message/rfc822: neither is looked into.
    """
    inner = root
    for _ in range(_WRAPPED):
        footed = inner.type == "multipart/mixed" and all(part.type == "text/plain" for part in inner.parts[1:])
        if inner.parts and (footed or inner.type == "multipart/signed"):
            inner = inner.parts[0]
    found = inner if inner.type == "multipart/report" else root
    return str(found.mime.get("content-type", ""))


def is_report(content_type: str) -> bool:
    """Tell whether a Content-Type field, with its parameters, is that of a report about mail."""
    entity = MimeFields()
    entity["Content-Type"] = " ".join(content_type.split())[:_MIME_FIELD_LENGTH]
    if entity.get_content_type() in {"multipart/report", *REPORTS, *_STATISTICS}:
        return True
    kind = entity.get_param("report-type")
    return isinstance(kind, str) and kind.strip().lower() in _REPORT_TYPES


def is_dmarc_report(attachment: Attachment) -> bool:
    """Tell a DMARC aggregate report by its name (https://www.rfc-editor.org/rfc/rfc7489#section-7.2.1.1)."""
    return attachment.type in _PACKED and _DMARC_NAME.fullmatch(attachment.name or "") is not None
