"""The offer with the keyboard alone: from the start page to a cell of the matrix, and from there to a saved report."""

import pytest
from playwright.sync_api import Page, expect

from programmes.models import Offering
from tests.factories import OrientationFactory, ProgrammeFactory
from tests.programmes.offers import own_school, report, say

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST_TABS = 150
# The page and a region that scrolls can have focus too, and would be called all that stands in them.
FOCUSED = """() => {
  const a = document.activeElement;
  return [a.matches("a, button, summary, .c-errors") ? a.innerText : "", a.id, a.getAttribute("aria-label")].join(" ");
}"""


@pytest.fixture
def offer(home, neighbour):
    """Two programmes, one with orientations, at two schools at home and one at the neighbour's."""
    building = ProgrammeFactory(code="BA", name_sv="Byggprogrammet")
    house = OrientationFactory(programme=building, name_sv="Husbyggnad")
    OrientationFactory(programme=building, name_sv="Måleri")
    care = ProgrammeFactory(code="VO", name_sv="Vårdprogrammet")
    first = report(own_school(home, name="Första skolan"), complete=False)
    say(first, house, seats=24)
    say(report(own_school(home, name="Mellersta skolan")), care, seats=30)
    say(report(own_school(neighbour, name="Sista skolan")), building, seats=18)
    return building, house, care


@pytest.fixture
def seen(window, owner) -> Page:
    owner.language = "en"
    owner.save()
    opened = window()
    opened.let_in(owner)
    return opened.visit("/")


def focused(page: Page) -> str:
    return " ".join(page.evaluate(FOCUSED).split())


def tab_to(page: Page, words: str) -> None:
    """Press Tab until what has focus is called so."""
    for _press in range(MOST_TABS):
        page.keyboard.press("Tab")
        if words in focused(page):
            return
    raise AssertionError(f"Tab never came to “{words}”")


def test_the_matrix_is_walked_and_a_school_reported_with_the_keyboard_alone(seen, offer, home):
    building, house, care = offer
    tab_to(seen, "Programmes")
    seen.keyboard.press("Enter")
    seen.wait_for_url("**/program/")
    tab_to(seen, "Offer")
    seen.keyboard.press("Enter")
    seen.wait_for_url("**/program/utbud/")

    tab_to(seen, "Orientations of Byggprogrammet")
    twist = seen.get_by_role("button", name="Orientations of Byggprogrammet")
    expect(twist).to_have_attribute("aria-expanded", "false")
    seen.keyboard.press("Enter")
    expect(twist).to_have_attribute("aria-expanded", "true")
    expect(seen.get_by_text("Måleri", exact=True)).to_be_visible()

    tab_to(seen, "Offered, BA Byggprogrammet")
    seen.keyboard.press("ArrowRight")
    seen.keyboard.press("ArrowRight")
    assert "18 Offered, BA Byggprogrammet" in focused(seen)
    seen.keyboard.press("Home")
    seen.keyboard.press("ArrowDown")
    assert "24 Offered, Husbyggnad" in focused(seen)
    seen.keyboard.press("Enter")
    seen.wait_for_url(f"**/program/rapportering/*/2022-23/#rad-{building.pk}-{house.pk}")
    expect(seen.locator("h1")).to_contain_text("Första skolan")

    tab_to(seen, "Change the report")
    seen.keyboard.press("Enter")
    seen.wait_for_url("**/andra/")
    tab_to(seen, f"rad-{care.pk}-0-seats")
    seen.keyboard.type("16")
    tab_to(seen, "id_complete")
    seen.keyboard.press("Space")
    tab_to(seen, "Save the report")
    seen.keyboard.press("Enter")
    seen.wait_for_url("**/2022-23/")

    expect(seen.locator("main")).to_contain_text("The whole offer is reported.")
    made = Offering.objects.get(report__school__name="Första skolan", programme=care)
    assert (made.offered, made.seats, made.report.complete) == (True, 16, True)


def test_the_table_is_one_stop_and_remembers_where_one_was(seen, offer):
    seen.goto(seen.url + "program/utbud/?visning=skola")
    tab_to(seen, "Offered, BA Byggprogrammet")
    seen.keyboard.press("End")
    where = focused(seen)

    seen.keyboard.press("Tab")
    left = focused(seen)
    seen.keyboard.press("Shift+Tab")

    assert focused(seen) == where
    assert left != where
    assert seen.locator("td a[tabindex='0']").count() == 1


def test_a_wrong_figure_takes_the_reader_to_its_field(seen, offer):
    building, house, care = offer
    seen.goto(f"{seen.url}program/rapportering/{Offering.objects.first().report.school_id}/2022-23/andra/")
    tab_to(seen, f"rad-{care.pk}-0-seats")
    seen.keyboard.type("tolv")
    tab_to(seen, "Save the report")
    seen.keyboard.press("Enter")

    summary = seen.locator(".c-errors")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("One thing needs to be put right")
    seen.keyboard.press("Tab")
    seen.keyboard.press("Enter")

    field = seen.locator(f"input[id$='rad-{care.pk}-0-seats']")
    expect(field).to_be_focused()
    expect(field).to_have_value("tolv")


def test_without_scripts_every_orientation_is_open_and_every_cell_a_link(window, owner, offer):
    opened = window(java_script_enabled=False)
    opened.let_in(owner)

    page = opened.visit("/program/utbud/")

    expect(page.get_by_text("Måleri", exact=True)).to_be_visible()
    assert page.locator("td a").count() > 3
