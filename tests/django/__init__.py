"""The adapter for Django, on SQLite and PostgreSQL."""
