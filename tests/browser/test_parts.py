"""Nothing typed is lost: to others who write, a lost network, an ended session, a crash, or by leaving the page."""

import re
from datetime import datetime, timedelta
from time import monotonic, sleep

import pytest
from django.conf import settings
from django.db import connection, transaction
from playwright.sync_api import Error, Page, expect

from records.models import Part
from records.operations import save_part
from tests.browser.conftest import NARROW, Window, axe, is_wider_than_its_window
from tests.factories import PartFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONGEST_WAIT = 300  # seconds: the machine may be busy
SAVED = re.compile(r"\d+\.\d\d$")
DRAFTS = "Object.keys(localStorage).filter(key => key.startsWith('collab4m.part.')).length"


@pytest.fixture
def part(area, home, neighbour):
    return PartFactory(subject__area=area)


@pytest.fixture
def open_part(window, part, owner):
    """Opens the part in a window of its own."""

    def opened(user=owner, **options):
        seen = window(**options)
        seen.let_in(user)
        seen.visit(part.get_absolute_url())
        return seen

    return opened


@pytest.fixture
def saved_by_asker(part, asker, neighbour):
    """Somebody else saves meanwhile."""

    def save(text, base_version=0):
        return save_part(part, text=text, base_version=base_version, by=asker, on_behalf_of=neighbour.body)

    return save


def write(page: Page, text: str) -> None:
    page.locator("[data-part-form] textarea").press_sequentially(text)


def is_saved(page: Page) -> None:
    expect(page.locator("[data-part-said]")).to_have_text(SAVED)


def stands(part: Part, text: str) -> None:
    """The text is stored: at once, or when a request that is on its way has arrived."""
    deadline = monotonic() + LONGEST_WAIT
    while Part.objects.values_list("text", flat=True).get(pk=part.pk) != text and monotonic() < deadline:
        sleep(0.05)
    part.refresh_from_db()
    assert part.text == text


def test_text_is_saved_by_itself_and_goes_on_from_there(open_part, part):
    page = open_part().page

    write(page, "Fyra kommuner")
    is_saved(page)
    stands(part, "Fyra kommuner")
    write(page, " samarbetar")
    page.locator("[data-part-form] [type=submit]").click()
    expect.soft(page.locator("[data-part-said]")).to_have_text(SAVED)
    page.wait_for_function(f"{DRAFTS} === 0")

    stands(part, "Fyra kommuner samarbetar")
    assert part.version == 2


@pytest.mark.parametrize(
    ("choice", "result"), [("mine", "Min text"), ("theirs", "Deras text"), ("joined", "Min text\n\nDeras text")]
)
def test_two_who_write_at_once_choose_in_place(open_part, part, saved_by_asker, choice, result):
    page = open_part().page
    saved_by_asker("Deras text")

    write(page, "Min text")
    conflict = page.locator("[data-part-conflict]")
    expect(conflict.locator("mark")).to_have_text(["Min ", "Deras "])
    assert conflict.locator("h2").evaluate("element => element === document.activeElement")
    if choice == "joined":
        conflict.locator("summary").click()
    conflict.locator(f"[value={choice}]").click()

    expect(conflict).to_have_count(0)
    assert page.locator("[data-part-form] textarea").input_value() == result
    assert page.evaluate(DRAFTS) == 0
    stands(part, result)
    assert {"Min text", "Deras text"} <= set(part.wordings.values_list("text", flat=True))
    page.locator("[data-part-form] textarea").fill("Vidare")
    is_saved(page)
    stands(part, "Vidare")


def test_a_choice_that_is_overtaken_shows_the_newest_text(open_part, part, saved_by_asker):
    page = open_part().page
    saved_by_asker("Deras första")
    write(page, "Min text")
    conflict = page.locator("[data-part-conflict]")
    expect(conflict).to_contain_text("Deras första")
    saved_by_asker("Deras andra", base_version=1)

    conflict.locator("[value=mine]").click()

    expect(conflict).to_contain_text("Deras andra")
    conflict.locator("[value=mine]").click()
    expect(conflict).to_have_count(0)
    stands(part, "Min text")


