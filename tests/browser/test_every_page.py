"""Every page of the tables: no axe violation in light and dark and at 320 px, and nothing to scroll sideways."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser

from tests.browser.conftest import AXE, NARROW, WIDTH, Window, address_of, axe, is_wider_than_its_window
from tests.pages import Page, all_pages

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = [page for page in all_pages() if page.draws and page.method == "get"]
# Everything in light; in dark only what the colours change.
CONTRAST = "color-contrast"
LOOKS = [("light", WIDTH, ""), ("light", NARROW, ""), ("dark", WIDTH, CONTRAST), ("dark", NARROW, CONTRAST)]
READERS = ["owner", "system_administrator", "principal", "asker", "committee", "council_member", "outsider"]


def reader_of(page: Page) -> str:
    """The first who gets the page; "owner" for what asks for the password once more, which is then given."""
    if page.expected("anonymous") == 200:
        return "anonymous"
    return next((role for role in READERS if page.expected(role) == 200), "owner")


@pytest.fixture(scope="module")
def kept(browser: Browser, live_server: Any) -> Iterator[Window]:
    """One window for all the pages: it fetches styles, fonts and axe once."""
    kept = Window(browser, address_of(live_server), bypass_csp=True)
    kept.page.add_init_script(path=AXE)
    yield kept
    kept.context.close()


@pytest.fixture
def opened(kept: Window) -> Iterator[Window]:
    """The window with nobody logged in, and at the end without a complaint of the page."""
    kept.complaints.clear()
    kept.context.clear_cookies()
    yield kept
    kept.page.goto("about:blank")  # no request of this page comes after its rows are gone
    assert kept.complaints == []


@pytest.mark.parametrize("page", PAGES, ids=[f"{page.name}{page.query}" for page in PAGES])
def test_page_is_accessible_in_light_and_dark_and_in_a_narrow_window(opened, request, page):
    args = page.args(*(request.getfixturevalue(name) for name in inspect.signature(page.args).parameters))
    role = reader_of(page)
    user = None if role == "anonymous" else request.getfixturevalue(role)
    opened.page.emulate_media(color_scheme="light")
    opened.page.set_viewport_size({"width": WIDTH, "height": 900})
    if user:
        opened.let_in(user)
    opened.visit(reverse(page.name, args=args) + page.query)
    seen = opened.confirm()

    found = {}
    for scheme, width, only in LOOKS:
        seen.emulate_media(color_scheme=scheme)
        seen.set_viewport_size({"width": width, "height": 900})
        found[scheme, width] = axe(seen, only)
        if is_wider_than_its_window(seen):
            found[scheme, width].append("the page is wider than its window")

    assert {where: what for where, what in found.items() if what} == {}
    assert seen.locator("h1").count() == 1
