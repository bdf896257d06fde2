"""How the contract of repositories gets the repositories that it tests."""

from abc import abstractmethod
from inspect import isawaitable
from typing import Any

import pytest

from rma.async_ports import AsyncReturnRepository
from rma.ports import ReturnRepository
from rma.testing.contracts.port_contract import Blocking, PortContract


class ReturnRepositoryPort(PortContract):
    """The base of the parts of `ReturnRepositoryContract`."""

    @abstractmethod
    def make(self) -> ReturnRepository | AsyncReturnRepository:
        """A repository over a new, empty store, each time."""

    def reopen(self, returns: Any) -> ReturnRepository | AsyncReturnRepository:  # as `make` returned it
        """Another repository over the same store, as another process has one; the same unless you say how."""
        same: ReturnRepository | AsyncReturnRepository = returns
        return same

    def damage(self, returns: Any, return_id: str) -> object:  # noqa: ARG002 # as `make` returned it
        """
        Makes the stored document of this return unreadable, as a mistake by hand does; may be awaited.

        Unless you say how, the laws about such documents are skipped.
        """
        pytest.skip("say with `damage` how a stored document becomes unreadable")

    def damaged(self, returns: ReturnRepository, return_id: str) -> None:
        """Damages it."""
        done = self.damage(returns.port if isinstance(returns, Blocking) else returns, return_id)
        if isawaitable(done):
            self.wait(done)

    def port(self) -> ReturnRepository:
        """A repository as one that blocks."""
        port: ReturnRepository = self.blocking(self.make())
        return port

    def reopened(self, returns: ReturnRepository) -> ReturnRepository:
        """Another one over the same store, as one that blocks."""
        made = returns.port if isinstance(returns, Blocking) else returns
        port: ReturnRepository = self.blocking(self.reopen(made))
        return port