def test_both_texts_side_by_side_are_accessible_and_run_no_script(open_part, saved_by_asker):
    seen = open_part(bypass_csp=True)
    saved_by_asker("Deras <blink onerror=alert(1)> text")

    write(seen.page, "Min <blink onerror=alert(1)> text")
    expect(seen.page.locator("[data-part-conflict]")).to_be_visible()

    assert seen.page.locator("blink").count() == 0
    assert axe(seen.page) == []
    seen.page.emulate_media(color_scheme="dark")
    seen.page.set_viewport_size({"width": NARROW, "height": 900})
    assert axe(seen.page) == []
    assert not is_wider_than_its_window(seen.page)


def test_a_conflict_is_settled_without_javascript(open_part, part, saved_by_asker):
    page = open_part(java_script_enabled=False).page
    saved_by_asker("Deras text")

    page.locator("[name=text]").fill("Min text")
    page.locator("main [type=submit]").click()
    page.locator("summary", has=page.locator("xpath=../textarea | ../div")).last.click()
    page.locator("[name=joined]").fill("Bådas text")
    page.locator("[value=joined]").click()

    expect(page.locator("[name=text]")).to_have_value("Bådas text")
    stands(part, "Bådas text")


def test_reader_is_told_when_saving_has_failed_for_ten_seconds_and_text_is_saved_when_the_network_is_back(
    open_part, part
):
    seen = open_part()
    page, trouble = seen.page, seen.page.locator("[data-part-trouble] .c-save")
    page.clock.install()
    page.reload()
    page.clock.pause_at(datetime.now() + timedelta(minutes=1))  # noqa: DTZ005  else it goes on, and not with our steps
    seen.context.set_offline(True)

    write(page, "Utan nät")
    page.clock.run_for(9_000)
    expect(trouble).to_have_count(0)
    page.clock.run_for(6_000)
    expect(trouble).to_be_visible()
    seen.context.set_offline(False)
    page.clock.resume()

    expect(trouble).to_have_count(0)
    is_saved(page)
    stands(part, "Utan nät")


def crash_without_network(seen: Window, text: str) -> None:
    """Write without a network, and let the page crash: nothing can be sent. Then a new page, with a network."""
    seen.context.set_offline(True)
    write(seen.page, text)
    with pytest.raises(Error, match="crash"):
        seen.page.goto("chrome://crash")
    seen.page.close()
    seen.context.set_offline(False)
    seen.page = seen.context.new_page()


def test_text_written_without_network_is_offered_back_after_a_crash(open_part, part):
    seen = open_part()
    crash_without_network(seen, "En lång text")

    page = seen.visit(part.get_absolute_url())
    page.locator("[data-part-do=show]").click()
    assert page.locator("[data-part-text]").inner_text() == "En lång text"
    page.locator("[data-part-do=use]").click()

    is_saved(page)
    stands(part, "En lång text")
    assert page.evaluate(DRAFTS) == 0
    assert page.locator("[data-part-do]").count() == 0


def test_text_written_without_network_is_not_lost_when_the_window_is_closed(open_part, part):
    seen = open_part()
    seen.context.set_offline(True)
    write(seen.page, "En lång text")
    seen.page.close()
    seen.context.set_offline(False)
    seen.page = seen.context.new_page()

    page = seen.visit(part.get_absolute_url())
    expect(page.locator("[data-part-said]")).not_to_be_empty()
    if page.locator("[data-part-do=use]").count():  # else the browser itself sent it when the network was back
        page.locator("[data-part-do=use]").click()
        is_saved(page)

    stands(part, "En lång text")


