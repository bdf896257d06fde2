"""
Holds the ledgers in a database against their histories, or puts them right.

    python -m rma.adapters.sql verify URL [ORDER …]     prints what differs; 1 if anything does
    python -m rma.adapters.sql rebuild URL [ORDER …]    puts right what differs, and prints what it was; 1 if
                                                        anything is left

Without ids of orders, all are done.
"""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from rma.adapters.sql.failures import failures
from rma.adapters.sql.returns import SqlReturns
from rma.adapters.sql.schema import is_prepared
from rma.domain.values.errors import RmaError
from rma.shell.driver import run
from rma.shell.repair import rebuild, verify

#: How many ids of orders are read at a time.
_BATCH = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 if nothing differs, or does any more; 1 if something does or cannot be read; 2 if misused."""
    parser = ArgumentParser(
        prog="python -m rma.adapters.sql", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["verify", "rebuild"])
    parser.add_argument("url", help="of the database, as the application has it")
    parser.add_argument("order", nargs="*", help="the id of an order; all unless given")
    given = parser.parse_args(arguments)
    try:
        url = make_url(given.url)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
            parser.error(f"there is no file {url.database}")
        returns = SqlReturns(url)
    except (ArgumentError, NoSuchModuleError, ImportError, RmaError) as error:
        parser.error(str(error))
    try:
        return _do(given.action, returns, given.order)
    except RmaError as error:
        _print(f"stopped: {error}")
        return 1
    finally:
        returns.close()


def _do(action: str, returns: SqlReturns, order_ids: Sequence[str]) -> int:
    with failures(returns.engine), returns.engine.connect() as connection:
        if not is_prepared(connection):
            _print("stopped: there are no ledgers in this database")
            return 1
    orders = differing = left = 0
    for order_id in order_ids or _every(returns):
        orders += 1
        try:
            found = run((rebuild if action == "rebuild" else verify)(order_id, returns))
        except RmaError as error:
            _print(f"order {order_id}: {error}")
            left += 1
            continue
        for each in found:
            _print(str(each))
        differing += bool(found)
        left += bool(found) and action == "verify"
    _print(
        f"{orders} orders, {differing} {'rebuilt' if action == 'rebuild' else 'differ'}, {left} to look at"
    )
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
