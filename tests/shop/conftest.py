"""A browser, and a shop to use in it."""

import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, StorageState, sync_playwright

from tests.shop.browsing import Shop
from tests.shop.processes import environment, running

#: Where pictures of the pages are kept, if they are asked for.
PICTURES = os.environ.get("RMA_PICTURES")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """
    Yields a headless Chromium; skips where there is none.

    For one module: while it is open its thread has a running loop, and other tests begin loops of their own.
    """
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no Chromium here: `apt-get install chromium`")
    with warnings.catch_warnings(), sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def shop_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Yields where a shop is served as the README starts it, with gateway and timer; and its folder."""
    folder = tmp_path_factory.mktemp("shop")
    with running(["manage.py", "demo", "--port", "0"], environment(folder)) as process:
        yield process.url, folder


@pytest.fixture(scope="module")
def logins() -> dict[str, StorageState]:
    """Returns the cookies of those who have logged in."""
    return {}


@pytest.fixture
def shop(
    browser: Browser, shop_url: tuple[str, Path], logins: dict[str, StorageState], tmp_path: Path
) -> Iterator[Shop]:
    """Yields a shop with people who use it; no page had a script that failed or was blocked."""
    url, folder = shop_url
    with Shop.opened(browser, url, folder, Path(PICTURES) if PICTURES else tmp_path, logins) as found:
        yield found
