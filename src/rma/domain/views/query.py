"""Which returns a back office wants to see, and in which order."""

from datetime import datetime

from attrs import Attribute, field, frozen
from attrs.validators import optional

from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.returns import Return
from rma.domain.values.validators import as_member, aware, flag, invalid, is_whole, member_of, text

#: What returns are ordered by: when it was requested, its order id, its number in the order.
SortKey = tuple[datetime, str, int]


def _status(value: ReturnStatus | str | None) -> ReturnStatus | None:
    return None if value is None else as_member(ReturnStatus, value)


def _positive(instance: object, attribute: "Attribute[int | None]", value: object) -> None:
    if value is not None and not is_whole(value, at_least=1):
        raise invalid(instance, attribute.name, value, "an integer of at least 1")


@frozen(kw_only=True)
class ReturnQuery:
    """
    A page of returns, in the order in which they were requested.

    The sort key of a return never changes, so pages that follow each other by `after`
    show every return that was there all the while exactly once.

    Args:
        order_id: of this order only.
        status: their status now, as a member or as its string.
        needs_attention: only those that go no further without a person: see `Return.needs_attention`.
        requested_since, requested_before: aware; from the one on, up to but without the other.
        after: the id of the return behind which the page begins: the last one of the page before.
        limit: at most this many; all unless given.
        newest_first: the latest request is first, and `after` goes back in time.

    Raises:
        InvalidValue: a status that does not exist, a naive datetime, a limit below 1.
    """

    order_id: str | None = field(default=None, validator=optional(text))
    status: ReturnStatus | None = field(
        default=None, converter=_status, validator=optional(member_of(ReturnStatus))
    )
    needs_attention: bool = field(default=False, validator=flag)
    requested_since: datetime | None = field(default=None, validator=optional(aware))
    requested_before: datetime | None = field(default=None, validator=optional(aware))
    after: str | None = field(default=None, validator=optional(text))
    limit: int | None = field(default=None, validator=_positive)
    newest_first: bool = field(default=False, validator=flag)

    def accepts(self, each: Return) -> bool:
        """True if the return is one of those asked for, whatever page it is on."""
        return (
            self.order_id in (None, each.order_id)
            and self.status in (None, each.status)
            and (each.needs_attention or not self.needs_attention)
            and (self.requested_since is None or self.requested_since <= each.requested_at)
            and (self.requested_before is None or each.requested_at < self.requested_before)
        )


def sort_key(each: Return) -> SortKey:
    """By which returns are ordered, oldest first; no two have the same."""
    return each.requested_at, each.order_id, each.display_id
