"""Log-in and the frame, by keyboard alone and under the real Content-Security-Policy."""

import re

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import expect

from organisations.operations import invite_person
from records.models import Outgoing
from tests.browser.conftest import PASSWORD, axe

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def focused(page) -> str:
    return page.evaluate("(document.activeElement.textContent || document.activeElement.name || '').trim()")


def past_the_band(page) -> None:
    """Enter on the first link, and the content has focus: the browser moves it when it next draws."""
    page.keyboard.press("Enter")
    expect(page.locator("#innehall")).to_be_focused()


def test_log_in_by_keyboard_alone(window, owner):
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    page = window().visit("/konto/login/")

    page.keyboard.press("Tab")
    assert focused(page) == "Hoppa till innehållet"
    past_the_band(page)
    page.keyboard.press("Tab")
    page.keyboard.type(owner.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    assert focused(page) == "Logga in"
    page.keyboard.press("Enter")

    page.wait_for_url("**/")
    assert page.locator(".c-who").inner_text() == "Du arbetar som Enköping, handläggare"


def test_invitation_is_accepted_by_keyboard_alone(window, system_administrator, home):
    invite_person(
        email="ny@kommun.example", name="Ny Person", kind="administrator", body=home.body, by=system_administrator
    )
    link = re.search(r"https?://[^/\s]+(/inbjudan/\S+)", Outgoing.objects.get(to="ny@kommun.example").text)[1]
    page = window().visit(link)

    page.keyboard.press("Tab")
    past_the_band(page)
    for _ in range(12):
        page.keyboard.press("Tab")
        field = page.evaluate("document.activeElement.type")
        if field == "password":
            page.keyboard.type("ett-eget-lösenord-9")
        if field == "submit":
            break
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r":\d+/(#innehall)?$"))
    assert page.locator(".c-who").inner_text() == "Du arbetar som Enköping, handläggare"


def test_failed_log_in_takes_focus_to_the_summary_and_from_there_to_the_field(window):
    seen = window(bypass_csp=True)
    page = seen.visit("/konto/login/")

    page.get_by_role("button", name="Logga in", exact=True).click()

    expect(page).to_have_title("Fel: Logga in – collab4m")
    summary = page.locator("[data-take-focus]")
    expect(summary).to_be_focused()
    assert summary.locator("h2").inner_text() == "Två uppgifter behöver rättas"
    summary.locator("a").first.press("Enter")
    expect(page.locator("#id_login")).to_be_focused()
    assert page.locator("#id_login").get_attribute("aria-invalid") == "true"
    assert page.locator("#id_login").get_attribute("aria-describedby") == "id_login_error"
    assert axe(page) == []


def test_passkey_is_made_and_then_logs_in_without_a_password(window, owner):
    seen = window(owner)
    tool = seen.context.new_cdp_session(seen.page)
    tool.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    tool.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    seen.visit("/konto/2fa/webauthn/add/")
    page = seen.confirm()
    page.locator("#id_name").fill("Min dator")
    page.locator("#id_passwordless").check()
    page.get_by_role("button", name="Lägg till nyckeln").click()
    page.wait_for_url(lambda url: "/add/" not in url)
    page.get_by_role("button", name="Logga ut").first.click()
    page.wait_for_url("**/konto/login/")
    page.get_by_role("button", name="Logga in med passnyckel").click()

    page.wait_for_url(seen.address + "/")
    assert page.locator(".c-who").inner_text() == "Du arbetar som Enköping, handläggare"


def test_appearance_switch_is_kept_to_the_next_page(window):
    seen = window(color_scheme="light")
    page = seen.visit("/konto/login/")

    page.get_by_role("button", name="Mörkt utseende").click()
    page = seen.visit("/konto/password/reset/")

    expect(page.locator("html")).to_have_attribute("data-color-scheme", "dark")
    expect(page.get_by_role("button", name="Mörkt utseende")).to_have_attribute("aria-pressed", "true")


def test_menu_of_a_small_screen_closes_with_escape_and_gives_focus_back(window, owner):
    seen = window(owner)
    page = seen.page
    page.set_viewport_size({"width": 390, "height": 800})

    page.locator(".c-menu > summary").press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")

    expect(page.locator(".c-menu")).not_to_have_attribute("open", "")
    expect(page.locator(".c-menu > summary")).to_be_focused()


def test_log_in_and_reading_work_without_javascript(window, owner):
    seen = window(owner, java_script_enabled=False)

    page = seen.visit("/sok/?q=zzzz")

    assert page.locator("h1").inner_text() == "Inget liknar ”zzzz”"
    page.get_by_role("button", name="Logga ut").first.click()
    page.wait_for_url("**/konto/login/")
