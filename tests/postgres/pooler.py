"""
Poolers that lend a few connections of the server to many clients, a transaction at a time.

`running_pgbouncer` is PgBouncer itself, if its program is installed. `LendingPooler` is written for these
tests: it speaks the real protocol over a real socket, to two connections of a real server, and lends them in
turn, so that clients meet each other's prepared statements as soon as they prepare any. It knows only what
psycopg sends: no TLS, passwords, COPY or pipelines.
"""

import os
import pwd
import shutil
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue
from threading import Thread

from sqlalchemy import URL, make_url

#: How many connections of the server are lent.
LENT = 2

_SSL, _GSS = 80877103, 80877104
_FAKE_PID = 7


@contextmanager
def lending_pooler(url: str) -> Iterator[str]:
    """Yields the URL of the same database behind a `LendingPooler`."""
    folder = tempfile.mkdtemp(prefix="rma_pool_")
    pooler = LendingPooler(make_url(url), Path(folder))
    try:
        yield _behind(make_url(url), folder, pooler.port)
    finally:
        pooler.close()
        shutil.rmtree(folder)


def pgbouncer() -> str | None:
    """Returns the program, or None if it is not installed."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@contextmanager
def running_pgbouncer(url: str) -> Iterator[str]:
    """Yields the URL of the same database behind PgBouncer, which pools by transaction."""
    server = make_url(url)
    schema = str(server.query["options"]).partition("search_path=")[2]
    with tempfile.TemporaryDirectory(prefix="rma_pgb_", ignore_cleanup_errors=True) as folder:
        settings = Path(folder, "pgbouncer.ini")
        host, port = server.query.get("host", server.host), server.query.get("port", server.port or 5432)
        password = f" password={server.password}" if server.password else ""
        settings.write_text(
            f"[databases]\n{server.database} = host={host} port={port} user={server.username}{password}"
            f" connect_query='SET search_path TO {schema}'\n"
            f"[pgbouncer]\nlisten_port = 6432\nunix_socket_dir = {folder}\nauth_type = any\n"
            f"pool_mode = transaction\ndefault_pool_size = {LENT}\nlogfile = {folder}/log\n"
            "ignore_startup_parameters = options\n"
        )
        runs_as: dict[str, int] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            runs_as = {"user": nobody.pw_uid, "group": nobody.pw_gid}
            for each in (folder, settings):
                os.chown(each, nobody.pw_uid, nobody.pw_gid)
        program = pgbouncer()
        assert program is not None
        with subprocess.Popen([program, "-q", str(settings)], cwd=folder, **runs_as) as process:  # type: ignore[call-overload] # by name
            try:
                while not Path(folder, ".s.PGSQL.6432").exists():
                    assert process.poll() is None, Path(folder, "log").read_text()
                yield _behind(server, folder, 6432)
            finally:
                process.kill()


def _behind(server: URL, folder: str, port: int) -> str:
    """Returns the URL of the server's database on a socket in this folder."""
    query = {**server.query, "host": folder, "port": str(port), "sslmode": "disable"}
    return server.set(host=None, port=None, query=query).render_as_string(hide_password=False)


class LendingPooler:
    """
    A pooler by transaction: each client gets a connection of the server until its transaction is over.

    Args:
        server: where the connections lead.
        folder: where its socket is.
    """

    port = 5432

    def __init__(self, server: URL, folder: Path) -> None:
        self._server = server
        self._idle: Queue[socket.socket] = Queue()
        self._lent = 0
        self._sockets: list[socket.socket] = []
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / f".s.PGSQL.{self.port}"))
        self._listening.listen()
        Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Closes everything."""
        for each in (self._listening, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self._sockets.append(client)
                Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, EOFError):
            startup = _startup(client)
            while self._lent < LENT:
                self._lent += 1
                self._idle.put(self._connected(startup))
            ready = _message(b"R", struct.pack("!i", 0))
            ready += _message(b"S", b"client_encoding\0UTF8\0") + _message(b"S", b"server_version\x0016.0\0")
            ready += _message(b"S", b"standard_conforming_strings\0on\0")
            ready += _message(b"K", struct.pack("!ii", _FAKE_PID, 0)) + _message(b"Z", b"I")
            client.sendall(ready)
            while True:
                self._do_transaction(client, _asked(client))

    def _do_transaction(self, client: socket.socket, asked: bytes) -> None:
        server = self._idle.get()
        try:
            while True:
                server.sendall(asked)
                if _relayed(server, client) == b"I":
                    return
                asked = _asked(client)
        finally:
            self._idle.put(server)

    def _connected(self, startup: bytes) -> socket.socket:
        """A connection of the server that is ready."""
        server, query = self._server, self._server.query
        host, port = query.get("host", server.host), query.get("port", server.port or 5432)
        if str(host).startswith("/"):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(f"{host}/.s.PGSQL.{port}")
        else:
            connection = socket.create_connection((str(host), int(str(port))))
        self._sockets.append(connection)
        connection.sendall(startup)
        while (received := _read_message(connection))[:1] != b"Z":
            if received[:1] == b"E":
                raise EOFError(received)
        return connection


def _startup(client: socket.socket) -> bytes:
    """The startup message of a client, after its wishes for encryption are refused."""
    while True:
        length = _exactly(client, 4)
        body = _exactly(client, struct.unpack("!i", length)[0] - 4)
        if struct.unpack("!i", body[:4])[0] not in {_SSL, _GSS}:
            return length + body
        client.sendall(b"N")


def _asked(client: socket.socket) -> bytes:
    """The messages of a client up to the one that the server answers with `ReadyForQuery`."""
    asked = b""
    while True:
        message = _read_message(client)
        if message[:1] == b"X":
            raise EOFError
        asked += message
        if message[:1] in {b"S", b"Q"}:
            return asked


def _relayed(server: socket.socket, client: socket.socket) -> bytes:
    """Relays an answer, and returns the transaction status at its end."""
    while True:
        message = _read_message(server)
        client.sendall(message)
        if message[:1] == b"Z":
            return message[5:]


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _read_message(from_: socket.socket) -> bytes:
    head = _exactly(from_, 5)
    return head + _exactly(from_, struct.unpack("!i", head[1:])[0] - 4)


def _exactly(from_: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        part = from_.recv(length - len(received))
        if not part:
            raise EOFError
        received += part
    return received
