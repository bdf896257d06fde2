"""Whether an adapter breaks a law of its contract."""

import inspect
import os
from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import HealthCheck, Phase, settings

from rma.testing.contracts.port_contract import PortContract

settings.register_profile(
    "only looking",
    phases=[Phase.generate],
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def laws_of(contract: type) -> set[str]:
    """The names of its laws, without `test_`."""
    return {name.removeprefix("test_") for name in dir(contract) if name.startswith("test_")}


def breaks(contract: type[PortContract], law: str) -> bool:
    """Whether the function fails that pytest would run; one that is skipped has not failed."""
    held = contract()
    method = cast("Callable[..., None]", getattr(held, f"test_{law}"))
    parameters = inspect.signature(method).parameters
    settings.load_profile("only looking")  # no one reads the example, so it need not be small
    try:
        method(**dict.fromkeys(parameters, "no-such-id"))
    except pytest.skip.Exception:
        return False
    except (Exception, pytest.fail.Exception):
        return True
    finally:
        held.finish()
        settings.load_profile(os.environ.get("RMA_TEST_PROFILE", "default"))
    return False