def test_text_that_is_offered_back_never_overwrites_what_others_wrote_meanwhile(open_part, part, saved_by_asker):
    seen = open_part()
    crash_without_network(seen, "Min text")
    saved_by_asker("Deras text")

    page = seen.visit(part.get_absolute_url())
    page.locator("[data-part-do=use]").click()

    expect(page.locator("[data-part-conflict] mark")).to_have_text(["Min ", "Deras "])
    stands(part, "Deras text")


def test_text_that_is_thrown_away_is_not_offered_again(open_part, part):
    seen = open_part()
    crash_without_network(seen, "Bort")

    seen.visit(part.get_absolute_url()).locator("[data-part-do=drop]").click()

    assert seen.page.evaluate(DRAFTS) == 0
    assert seen.visit(part.get_absolute_url()).locator("[data-part-do]").count() == 0


def test_text_of_one_person_is_not_offered_to_another_at_the_same_computer(open_part, part, asker):
    seen = open_part()
    crash_without_network(seen, "Enköpings text")
    seen.let_in(asker)

    page = seen.visit(part.get_absolute_url())

    expect(page.locator("[data-part-said]")).not_to_be_empty()
    assert page.locator("[data-part-do]").count() == 0


def test_session_that_ends_while_one_writes_costs_nothing(open_part, part, owner):
    seen = open_part()
    first = seen.page
    write(first, "Före ")
    is_saved(first)
    seen.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)

    write(first, "och efter")
    trouble = first.locator("[data-part-trouble] .c-save")
    expect(trouble.locator("a")).to_have_attribute("href", "/konto/login/")
    stands(part, "Före")
    seen.page = seen.context.new_page()
    seen.log_in(owner)
    first.bring_to_front()

    expect(trouble).to_have_count(0)
    is_saved(first)
    stands(part, "Före och efter")


def test_last_text_is_stored_when_the_first_saving_is_slow_and_the_page_is_left(open_part, part):
    page = open_part().page
    with transaction.atomic():
        Part.objects.select_for_update().get()
        with page.expect_request("**/api/v1/parts/*/"):
            write(page, "Första")
        write(page, " och sista")
        page.goto(page.url.split("/texter/")[0])

    stands(part, "Första och sista")
    connection.close()


def test_page_that_is_left_at_once_is_saved_without_a_pause(open_part, part):
    page = open_part().page

    write(page, "Snabbt")
    page.goto(page.url.split("/texter/")[0])

    stands(part, "Snabbt")
    page.go_back()
    expect(page.locator("[data-part-form] textarea")).to_have_value("Snabbt")
    assert page.locator("[data-part-do]").count() == 0


def test_what_can_no_longer_be_saved_is_told_in_words_and_kept(open_part, part):
    page = open_part().page
    part.subject.is_closed = True
    part.subject.save()

    write(page, "För sent")

    expect(page.locator("[data-part-reason]")).not_to_be_empty()
    assert page.evaluate(DRAFTS) == 1
    page.reload()
    page.locator("[data-part-do=show]").click()
    assert page.locator("[data-part-text]").inner_text() == "För sent"


def test_pasted_html_becomes_written_text(open_part, part):
    page = open_part().page
    html = (
        "<style>p { color: red }</style><h2 style='color: red'>Rubrik</h2><p onclick='x()'>Hej <b>du</b></p>"
        "<ul><li>Ett</li><li><p>Två</p></li></ul><ol><li>Först</li></ol><img src=x onerror='alert(1)'>"
        "<script>alert(1)</script>"
    )

    page.locator("[data-part-form] textarea").focus()
    page.evaluate(
        """html => {
            const data = new DataTransfer();
            data.setData("text/html", html);
            data.setData("text/plain", "Rubrik Hej du");
            const event = new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
            document.activeElement.dispatchEvent(event);
        }""",
        html,
    )

    is_saved(page)
    stands(part, "## Rubrik\n\nHej du\n\n- Ett\n- Två\n1. Först")
