"""Real processes, killed at every call and commit, on a SQLite file."""
