"""
What the ids of a new return, exchange or claim are made of: the host's own string, or one of ours.

Ours have 26 characters of Crockford's base 32. The keys of effects begin with ids and are handed to gateways,
so ids hold only what every gateway takes.
"""

import os
import re
from datetime import UTC, datetime, timedelta

from rma.async_ports import Host
from rma.domain.messages.commands import OpeningCommand
from rma.domain.values.display import show
from rma.domain.values.errors import InvalidValue
from rma.shell.facts import now

#: With `claim_` before it and `-refund-` behind it, 26 characters leave five digits of 45 for the number.
LONGEST = 26

_FITS = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST}}}")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def draw_id(command: OpeningCommand, host: Host) -> str:
    """
    Returns what the ids of this command are made of, each after a prefix of its own.

    It is what the host's `ids` returns, if the host has one. Else a command with an idempotency key always
    gets the same for the same order, and another gets one that sorts by the host's clock.

    Raises:
        InvalidValue: `ids` returned anything but 1 to 26 of the characters `A-Z a-z 0-9 _ -`; the clock
            returned anything but an aware datetime.
    """
    if host.ids is not None:
        return _checked(host.ids())
    order_id: object = command.order_id
    key: object = command.idempotency_key
    if isinstance(order_id, str) and isinstance(key, str):
        return derive_id(order_id, key)
    return sortable_id(now(host))


def derive_id(order_id: str, idempotency_key: str) -> str:
    """
    Returns 130 bits of the SHA-256 of both.

    If a store loses a commit and the command is repeated, its refunds have the keys that the gateway has
    already seen. No ledger ever has the id twice: it remembers the key, and answers before an id is used.
    """
    from hashlib import sha256  # noqa: PLC0415 # loads OpenSSL, which not every host needs at its start

    # The length says where the order's id ends: "ab" + "c" is not "a" + "bc". Strings with half a
    # surrogate pair are refused later, with everything else that is wrong.
    text = f"{len(order_id)}:{order_id}{idempotency_key}"
    digest = sha256(text.encode("utf-8", "surrogatepass")).digest()
    return _base32(int.from_bytes(digest[:17], "big") >> 6)


def sortable_id(at: datetime) -> str:
    """Returns a new UUIDv7, with microseconds: what is drawn later sorts later."""
    milliseconds, microseconds = divmod((at - _EPOCH) // _MICROSECOND, 1000)
    random = int.from_bytes(os.urandom(8), "big") >> 2
    return _base32(
        (milliseconds % 2**48) << 80
        | 7 << 76  # the version
        | (microseconds * 4096 // 1000) << 64  # a fraction of a millisecond in 12 bits, as RFC 9562 has it
        | 2 << 62  # the variant
        | random
    )


def _base32(number: int) -> str:
    return "".join([_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5)])


def _checked(drawn: object) -> str:
    if isinstance(drawn, str) and _FITS.fullmatch(drawn):
        return drawn
    expected = f"a callable that returns 1 to {LONGEST} of the characters A-Z a-z 0-9 _ -"
    details = {"field": "ids", "value": f"one that returns {show(drawn)}", "expected": expected}
    raise InvalidValue("invalid_value", details)
