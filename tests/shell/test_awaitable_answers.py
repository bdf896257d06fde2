"""A blocking service and a port whose answer would have to be awaited."""

from rma import RestockRequest
from rma.adapters.memory import InMemoryInventory, in_memory_service
from tests.rules.given import line, order_of, receive, request


class AwaitableInventory(InMemoryInventory):
    """An inventory whose method is not `async def` and returns a coroutine."""

    def restock(self, request: RestockRequest) -> None:
        """Returns a coroutine that the blocking service does not await."""
        return self._later(request)  # type: ignore[return-value] # that is the mistake

    async def _later(self, request: RestockRequest) -> None:
        super().restock(request)


def test_an_awaitable_answer_is_an_unknown_outcome_in_a_blocking_service() -> None:
    """The coroutine is closed, and the effect stays open under its key with the reason."""
    stock = AwaitableInventory()
    service = in_memory_service([order_of(line(quantity=1))], inventory=stock)
    opened = service.handle(request(1))

    service.handle(receive(1, return_id=opened.id))

    (effect,) = service.returns.load("order_1").open_effects.values()
    assert effect.request.key == f"{opened.id}-restock-1"
    assert effect.delivery.last_error is not None
    assert "has to be awaited" in effect.delivery.last_error
    assert not stock.restocks
