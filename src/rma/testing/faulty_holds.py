"""Holds with a plan of failures around them, and holds that write down what they did."""

from typing import cast

from attrs import Factory, frozen

from rma.domain.messages.advance import ChargeAnswer, ChargeOutcome, ChargeRequest, ReleaseRequest
from rma.domain.messages.gateways import Gateway, Idempotent
from rma.ports import ChargeLookup, Holds
from rma.testing.faults import Faults


def inject_hold_faults(port: Holds, faults: Faults) -> Holds:
    """The proxy for this adapter: with a look-up, if it has one."""
    return FaultySearchableHolds(port, faults) if can_be_asked(port) else FaultyHolds(port, faults)


def recording_holds(port: Holds) -> "RecordingHolds":
    """The adapter, recorded: with a look-up, if it has one."""
    return RecordingSearchableHolds(port) if can_be_asked(port) else RecordingHolds(port)


def can_be_asked(port: object) -> bool:
    """Whether the gateway can be asked for a charge."""
    return hasattr(port, "find_charge")


@frozen
class FaultyHolds:
    """A gateway of holds."""

    port: Holds
    faults: Faults

    @property
    def gateway(self) -> Gateway:
        """What the adapter declares."""
        declared: Gateway = getattr(self.port, "gateway", Idempotent())
        return declared

    def charge(self, request: ChargeRequest) -> ChargeAnswer:
        """As the plan says."""
        return self.faults.call("holds.charge", request.key, lambda: self.port.charge(request))

    def release(self, request: ReleaseRequest) -> None:
        """As the plan says."""
        self.faults.call("holds.release", request.key, lambda: self.port.release(request))


class FaultySearchableHolds(FaultyHolds):
    """The same, of a gateway that can be asked."""

    def find_charge(self, key: str) -> ChargeOutcome | None:
        """As the plan says."""
        port = cast("ChargeLookup", self.port)
        return self.faults.call("holds.find_charge", key, lambda: port.find_charge(key))


@frozen
class RecordingHolds:
    """A gateway of holds, what it answered under each key, and which holds it gave back."""

    port: Holds
    charges: dict[str, ChargeRequest] = Factory(dict)
    answers: dict[str, list[ChargeAnswer]] = Factory(dict)
    releases: dict[str, ReleaseRequest] = Factory(dict)

    @property
    def gateway(self) -> Gateway:
        """What the adapter declares."""
        declared: Gateway = getattr(self.port, "gateway", Idempotent())
        return declared

    def charge(self, request: ChargeRequest) -> ChargeAnswer:
        """Written down."""
        answer = self.port.charge(request)
        self.charges[request.key] = request
        self.answers.setdefault(request.key, []).append(answer)
        return answer

    def release(self, request: ReleaseRequest) -> None:
        """Written down once it is done."""
        self.port.release(request)
        self.releases[request.key] = request


class RecordingSearchableHolds(RecordingHolds):
    """The same, of a gateway that can be asked."""

    def find_charge(self, key: str) -> ChargeOutcome | None:
        """As it is; what is found is not a second charge."""
        return cast("ChargeLookup", self.port).find_charge(key)
