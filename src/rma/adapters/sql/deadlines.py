"""
How soon a connection to PostgreSQL is given up whose server is gone without a word.

Without these settings of libpq, the operating system waits for minutes to hours for an answer that never
comes, and the caller waits with it.
"""

import os
from collections.abc import Mapping

from sqlalchemy import URL

#: By parameter of libpq: what a connection has that was opened for a URL, unless the URL says otherwise.
DEADLINES: Mapping[str, int] = {
    "connect_timeout": 10,  # seconds, for each address of the host
    "tcp_user_timeout": 30_000,  # milliseconds that sent data may stay unacknowledged
    "keepalives": 1,
    "keepalives_idle": 30,  # seconds without data, then the server is asked whether it is there
    "keepalives_interval": 10,  # seconds between such questions
    "keepalives_count": 3,  # of them without an answer
}

#: The variables by which an operator sets a parameter for all programs.
_VARIABLES = {"connect_timeout": "PGCONNECT_TIMEOUT"}


def deadlines_for(url: URL) -> dict[str, int]:
    """
    Returns the parameters that psycopg is given besides those of the URL and of the environment.

    Empty for another driver, and for a URL that names a service, which has settings of its own.
    """
    if url.get_driver_name() != "psycopg" or "service" in url.query:
        return {}
    return {
        name: value
        for name, value in DEADLINES.items()
        if name not in url.query and _VARIABLES.get(name, "") not in os.environ
    }
