"""Which returns, exchanges and claims a back office wants to see, and in which order."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import cast

from attrs import Attribute, field, frozen
from attrs.validators import optional

from rma.domain.state.ledger import Subject, SubjectKind, kind_of
from rma.domain.state.lifecycle import ClaimStatus, ExchangeStatus, ReturnStatus
from rma.domain.state.returns import Return
from rma.domain.values.validators import (
    all_are,
    as_member,
    as_tuple,
    as_utc,
    aware,
    flag,
    invalid,
    is_whole,
    text,
    whole,
)

#: The status of a return, exchange or claim.
Status = ReturnStatus | ExchangeStatus | ClaimStatus

#: By which returns, exchanges and claims are ordered: when each was requested, its order id, its number among
#: those of its kind in the order, its kind.
SortKey = tuple[datetime, str, int, str]

#: The statuses of each kind.
STATUSES: dict[SubjectKind, type[Status]] = {
    SubjectKind.RETURN: ReturnStatus,
    SubjectKind.EXCHANGE: ExchangeStatus,
    SubjectKind.CLAIM: ClaimStatus,
}


def _status(value: Status | str | None) -> Status | None:
    """The first member that is spelled like this: those of the other kinds are equal to it."""
    for statuses in STATUSES.values():
        if isinstance(value, str) and value in list(statuses):
            return statuses(value)
    return cast("Status | None", value)


def _status_of_kinds(query: "ReturnQuery", attribute: "Attribute[Status | None]", value: object) -> None:
    known = dict.fromkeys(member.value for kind in query.kinds for member in STATUSES[kind])
    if value is not None and value not in known:
        raise invalid(query, attribute.name, value, f"one of {', '.join(known)}")


def _kinds(values: Iterable[SubjectKind | str]) -> tuple[SubjectKind, ...]:
    given: object = as_tuple(values)
    if not isinstance(given, tuple):
        return cast("tuple[SubjectKind, ...]", given)
    members = [as_member(SubjectKind, each) for each in given]
    if not all_are(tuple(members), SubjectKind):
        return tuple(members)
    return tuple([kind for kind in SubjectKind if kind in members])


def _some_kinds(instance: object, attribute: "Attribute[tuple[SubjectKind, ...]]", value: object) -> None:
    if not value or not all_are(value, SubjectKind):
        raise invalid(instance, attribute.name, value, f"a list of {', '.join(SubjectKind)}")


def _order_ids(values: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if values is None else as_tuple(values)


def _strings(instance: object, attribute: "Attribute[tuple[str, ...]]", value: object) -> None:
    if not all_are(value, str):
        raise invalid(instance, attribute.name, value, "a list of strings")


def _positive(instance: object, attribute: "Attribute[int | None]", value: object) -> None:
    if value is not None and not is_whole(value, at_least=1):
        raise invalid(instance, attribute.name, value, "an integer of at least 1")


@frozen(kw_only=True)
class UnreadableSubject:
    """
    A return, exchange or claim that is stored, but whose document cannot be read.

    Attributes:
        id: its own.
        requested_at: aware.
        error: why, in the words of what failed.
    """

    id: str
    order_id: str
    kind: SubjectKind
    requested_at: datetime
    error: str


#: What a page holds.
FoundSubject = Subject | UnreadableSubject


@frozen(kw_only=True)
class ReturnQuery:
    """
    A page of returns, exchanges and claims, in the order in which they were requested.

    The sort key of each never changes, so pages that follow each other by `after`
    show all that were there all the while exactly once.

    Args:
        kinds: of these kinds only, as members or as their strings; returns unless given.
        order_id: of this order only.
        order_ids: of these orders only.
        status: their status now, as a member or as its string.
        needs_attention: only those that go no further without a person: see `Return.needs_attention`.
        requested_since, requested_before: aware; from the one on, up to but without the other.
        due_before: aware; only returns that were to be paid earlier, and some of which is neither paid nor on
            its way.
        return_before: aware; only returns whose goods were to be sent earlier, and of which nothing was sent
            or received; or not all, if they belong to an exchange that was paid or whose new goods were sent
            first, until `resume` recorded that they are overdue.
        after: the id of the return, exchange or claim behind which the page begins: the last one of the
            page before.
        offset: how many of those that follow are skipped.
        limit: at most this many; all unless given.
        newest_first: the latest request is first, and `after` goes back in time.

    Raises:
        InvalidValue: a status that does not exist, a naive datetime, a limit below 1.
    """

    kinds: tuple[SubjectKind, ...] = field(
        default=(SubjectKind.RETURN,), converter=_kinds, validator=_some_kinds
    )
    order_id: str | None = field(default=None, validator=optional(text))
    order_ids: tuple[str, ...] | None = field(
        default=None, converter=_order_ids, validator=optional(_strings)
    )
    status: Status | None = field(default=None, converter=_status, validator=_status_of_kinds)
    needs_attention: bool = field(default=False, validator=flag)
    requested_since: datetime | None = field(default=None, converter=as_utc, validator=optional(aware))
    requested_before: datetime | None = field(default=None, converter=as_utc, validator=optional(aware))
    due_before: datetime | None = field(default=None, converter=as_utc, validator=optional(aware))
    return_before: datetime | None = field(default=None, converter=as_utc, validator=optional(aware))
    after: str | None = field(default=None, validator=optional(text))
    offset: int = field(default=0, validator=whole)
    limit: int | None = field(default=None, validator=_positive)
    newest_first: bool = field(default=False, validator=flag)

    @property
    def orders(self) -> tuple[str, ...] | None:
        """The ids of the orders that are asked for; None for all orders."""
        if self.order_id is None:
            return self.order_ids
        return (self.order_id,) if self.order_ids is None or self.order_id in self.order_ids else ()

    def accepts(self, each: Subject) -> bool:
        """True if it is one of those asked for, whatever page it is on."""
        return (
            kind_of(each) in self.kinds
            and self.order_id in (None, each.order_id)
            and (self.order_ids is None or each.order_id in self.order_ids)
            and self.status in (None, each.status)
            and (each.needs_attention or not self.needs_attention)
            and (self.requested_since is None or self.requested_since <= each.requested_at)
            and (self.requested_before is None or each.requested_at < self.requested_before)
            and self._accepts_dates(each)
        )

    def _accepts_dates(self, each: Subject) -> bool:
        if self.due_before is None and self.return_before is None:
            return True
        if not isinstance(each, Return):
            return False
        dates = ((each.payable_by, self.due_before), (each.last_day, self.return_before))
        return all(before is None or (at is not None and at < before) for at, before in dates)

    def page(self, subjects: Iterable[Subject], last: SortKey | None = None) -> tuple[Subject, ...]:
        """The page of these, in any order; `last` is the sort key of what `after` names."""
        found = sorted(filter(self.accepts, subjects), key=sort_key, reverse=self.newest_first)
        if last is not None:
            found = [each for each in found if _is_behind(sort_key(each), last, self.newest_first)]
        return self.cut(found)

    def cut(self, found: Iterable[Subject]) -> tuple[Subject, ...]:
        """Those of `found` that are behind `offset`, at most `limit` of them."""
        end = None if self.limit is None else self.offset + self.limit
        return tuple(islice(found, self.offset, end))


def _is_behind(here: SortKey, last: SortKey, newest_first: bool) -> bool:  # noqa: FBT001 # of one page
    return here < last if newest_first else here > last


def sort_key(each: Subject) -> SortKey:
    """By which they are ordered, oldest first; no two have the same."""
    return each.requested_at, each.order_id, each.display_id, kind_of(each).value
