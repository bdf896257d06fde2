"""Ledgers in a database: the same as in memory, with atomic commits under every failure."""
