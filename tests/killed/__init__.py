"""Tests that kill real processes at every call and commit, on a SQLite file."""
