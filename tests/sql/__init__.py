"""Ledgers in a database: the same as in memory, one commit at a time, whatever goes wrong."""
