"""
The statements that read pages and counts of the returns, exchanges and claims of all orders.

All of them read ranges of one index, `rma_returns_listed`: a range has one kind, one status, and needs
attention or not; within it the index is in the order of pages. What a query can match is a few ranges, which
the database merges as it reads: it sorts nothing, and reads no more of each range than the page needs.
Returns with a date are few: they are read by the index of the date, and sorted.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, reduce
from operator import add, sub
from typing import Any, TypeVar, TypeVarTuple

from attrs import frozen
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    GenerativeSelect,
    Integer,
    ScalarSelect,
    Select,
    SelectBase,
    Text,
    and_,
    asc,
    bindparam,
    desc,
    false,
    func,
    literal_column,
    select,
    true,
    tuple_,
    union_all,
)

from rma.adapters.sql.schema import events, returns, sort_key
from rma.adapters.sql.statement import Statement
from rma.adapters.sql.timestamps import Timestamp, timestamp
from rma.domain.state.ledger import SubjectKind
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.views.query import STATUSES, ReturnQuery

Columns = TypeVarTuple("Columns")
Cut = TypeVar("Cut", bound=GenerativeSelect)

#: How many columns of the sort key order the rows of one range: all but the kind.
_WITHIN = 3

#: How many others there are at most whose sort key is the same but for the kind.
_ALIKE = len(SubjectKind) - 1

#: Each return, exchange or claim with the event that opened it.
WITH_OPENING = returns.join(
    events,
    and_(
        events.c.order_id == returns.c.order_id,
        events.c.revision == returns.c.opened_revision,
        events.c.number == returns.c.opened_number,
    ),
    isouter=True,  # one whose event is lost is there, and cannot be read
)
#: What `rma.adapters.sql.cache.restored` needs of one.
DOCUMENTS = (
    returns.c.opened_revision,
    returns.c.opened_number,
    returns.c.document,
    returns.c.record,
    events.c.document.label("opening"),
)
#: What a row of a page has: its sort key, its id, its documents.
ROW = (*sort_key, returns.c.return_id, *DOCUMENTS)

#: A sort key as it is stored: requested at, order id, position, kind.
StoredKey = tuple[str, str, int, str]

Parameters = Mapping[str, str | int]

_KEY = tuple(returns.primary_key.columns.keys())

#: How many statements are kept compiled: there are as many as combinations of filters in use.
_KEPT = 256


@frozen
class _Range:
    """A range of the index."""

    kind: SubjectKind
    status: str
    needs_attention: bool


#: Where returns with a date are: they are read by the index of that date, and sorted.
_DATED = _Range(SubjectKind.RETURN, "", needs_attention=False)


#: Where most rows are in the end.
_LARGEST = _Range(SubjectKind.RETURN, ReturnStatus.RECEIVED.value, needs_attention=False)


@frozen
class _Filters:
    """Which rows a query asks for, but for the values of its parameters."""

    kinds: tuple[SubjectKind, ...]
    status: str | None
    needs_attention: bool
    has_since: bool
    has_before: bool
    has_due_before: bool = False
    has_return_before: bool = False

    @property
    def is_dated(self) -> bool:
        """True if only returns are asked for that have a date."""
        return self.has_due_before or self.has_return_before

    @property
    def has_any(self) -> bool:
        """True if it asks for less than all of its kinds."""
        return (
            self.status is not None
            or self.needs_attention
            or self.has_since
            or self.has_before
            or self.is_dated
        )

    def ranges(self) -> Iterator[_Range]:
        """Every range in which there may be some; the largest is last."""
        if self.is_dated:
            yield _DATED
            return
        found = [
            _Range(kind, status.value, needs_attention)
            for kind in self.kinds
            for status in STATUSES[kind]
            if self.status in (None, status.value)
            for needs_attention in ((True,) if self.needs_attention else (False, True))
        ]
        yield from sorted(found, key=lambda each: each == _LARGEST)

    def conditions(self, of: _Range) -> list[ColumnElement[bool]]:
        """Those of the rows in one range."""
        if self.is_dated:
            found = list(self._of_dates())
        else:
            found = [
                returns.c.kind == _literal(of.kind.value),
                returns.c.status == _literal(of.status),
                returns.c.needs_attention == (true() if of.needs_attention else false()),
            ]
        if self.has_since:
            found.append(returns.c.requested_at >= bindparam("since", type_=Timestamp))
        if self.has_before:
            found.append(returns.c.requested_at < bindparam("before", type_=Timestamp))
        return found

    def _of_dates(self) -> Iterator[ColumnElement[bool]]:
        """Conditions of rows with a date, which are returns: the kind is not asked for, to use that index."""
        if self.has_due_before:
            yield returns.c.due_by < bindparam("due_before", type_=Timestamp)
        if self.has_return_before:
            yield returns.c.return_by < bindparam("return_before", type_=Timestamp)
        if self.status is not None:
            yield returns.c.status == _literal(self.status)
        if self.needs_attention:
            yield returns.c.needs_attention == true()
        if SubjectKind.RETURN not in self.kinds:
            yield false()


@frozen
class _Page:
    """
    Which page a query asks for, but for the values of its parameters.

    Attributes:
        after: the kind of the last row of the page before, if there was one.
    """

    filters: _Filters
    after: str | None
    newest_first: bool
    has_offset: bool
    has_limit: bool

    @property
    def is_mixed(self) -> bool:
        """True if two may be alike but for their kind."""
        return len(self.filters.kinds) > 1


def page(query: ReturnQuery, last: StoredKey | None) -> tuple[Statement, Parameters]:
    """
    Returns the statement for what the query asks for of all orders, after the sort key of the last one, with
    its parameters; its rows are in any order.
    """
    asked = _Page(
        _filters(query),
        None if last is None else last[3],
        newest_first=query.newest_first,
        has_offset=bool(query.offset),
        has_limit=query.limit is not None,
    )
    parameters = _times(query)
    if last is not None:
        parameters |= zip(("last_at", "last_order", "last_position"), last[:3], strict=True)
    skipped = min(query.offset, _ALIKE)
    parameters |= {"offset": query.offset, "wide_offset": query.offset - skipped, "skipped": skipped}
    if query.limit is not None:
        parameters |= {"limit": query.limit, "wide_limit": query.limit + skipped + _ALIKE}
    return _page(asked), parameters


def number_of(query: ReturnQuery) -> tuple[Statement, Parameters]:
    """Returns the statement for how many the query asks for of all orders, with its parameters."""
    return _number_of(_filters(query)), _times(query)


def _filters(query: ReturnQuery) -> _Filters:
    return _Filters(
        query.kinds,
        None if query.status is None else query.status.value,
        query.needs_attention,
        has_since=query.requested_since is not None,
        has_before=query.requested_before is not None,
        has_due_before=query.due_before is not None,
        has_return_before=query.return_before is not None,
    )


def _times(query: ReturnQuery) -> dict[str, str | int]:
    times = {
        "since": query.requested_since,
        "before": query.requested_before,
        "due_before": query.due_before,
        "return_before": query.return_before,
    }
    return {name: timestamp(at) for name, at in times.items() if at is not None}


@lru_cache(_KEPT)
def _page(asked: _Page) -> Statement:
    return Statement(_on_postgresql(asked), _on_sqlite(asked))


def _on_sqlite(asked: _Page) -> SelectBase:
    ranges = _ranges(asked)
    found = ranges[0] if len(ranges) == 1 else _merged(ranges)
    return _loaded(_cut(found.order_by(*_order(asked, has_kind=asked.is_mixed)), asked))


def _on_postgresql(asked: _Page) -> SelectBase:
    # It merges ranges only if each says in which order it is read, and that only a part of it is needed. It
    # does not see that a range of one kind is also in the order of kinds: the merge goes without, and what is
    # alike but for its kind is sorted in the page, together with such rows just before it and behind it.
    order = _order(asked, has_kind=False)
    ranges = [each.order_by(*order) for each in _ranges(asked)]
    if len(ranges) == 1:
        return _loaded(_cut(ranges[0], asked))
    bounds = ("wide_limit", "wide_offset") if asked.is_mixed else ("limit", "offset")
    parts = [select(_begun(each, asked, *bounds).subquery()) for each in ranges]
    found: GenerativeSelect = _cut(_merged(parts).order_by(*order), asked, *bounds)
    if asked.is_mixed:
        wide = select(found.subquery()).order_by(*_order(asked, has_kind=True))
        found = _cut(wide, asked, "limit", "skipped")
    return _loaded(found)


def _ranges(asked: _Page) -> list[Select[*tuple[Any, ...]]]:
    """Selects the keys of what is wanted of each range, which are in the index."""
    return [_in_range(select(*sort_key), each, asked) for each in asked.filters.ranges()]


def _merged(ranges: Sequence[Select[*tuple[Any, ...]]]) -> CompoundSelect[*tuple[Any, ...]]:
    *others, largest = ranges
    # SQLite merges two by two: the fewer times a row of the largest range is handed on, the better.
    return union_all(others[0] if len(others) == 1 else select(union_all(*others).subquery()), largest)


def _loaded(found: GenerativeSelect) -> SelectBase:
    """Selects the documents of rows of which the keys were read, in any order."""
    keys = found.subquery()
    is_found = and_(*[returns.c[name] == keys.c[name] for name in _KEY])
    return select(*ROW).select_from(WITH_OPENING).join(keys, is_found)


def _in_range(found: Select[*Columns], of: _Range, asked: _Page) -> Select[*Columns]:
    """Selects those in one range, behind the last one of the page before."""
    found = found.where(*asked.filters.conditions(of))
    if asked.after is None:
        return found
    here = tuple_(*sort_key[:_WITHIN])
    last = tuple_(
        bindparam("last_at", type_=Timestamp),
        bindparam("last_order", type_=Text),
        bindparam("last_position", type_=Integer),
    )
    # The kind is the last part of the sort key: of two that are alike but for it, one is behind the other.
    if asked.newest_first:
        return found.where(here <= last if of.kind.value < asked.after else here < last)
    return found.where(here >= last if of.kind.value > asked.after else here > last)


def _order(asked: _Page, *, has_kind: bool) -> list[ColumnElement[Any]]:
    """The columns by which a page is ordered."""
    names = [each.name for each in sort_key][: None if has_kind else _WITHIN]
    return [desc(each) if asked.newest_first else asc(each) for each in names]


def _cut(found: Cut, asked: _Page, limit: str = "limit", offset: str = "offset") -> Cut:
    if asked.has_limit:
        found = found.limit(bindparam(limit, type_=Integer))
    return found.offset(bindparam(offset, type_=Integer)) if asked.has_offset else found


def _begun(found: Cut, asked: _Page, limit: str, offset: str) -> Cut:
    """As many rows of one range as a page may need of it."""
    if not asked.has_limit:
        return found
    most = bindparam(limit, type_=Integer)
    return found.limit(most + bindparam(offset, type_=Integer) if asked.has_offset else most)


@lru_cache(_KEPT)
def _number_of(filters: _Filters) -> Statement:
    everything = select(func.count().label("found")).select_from(returns)

    def number(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
        return everything.where(*conditions).scalar_subquery()

    def of_kinds(kinds: Iterable[SubjectKind]) -> Iterator[ScalarSelect[int]]:
        return (number(returns.c.kind == _literal(kind.value)) for kind in kinds)

    if filters.has_any:
        total = reduce(add, [number(*filters.conditions(each)) for each in filters.ranges()])
    elif SubjectKind.RETURN in filters.kinds:
        # To count all rows is less work than to count those of one kind, and other kinds are few.
        others = [kind for kind in SubjectKind if kind not in filters.kinds]
        total = reduce(sub, of_kinds(others), number())
    else:
        total = reduce(add, of_kinds(filters.kinds))
    return Statement(select(total.label("found")))


def _literal(value: str) -> ColumnElement[str]:
    """The value of an enumeration, so that the database knows which rows it plans for."""
    return literal_column(f"'{value}'", Text)
