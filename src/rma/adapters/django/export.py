"""What is stored of an order, as a file to download."""

import re

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from rma import codec
from rma.domain.views.export import OrderExport


def export_response(export: OrderExport) -> HttpResponse:
    """Returns a JSON document as an attachment: a browser keeps it, and shows nothing of it as a page."""
    name = f"returns-{re.sub(r'[^-.0-9A-Za-z_]', '_', export.order_id)}.json"
    headers = {
        "Content-Disposition": content_disposition_header(as_attachment=True, filename=name) or "attachment",
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(codec.encode(export), content_type="application/json", headers=headers)
