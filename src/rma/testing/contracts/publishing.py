"""What `ReturnRepository` promises to hosts of which some have a publisher and some have none."""

from typing import Any

import pytest
from attrs import evolve

from rma.domain.change import Change
from rma.testing.contracts.repository_port import ReturnRepositoryPort
from rma.testing.contracts.storing import LATER, harness, request


class Publishing(ReturnRepositoryPort):
    """Laws of a store about events that no publisher waits for; a part of `ReturnRepositoryContract`."""

    def test_a_change_without_a_publisher_hides_no_order_from_those_who_have_one(self) -> None:
        """An order stays named until all is published, and is named again when a publisher comes back."""
        returns, life = self.port(), harness()
        returns.commit(life.handle(request()))
        returns.commit(_without_publisher(life.handle(request())))
        assert list(self.reopened(returns).outstanding(LATER, 10, unpublished=True)) == ["order_1"]

        returns.commit(life.publish())
        assert list(self.reopened(returns).outstanding(LATER, 10, unpublished=True)) == []

        returns.commit(_without_publisher(life.handle(request())))
        returns.commit(life.handle(request()))
        assert list(self.reopened(returns).outstanding(LATER, 10, unpublished=True)) == ["order_1"]

    def test_what_was_committed_without_a_publisher_can_be_noted_for_one(self) -> None:
        """Each order with unpublished events, once; skipped for a repository without `note_unpublished`."""
        returns: Any = self.port()
        if not hasattr(returns, "note_unpublished"):
            pytest.skip("the repository has no method `note_unpublished`")
        lives = [harness(f"order_{number}") for number in range(1, 6)]
        for life in lives:
            returns.commit(_without_publisher(life.handle(request(life.order.id))))
        returns.commit(lives[3].publish())
        returns.commit(lives[4].handle(request("order_5")))

        assert returns.note_unpublished(LATER) == 3
        assert returns.note_unpublished(LATER) == 0

        again = self.reopened(returns)
        behind = [f"order_{number}" for number in (1, 2, 3, 5)]
        assert sorted(again.outstanding(LATER, 10, unpublished=True)) == behind
        assert list(again.outstanding(LATER, 10)) == []
        returns.commit(lives[0].publish())
        assert sorted(again.outstanding(LATER, 10, unpublished=True)) == behind[1:]


def _without_publisher(change: Change) -> Change:
    return evolve(change, awaits_publication=False)
