"""The code on a slip: a QR code, since 30 characters as bars are wider than a label."""

from io import BytesIO

import segno
from django.utils.safestring import SafeString, mark_safe


def svg_code(number: str) -> SafeString:
    """Returns a picture of the return's number, as SVG; readable with a quarter of it smeared."""
    out = BytesIO()
    segno.make_qr(number, error="q").save(
        out, kind="svg", xmldecl=False, svgns=True, scale=4, border=4, title=None, omitsize=False
    )
    return mark_safe(out.getvalue().decode())  # segno wrote it, and numbers have no markup
