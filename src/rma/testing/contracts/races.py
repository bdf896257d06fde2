"""What `ReturnRepository` promises when several use it at once."""

import asyncio
import threading
from functools import partial
from inspect import isawaitable

from rma.domain.events import Event
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import StaleLedger
from rma.testing.contracts.repository_port import ReturnRepositoryPort
from rma.testing.contracts.storing import harness, owner, receive, request, rivals


class RacesOfCommits(ReturnRepositoryPort):
    """
    Laws of a store for ledgers that several threads use; a part of `ReturnRepositoryContract`.

    Attributes:
        rounds: how often they race.
        patience: how many seconds a commit may take that another, canceled one may have held up.
    """

    rounds: int = 10
    patience: float = 30.0

    def test_of_commits_at_the_same_revision_exactly_one_wins(self) -> None:
        """The others are stale and leave nothing; from an order's first commit on."""
        returns, life = self.port(), harness()
        history: tuple[Event, ...] = ()
        for number in range(self.rounds):
            racing = rivals(life, 4, f"r{number}")
            ends = self.at_once([partial(self.reopened(returns).commit, change) for change in racing])

            won = [change for change, end in zip(racing, ends, strict=True) if end is None]
            assert [type(end) for end in ends if end is not None] == [StaleLedger] * 3
            (winner,) = won
            history += winner.events
            owners = [owner(returns, f"ret_r{number}_{rival}_1") for rival in range(4)]
            assert owners == ["order_1" if change is winner else None for change in racing]
            assert (returns.load("order_1"), returns.history("order_1")) == (winner.ledger, history)
            life = harness(ledger=winner.ledger, at=life.now)

    def test_commits_to_different_orders_at_once_all_win(self) -> None:
        """No command waits for another order, or loses against it."""
        returns = self.port()
        for number in range(self.rounds):
            lives = [harness(f"order_{number}_{rival}") for rival in range(4)]
            changes = [life.handle(request(life.order.id, label=True)) for life in lives]

            ends = self.at_once([partial(self.reopened(returns).commit, change) for change in changes])

            assert ends == [None] * 4
            assert [returns.load(life.order.id) for life in lives] == [life.ledger for life in lives]

    def test_a_commit_that_is_canceled_holds_up_no_other(self) -> None:
        """
        A task that is canceled while it commits, at once or later, has stored all or nothing, and the next
        commit is stored. A repository that blocks has no tasks, and only commits.
        """
        made = self.make()
        returns, ledger = self.blocking(made), ReturnLedger("order_1")
        for turns in range(self.rounds):
            (canceled,) = rivals(harness(ledger=ledger), 1, f"c{turns}")
            self.cancel(partial(made.commit, canceled), turns)
            before, ledger = ledger, self.reopened(returns).load("order_1")
            assert ledger in (before, canceled.ledger)

            (change,) = rivals(harness(ledger=ledger), 1, f"n{turns}")
            answer = made.commit(change)
            if isawaitable(answer):
                self.wait(asyncio.wait_for(answer, self.patience))
            ledger = self.reopened(returns).load("order_1")
            assert ledger == change.ledger

    def test_what_is_read_while_others_commit_is_what_one_of_them_committed(self) -> None:
        """Nothing half done is ever visible."""
        returns, life = self.port(), harness()
        for number in range(1, 5):
            life.handle(request(label=True))
            life.handle(receive(f"ret_order_1_{number}"))
            life.record_outcomes()
        ledgers = [ReturnLedger("order_1"), *[change.ledger for change in life.changes]]

        is_over = threading.Event()

        def write() -> list[ReturnLedger]:
            try:
                repository = self.reopened(returns)
                for change in life.changes:
                    repository.commit(change)
            finally:
                is_over.set()  # also where it cannot be opened: the others would read for ever
            return []

        def read() -> list[ReturnLedger]:
            repository = self.reopened(returns)
            seen = []
            while not is_over.is_set():
                seen.append(repository.load("order_1"))
            return seen

        for seen in self.at_once([write, read, read]):
            assert not isinstance(seen, Exception), seen
            assert all(ledger == ledgers[ledger.revision] for ledger in seen)
        assert returns.load("order_1") == life.ledger
