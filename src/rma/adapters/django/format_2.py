"""
The statements that make tables of format 2, by vendor.

They are a part of the first migration, and do not change when `rma.adapters.sql.schema` does.
"""

from collections.abc import Mapping, Sequence

STATEMENTS: Mapping[str, Sequence[str]] = {
    "sqlite": (
        """
        CREATE TABLE rma_events (
            order_id TEXT NOT NULL,
            revision INTEGER NOT NULL,
            number INTEGER NOT NULL,
            document TEXT NOT NULL,
            PRIMARY KEY (order_id, revision, number)
        )
        """,
        """
        CREATE TABLE rma_format (
            format INTEGER NOT NULL,
            writable_since INTEGER NOT NULL,
            PRIMARY KEY (format)
        )
        """,
        """
        CREATE TABLE rma_ledgers (
            order_id TEXT NOT NULL,
            revision INTEGER NOT NULL,
            published INTEGER NOT NULL,
            waiting_since TEXT,
            due_at TEXT,
            unpublished_since TEXT,
            leased_until TEXT,
            leased_by TEXT,
            document TEXT NOT NULL,
            PRIMARY KEY (order_id)
        )
         WITHOUT ROWID
        """,
        """
        CREATE INDEX rma_ledgers_due
            ON rma_ledgers (due_at, order_id)
            WHERE waiting_since IS NOT NULL
        """,
        """
        CREATE INDEX rma_ledgers_unpublished
            ON rma_ledgers (unpublished_since, order_id)
            WHERE unpublished_since IS NOT NULL
        """,
        """
        CREATE TABLE rma_returns (
            order_id TEXT NOT NULL,
            kind TEXT NOT NULL,
            position INTEGER NOT NULL,
            return_id TEXT NOT NULL,
            status TEXT NOT NULL,
            needs_attention BOOLEAN NOT NULL,
            requested_at TEXT NOT NULL,
            document TEXT,
            opened_revision INTEGER NOT NULL,
            opened_number INTEGER NOT NULL,
            record TEXT,
            return_by TEXT,
            due_by TEXT,
            PRIMARY KEY (order_id, kind, position)
        )
        """,
        """
        CREATE UNIQUE INDEX rma_returns_by_id ON rma_returns (return_id)
        """,
        """
        CREATE INDEX rma_returns_expiring ON rma_returns (return_by) WHERE return_by IS NOT NULL
        """,
        """
        CREATE INDEX rma_returns_listed
            ON rma_returns (kind, status, needs_attention, requested_at, order_id, position)
        """,
        """
        CREATE INDEX rma_returns_payable ON rma_returns (due_by) WHERE due_by IS NOT NULL
        """,
        """
        INSERT INTO rma_format (format, writable_since) VALUES (2, 2)
        """,
    ),
    "postgresql": (
        """
        CREATE TABLE rma_events (
            order_id TEXT COLLATE "C" NOT NULL,
            revision INTEGER NOT NULL,
            number INTEGER NOT NULL,
            document TEXT COLLATE "C" NOT NULL,
            PRIMARY KEY (order_id, revision, number)
        )
        """,
        """
        CREATE TABLE rma_format (
            format INTEGER NOT NULL,
            writable_since INTEGER NOT NULL,
            PRIMARY KEY (format)
        )
        """,
        """
        CREATE TABLE rma_ledgers (
            order_id TEXT COLLATE "C" NOT NULL,
            revision INTEGER NOT NULL,
            published INTEGER NOT NULL,
            waiting_since TIMESTAMP WITH TIME ZONE,
            due_at TIMESTAMP WITH TIME ZONE,
            unpublished_since TIMESTAMP WITH TIME ZONE,
            leased_until TIMESTAMP WITH TIME ZONE,
            leased_by TEXT COLLATE "C",
            document TEXT COLLATE "C" NOT NULL,
            PRIMARY KEY (order_id)
        )
        """,
        """
        CREATE INDEX rma_ledgers_due
            ON rma_ledgers (due_at, order_id)
            WHERE waiting_since IS NOT NULL
        """,
        """
        CREATE INDEX rma_ledgers_unpublished
            ON rma_ledgers (unpublished_since, order_id)
            WHERE unpublished_since IS NOT NULL
        """,
        """
        CREATE TABLE rma_returns (
            order_id TEXT COLLATE "C" NOT NULL,
            kind TEXT COLLATE "C" NOT NULL,
            position INTEGER NOT NULL,
            return_id TEXT COLLATE "C" NOT NULL,
            status TEXT COLLATE "C" NOT NULL,
            needs_attention BOOLEAN NOT NULL,
            requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
            document TEXT COLLATE "C",
            opened_revision INTEGER NOT NULL,
            opened_number INTEGER NOT NULL,
            record TEXT COLLATE "C",
            return_by TIMESTAMP WITH TIME ZONE,
            due_by TIMESTAMP WITH TIME ZONE,
            PRIMARY KEY (order_id, kind, position)
        )
        """,
        """
        CREATE UNIQUE INDEX rma_returns_by_id ON rma_returns (return_id)
        """,
        """
        CREATE INDEX rma_returns_expiring ON rma_returns (return_by) WHERE return_by IS NOT NULL
        """,
        """
        CREATE INDEX rma_returns_listed
            ON rma_returns (kind, status, needs_attention, requested_at, order_id, position)
        """,
        """
        CREATE INDEX rma_returns_payable ON rma_returns (due_by) WHERE due_by IS NOT NULL
        """,
        """
        INSERT INTO rma_format (format, writable_since) VALUES (2, 2)
        """,
    ),
}
