"""A role that may read and write rows but not change tables."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from sqlalchemy import make_url

from rma import Unavailable
from rma.adapters.sql import SqlReturns
from tests.rules.given import receive, request
from tests.sql.formats import contents, make_format_1
from tests.sql.in_transaction import shop

GRANTS = """
    GRANT USAGE ON SCHEMA {schema} TO {role};
    GRANT SELECT ON rma_format TO {role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON rma_ledgers, rma_returns, rma_events TO {role};
"""


@pytest.fixture
def role_url(url: str) -> Iterator[str]:
    """Yields the URL with a role that has no rights yet."""
    name = f"writer_{schema(url)}"
    with closing(SqlReturns(url)) as store:
        do(store, f"CREATE ROLE {name} LOGIN")
        yield make_url(url).set(username=name).render_as_string(hide_password=False)
        do(store, f"DROP OWNED BY {name}")
        do(store, f"DROP ROLE {name}")


def schema(url: str) -> str:
    """Returns the name of the schema that an URL leads to."""
    return str(make_url(url).query["options"]).partition("=")[2]


def role(url: str) -> str:
    """Returns the name of the role with which an URL connects."""
    return make_url(url).username or ""


def do(store: SqlReturns, statement: str) -> None:
    """Does what an administrator does."""
    with store.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def grant(url: str, role_url: str) -> None:
    """Grants what a service needs."""
    with closing(SqlReturns(url)) as store:
        do(store, GRANTS.format(schema=schema(url), role=role(role_url)))


def refusal(act: Callable[[], object]) -> Unavailable:
    """Returns the error that says which command an administrator runs."""
    with pytest.raises(Unavailable) as error:
        act()
    assert error.value.code == "store_not_permitted"
    assert str(error.value).endswith(": python -m rma.adapters.sql upgrade URL")
    return error.value


def test_a_role_that_may_not_make_tables_says_who_does(url: str, role_url: str) -> None:
    """`store_not_permitted`, until an administrator has made them and granted the rights to rows."""
    with closing(SqlReturns(role_url)) as store:
        for may_look in (False, True):
            if may_look:
                with closing(SqlReturns(url)) as administrator:
                    do(administrator, f"GRANT USAGE ON SCHEMA {schema(url)} TO {role(role_url)}")
            for act in (lambda: store.load("order_1"), store.upgrade):
                refusal(act)
        with closing(SqlReturns(url)) as administrator:
            assert administrator.upgrade().before is None
        grant(url, role_url)

        service = shop(store)
        opened = service.handle(request(2, shipping_option_id="so_return"))
        service.handle(receive(2, return_id=opened.id))
        assert service.resume().still_open == ()
        assert [each.id for each in service.list()] == [opened.id]
        assert service.rebuild("order_1") == ()


def test_a_role_that_does_not_own_the_tables_does_not_upgrade_them(url: str, role_url: str) -> None:
    """`store_not_permitted` before anything is locked, and nothing is changed; afterwards it goes on."""
    make_format_1(url)
    grant(url, role_url)
    before = contents(url)
    with closing(SqlReturns(role_url)) as store, closing(SqlReturns(url)) as administrator:
        with administrator.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1 FROM rma_ledgers FOR UPDATE")  # it would wait here
            for act in (lambda: store.load("order_a1"), store.upgrade):
                assert "belong to the role postgres" in str(refusal(act))
        assert contents(url) == before
        administrator.upgrade()
        assert store.load("order_a1").revision == 36
