"""The timeline with the keyboard alone, and drawn over with a mouse: from a cell to a booking of that time."""

from datetime import time, timedelta

import pytest
from playwright.sync_api import expect

from collab4m.clock import today
from resources.operations import local, request_booking
from tests.factories import CategoryFactory, ResourceFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def focus_is_on(page, *words):
    for each in words:
        expect(page.locator(".c-timeline a:focus")).to_contain_text(each)


@pytest.fixture
def seen(window, owner, home, neighbour):
    """A day of two vans, the first of them booked from nine to eleven."""
    day = today() + timedelta(days=7)
    category = CategoryFactory(name_sv="Minibuss", slug="minibuss")
    first = ResourceFactory(name="Minibuss A", municipality=neighbour, category=category)
    ResourceFactory(name="Minibuss B", municipality=neighbour, category=category)
    request_booking(
        first, starts_at=local(day, time(9)), ends_at=local(day, time(11)), purpose="Studiebesök", by=owner,
        on_behalf_of=home.body,
    )  # fmt: skip
    opened = window()
    opened.let_in(owner)
    return opened.visit(f"/resurser/tidslinje/?vy=dag&datum={day}")


def test_arrows_move_between_cells_and_enter_books(seen):
    seen.locator(".c-timeline td a").first.focus()
    focus_is_on(seen, "kl. 7–8")

    seen.keyboard.press("ArrowRight")
    seen.keyboard.press("ArrowRight")
    focus_is_on(seen, "Studiebesök")
    seen.keyboard.press("ArrowRight")
    focus_is_on(seen, "Minibuss A", "kl. 11–12")
    seen.keyboard.press("ArrowDown")
    focus_is_on(seen, "Minibuss B", "kl. 11–12")
    expect(seen.locator('.c-timeline td a[tabindex="0"]')).to_have_count(1)
    seen.keyboard.press("Control+Home")
    focus_is_on(seen, "Minibuss A", "kl. 7–8")

    seen.keyboard.press("Enter")
    seen.wait_for_url("**/boka/?fran=*T07:00&till=*T08:00")


def test_a_mouse_drawn_over_free_cells_asks_for_them_all(seen):
    row = seen.locator(".c-timeline tbody tr").nth(1).locator("a.c-slot[data-kind=free]")

    row.nth(1).hover()
    seen.mouse.down()
    row.nth(3).hover()
    seen.mouse.up()

    seen.wait_for_url("**/boka/?fran=*T08*00&till=*T11*00")


def test_head_and_first_column_stay_while_the_rest_scrolls(seen):
    head, box = seen.locator(".c-timeline thead th").first, seen.locator(".c-timeline-box")
    seen.set_viewport_size({"width": 700, "height": 500})
    before = head.bounding_box()

    box.evaluate("box => box.scrollTo(200, 200)")

    assert head.bounding_box() == before
