CREATE TABLE rma_events (
	order_id TEXT COLLATE "C" NOT NULL,
	revision INTEGER NOT NULL,
	number INTEGER NOT NULL,
	document TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (order_id, revision, number)
);

CREATE TABLE rma_format (
	format INTEGER NOT NULL,
	PRIMARY KEY (format)
);

CREATE TABLE rma_ledgers (
	order_id TEXT COLLATE "C" NOT NULL,
	revision INTEGER NOT NULL,
	published INTEGER NOT NULL,
	waiting_since TEXT COLLATE "C",
	due_at TEXT COLLATE "C",
	unpublished_since TEXT COLLATE "C",
	leased_until TEXT COLLATE "C",
	leased_by TEXT COLLATE "C",
	document TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (order_id)
);

CREATE INDEX rma_ledgers_due ON rma_ledgers (due_at, order_id) WHERE waiting_since IS NOT NULL;

CREATE INDEX rma_ledgers_unpublished ON rma_ledgers (unpublished_since, order_id) WHERE unpublished_since IS NOT NULL;

CREATE TABLE rma_returns (
	order_id TEXT COLLATE "C" NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	position INTEGER NOT NULL,
	return_id TEXT COLLATE "C" NOT NULL,
	status TEXT COLLATE "C" NOT NULL,
	needs_attention BOOLEAN NOT NULL,
	requested_at TEXT COLLATE "C" NOT NULL,
	document TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (order_id, kind, position)
);

CREATE INDEX rma_returns_by_age ON rma_returns (requested_at, order_id, position, kind);

CREATE UNIQUE INDEX rma_returns_by_id ON rma_returns (return_id);

CREATE INDEX rma_returns_by_status ON rma_returns (status, requested_at, order_id, position, kind);

CREATE INDEX rma_returns_needing_attention ON rma_returns (requested_at, order_id, position, kind) WHERE needs_attention = true;

CREATE INDEX rma_returns_needing_attention_by_status ON rma_returns (status, needs_attention, requested_at, order_id, position, kind) WHERE needs_attention = true;

CREATE INDEX rma_returns_other_kinds ON rma_returns (requested_at, order_id, position, kind) WHERE kind != 'return';

INSERT INTO rma_format (format) VALUES (1);
