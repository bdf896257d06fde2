"""
What an administrator does with the database of the ledgers.

    python -m rma.adapters.sql ddl postgresql|sqlite    prints the statements that make the tables
    python -m rma.adapters.sql upgrade URL              makes the tables, or upgrades those of an earlier
                                                        release; 1 if an order could not be upgraded
    python -m rma.adapters.sql verify URL [ORDER …]     holds ledgers against their histories, and prints what
                                                        differs; 1 if anything does
    python -m rma.adapters.sql rebuild URL [ORDER …]    puts right what differs, and prints what it was; 1 if
                                                        anything is left

Without ids of orders, all are done.
"""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from rma.adapters.sql.definition import DIALECTS, statements_for
from rma.adapters.sql.returns import SqlReturns
from rma.adapters.sql.schema import FORMAT
from rma.domain.values.errors import RmaError
from rma.shell.driver import run
from rma.shell.repair import rebuild, verify

#: How many ids of orders are read at a time.
_BATCH = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 if all is well; 1 if something is not, or cannot be read; 2 if misused."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.action == "ddl":
        return _print_ddl(given.dialect)
    with closing(_open(given.url, parser)) as returns:
        try:
            return _act(given, returns)
        except RmaError as error:
            _print(f"stopped: {error}")
            return 1


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m rma.adapters.sql", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("ddl").add_argument("dialect", choices=list(DIALECTS))
    for name in ("upgrade", "verify", "rebuild"):
        action = actions.add_parser(name)
        action.add_argument("url", help="of the database, as the application has it")
        if name != "upgrade":
            action.add_argument("order", nargs="*", help="the id of an order; all unless given")
    return parser


def _open(url: str, parser: ArgumentParser) -> SqlReturns:
    """Ends the program if there is no such database; makes none, and no tables."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
            parser.error(f"there is no file {parsed.database}")
        return SqlReturns(parsed, manage_schema=False)
    except (ArgumentError, NoSuchModuleError, ImportError, RmaError) as error:
        parser.error(str(error))


def _act(given: Namespace, returns: SqlReturns) -> int:
    if given.action == "upgrade":
        return _upgrade(returns)
    return _repair(returns, given.order, is_rebuilt=given.action == "rebuild")


def _print_ddl(dialect: str) -> int:
    for each in statements_for(dialect):
        _print(f"{each};\n")
    return 0


def _upgrade(returns: SqlReturns) -> int:
    result = returns.upgrade()
    for each in result.left:
        _print(f"order {each.order_id}: left in format {each.format}: {each.error}")
    if result.before is None:
        _print(f"tables were made: format {FORMAT}")
    elif result.before < FORMAT:
        _print(f"format {result.before} to {FORMAT}: {result.orders} orders, {len(result.left)} left")
    elif result.orders:
        _print(f"format {result.before}: {result.orders} orders that were left, {len(result.left)} still are")
    else:
        _print(f"format {result.before}: nothing to do")
    return int(bool(result.left))


def _repair(returns: SqlReturns, order_ids: Sequence[str], *, is_rebuilt: bool) -> int:
    orders = differing = left = 0
    for order_id in order_ids or _every(returns):
        orders += 1
        try:
            found = run((rebuild if is_rebuilt else verify)(order_id, returns))
        except RmaError as error:
            _print(f"order {order_id}: {error}")
            left += 1
            continue
        for each in found:
            _print(str(each))
        differing += bool(found)
        left += bool(found) and not is_rebuilt
    _print(f"{orders} orders, {differing} {'rebuilt' if is_rebuilt else 'differ'}, {left} to look at")
    return int(left > 0)


def _every(returns: SqlReturns) -> Iterator[str]:
    last = ""
    while batch := returns.order_ids(last, _BATCH):
        yield from batch
        last = batch[-1]


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
