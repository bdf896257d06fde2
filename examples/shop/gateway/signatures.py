"""How the gateway signs what it reports: `t=<unix time>,v1=<HMAC-SHA256 of "<time>.<body>">`."""

import hmac


def sign(secret: str, at: int, body: bytes) -> str:
    """Returns the header `Gateway-Signature` of a body that is sent at this Unix time."""
    digest = hmac.new(secret.encode(), b"%d." % at + body, "sha256").hexdigest()
    return f"t={at},v1={digest}"
