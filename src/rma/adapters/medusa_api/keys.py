"""
Idempotency keys, in scopes: clients that choose the same key have different keys here.

A command carries the scope of who asks and the client's key, so that no customer can use up the key of a
clerk or of another customer, or learn from a refusal that it is taken.
"""

import re
from hashlib import sha256

from rma.domain.decide.violations import MAX_ID

#: The scope of the admin routes, which all clerks share.
ADMIN = "medusa:admin:"
#: The scope of customers without an identity: the host tells none of them from another.
GUESTS = "medusa:guest:"

_CUSTOMER = "medusa:customer:"
_DIGEST = "medusa#"
_SCOPED = re.compile(rf"(?:{ADMIN}|{GUESTS}|{_CUSTOMER}([0-9]{{1,3}}):)(.*)", re.DOTALL)


def customer_scope(customer_id: str | None) -> str:
    """
    Returns the scope of a customer's keys; that of guests for None.

    >>> customer_scope("cus_1")
    'medusa:customer:5:cus_1:'
    """
    if not isinstance(customer_id, str):  # the library refuses all but None
        return GUESTS
    # the length says where the id ends: no id and key are read as another id and key
    return f"{_CUSTOMER}{len(customer_id)}:{customer_id}:"


def scoped_key(scope: str, key: str | None) -> str | None:
    """
    Returns the key that a command carries: scope and key, or their SHA-256 if they are too long together.

    A key that no command may carry is returned as it is, so that it is refused with its own length.

    >>> scoped_key(customer_scope("cus_1"), "key-1")
    'medusa:customer:5:cus_1:key-1'
    """
    if not isinstance(key, str) or not 0 < len(key) <= MAX_ID:
        return key
    scoped = scope + key
    if len(scoped) <= MAX_ID:
        return scoped
    return _DIGEST + sha256(scoped.encode("utf-8", "surrogatepass")).hexdigest()


def client_key(key: str | None) -> str | None:
    """
    Returns the key that the client sent; None if only its SHA-256 was stored, or there is none.

    Keys that did not get their scope here are returned as they are.

    >>> client_key("medusa:customer:5:cus_1:key-1")
    'key-1'
    """
    if key is None or key.startswith(_DIGEST):
        return None
    if (scoped := _SCOPED.fullmatch(key)) is None:
        return key
    length, rest = scoped.groups()
    return rest if length is None else rest[int(length) + 1 :]
