"""A file with the offer, from the first fault to the last confirmation, without a mouse."""

import re

import pytest
from playwright.sync_api import expect

from collab4m.clock import today
from collab4m.school_year import SchoolYear
from programmes.models import FileImport, Offering
from programmes.operations import Intake, report_offering
from tests.browser.conftest import NARROW, WIDTH, axe, is_wider_than_its_window
from tests.factories import OrientationFactory, ProgrammeFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HEADINGS = "Skola;Programkod;Inriktningskod;Platser\r\n"
BAD = HEADINGS + "Westerlundska gymnasiet;BA;;många\r\nOkänd skola med ett mycket långt namn;BA;;5\r\n"
GOOD = HEADINGS + "Westerlundska gymnasiet;BA;BAHUS;7\r\nWesterlundska gymnasiet;NA;;30\r\n"


def faults(page):
    """What axe finds, wide and narrow, and whether anything must be scrolled sideways."""
    found = []
    for width in (NARROW, WIDTH):
        page.set_viewport_size({"width": width, "height": 900})
        found += axe(page) + ["wider than its window"] * is_wider_than_its_window(page)
    return found


def send(page, name, text):
    page.get_by_label("File", exact=True).set_input_files(
        [{"name": name, "mimeType": "text/csv", "buffer": text.encode("cp1252")}]
    )
    press(page, "Read the file")


def press(page, name):
    """The button, reached and pressed by keyboard."""
    button = page.get_by_role("button", name=name, exact=True)
    page.locator("h1").click()
    for _step in range(60):
        page.keyboard.press("Tab")
        if button.evaluate("one => one === document.activeElement"):
            break
    assert button.evaluate("one => one === document.activeElement")
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_file_is_corrected_looked_through_and_saved_by_keyboard(window, owner, home, school):
    owner.language = "en"
    owner.save()
    programme = ProgrammeFactory(code="BA", name_sv="Bygg- och anläggningsprogrammet")
    husbyggnad = OrientationFactory(programme=programme, code="BAHUS", name_sv="Husbyggnad")
    ProgrammeFactory(code="NA", name_sv="Naturvetenskapsprogrammet")
    rows = [Intake(programme.pk, husbyggnad.pk, seats=5)]
    report_offering(school, SchoolYear.of(today()), rows, complete=False, by=owner, on_behalf_of=home.body)
    opened = window(bypass_csp=True)
    opened.let_in(owner)
    page = opened.visit("/program/rapportering/importera/")

    send(page, "utbud <å> & 'b'.csv", BAD)

    expect(page.locator("[data-take-focus]")).to_be_focused()
    expect(page.get_by_role("heading", name="Two things to correct in the file")).to_be_visible()
    assert faults(page) == []

    send(page, "utbud.csv", GOOD)

    expect(page.get_by_role("heading", level=1)).to_have_text("Look through “utbud.csv” before it is saved")
    expect(page.locator("del")).to_have_text(re.compile("5$"))
    assert faults(page) == []
    assert Offering.objects.count() == 1

    press(page, "Save all 2 rows")

    expect(page.get_by_text("2 rows are imported.")).to_be_visible()
    assert list(Offering.objects.order_by("seats").values_list("seats", flat=True)) == [7, 30]
    assert not FileImport.objects.exists()
