"""Every page of the tables: no axe violation in light and dark and at 320 px, and nothing to scroll sideways."""

import inspect

import pytest
from django.urls import reverse

from tests.browser.conftest import NARROW, WIDTH, axe, is_wider_than_its_window
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


@pytest.mark.parametrize("page", PAGES, ids=[f"{page.name}{page.query}" for page in PAGES])
def test_page_is_accessible_in_light_and_dark_and_in_a_narrow_window(window, request, page):
    args = page.args(*(request.getfixturevalue(name) for name in inspect.signature(page.args).parameters))
    role = reader_of(page)
    user = None if role == "anonymous" else request.getfixturevalue(role)
    opened = window(bypass_csp=True)
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
