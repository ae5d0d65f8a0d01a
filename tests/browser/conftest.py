"""A real Chromium against a real server. Pages are looked at with the eyes of axe, the keyboard and a narrow window."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
PASSWORD = "fyra-malarstader"  # the factories' people all have it
AXE = Path(settings.NODE_MODULES) / "axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTH, NARROW = 1280, 320

LONGEST_WAIT = 120_000  # milliseconds: the machine may be busy

expect.set_options(timeout=LONGEST_WAIT)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread; Django must not take that for an asynchronous view.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class Window:
    """A browser window of one reader, which remembers everything the page complained about."""

    def __init__(self, browser: Browser, address: str, **options: Any) -> None:
        self.address = address
        self.complaints: list[str] = []
        self.context: BrowserContext = browser.new_context(
            locale="sv-SE",
            viewport={"width": WIDTH, "height": 900},
            bypass_csp=options.pop("bypass_csp", False),
            **options,
        )
        self.context.set_default_timeout(LONGEST_WAIT)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def visit(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def let_in(self, user: Any) -> None:
        """Give the reader a session without the form, for tests about something else than log-in."""
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        self.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.address}])

    def confirm(self) -> Page:
        """Give the password again where the portal asks for it."""
        if "/reauthenticate/" in self.page.url:
            self.page.get_by_label("Lösenord", exact=True).fill(PASSWORD)
            self.page.get_by_role("button", name="Bekräfta").click()
            self.page.wait_for_url(lambda url: "/reauthenticate/" not in url)
        return self.page

    def log_in(self, user: Any) -> Page:
        EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
        page = self.visit("/konto/login/")
        page.get_by_label("E-postadress").fill(user.email)
        page.get_by_label("Lösenord", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Logga in", exact=True).click()
        page.wait_for_url(self.address + "/")
        return page


def address_of(live_server: Any) -> str:
    """With localhost, not an address in figures: passkeys have no other name to be bound to."""
    return live_server.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def window(browser: Browser, live_server: Any) -> Iterator[Callable[..., Window]]:
    """Opens windows, and at the end sees that no page broke the Content-Security-Policy or threw an error."""
    windows: list[Window] = []

    def open_window(user: Any = None, **options: Any) -> Window:
        window = Window(browser, address_of(live_server), **options)
        windows.append(window)
        if user:
            window.log_in(user)
        return window

    yield open_window
    complaints = [complaint for window in windows for complaint in window.complaints]
    for window in windows:
        window.context.close()
    assert complaints == []


def axe(page: Page, only: str = "") -> list[str]:
    """What axe finds wrong (`only` one rule), with where. The window must have been opened with `bypass_csp=True`."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    rules = {"type": "rule", "values": [only]} if only else {"type": "tag", "values": RULES}
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", rules)
    return [
        f"{violation['id']}: {violation['help']} at {[node['target'] for node in violation['nodes']]}"
        for violation in found["violations"]
    ]


def is_wider_than_its_window(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
