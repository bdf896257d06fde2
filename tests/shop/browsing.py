"""People who use the shop in a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field, frozen
from playwright.sync_api import Browser, BrowserContext, Locator, Page, StorageState

#: How long a page may take, in milliseconds; the machine may be busy.
PATIENCE = 60_000


@frozen
class Person:
    """
    Someone who is logged in.

    Attributes:
        page: what they see.
        pictures: where pictures of it are kept.
    """

    page: Page
    pictures: Path

    def go(self, path: str) -> None:
        """Goes to a page."""
        self.page.goto(path)

    def press(self, name: str) -> None:
        """Presses a button, and waits for the page that follows."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """Follows a link."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=name, exact=True).click()

    def field(self, name: str) -> Locator:
        """Returns a field by its name in the form."""
        return self.page.locator(f"[name='{name}']")

    def picture(self, name: str) -> None:
        """Keeps a picture of the page."""
        self.pictures.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self.pictures / f"{name}.png", full_page=True)

    @property
    def text(self) -> str:
        """What is read."""
        return " ".join(self.page.locator("body").inner_text().split())


@define
class Shop:
    """
    A shop that is served.

    Attributes:
        folder: where its mails are.
        logins: the cookies of those who have logged in before.
        problems: what the browser complained about.
    """

    browser: Browser
    url: str
    folder: Path
    pictures: Path
    logins: dict[str, StorageState]
    contexts: list[BrowserContext] = field(factory=list)
    problems: list[str] = field(factory=list)

    @classmethod
    @contextmanager
    def opened(
        cls, browser: Browser, url: str, folder: Path, pictures: Path, logins: dict[str, StorageState]
    ) -> Iterator["Shop"]:
        """Yields the shop; closes what was opened in it."""
        shop = cls(browser, url, folder, pictures, logins)
        try:
            yield shop
        finally:
            for each in shop.contexts:
                each.close()
        assert shop.problems == []

    def person(self, name: str, *, has_scripts: bool = True, language: str = "en-US") -> Person:
        """Returns someone who has logged in."""
        context = self.browser.new_context(
            base_url=self.url,
            java_script_enabled=has_scripts,
            locale=language,
            storage_state=self.logins.get(name),
            viewport={"width": 900, "height": 700},
        )
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda said: self._note(said.type, said.text))
        someone = Person(page, self.pictures)
        if name not in self.logins:
            someone.go("/login/")
            someone.field("username").fill(name)
            someone.field("password").fill(name)
            with page.expect_navigation():
                page.locator("main button").click()
            self.logins[name] = context.storage_state()
        return someone

    def mails(self) -> list[str]:
        """Returns the mails that were sent."""
        return [path.read_text() for path in sorted((self.folder / "mails").glob("*.eml"))]

    def _note(self, kind: str, text: str) -> None:
        # A refusal is an answer with its status, of which the console says so.
        if kind == "error" and "the server responded with a status of" not in text:
            self.problems.append(text)
