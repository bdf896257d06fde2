"""What releases recorded before events said what they granted and moved, and lines how they are taxed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rma.domain import change
from rma.domain.sale import charges, pricing


@contextmanager
def recording_no_grants() -> Iterator[None]:
    """Records as those releases did: what they stored is compared with that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(change, "grant_between", lambda *_: None)
        patch.setattr(change, "movements_between", lambda *_: ())
        patch.setattr(pricing, "rates_of", lambda _: ())
        patch.setattr(charges, "rates_of", lambda _: ())
        yield
