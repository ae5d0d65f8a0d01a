"""Log-in, new password, second step and sessions, through the portal's own pages and mails."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.test import Client

from records.models import Outgoing
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "fyra-malarstader"


@pytest.fixture(autouse=True)
def no_earlier_attempts():
    cache.clear()


@pytest.fixture
def person(owner):
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    return owner


def log_in(client, person, password=PASSWORD):
    return client.post("/konto/login/", {"login": person.email, "password": password})


def heading(response) -> str:
    return re.search(r"<h1>(.*?)</h1>", response.content.decode(), re.S)[1]


def confirm(client):
    return client.post("/konto/reauthenticate/", {"password": PASSWORD})


def digits(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_log_in_leads_to_the_start_page(client, person):
    response = log_in(client, person)

    assert (response.status_code, response["Location"]) == (302, "/")


def test_wrong_password_and_unknown_address_get_the_same_answer(client, person):
    wrong = log_in(client, person, "inte-rätt-lösenord")
    unknown = log_in(client, UserFactory.build(email="ingen@kommun.example"), "inte-rätt-lösenord")

    texts = [re.findall(r'<a href="#id_login">(.*?)</a>', response.content.decode()) for response in (wrong, unknown)]
    assert (
        texts[0]
        == texts[1]
        == ["E-postadressen och lösenordet hör inte ihop. Kontrollera båda, eller välj ett nytt lösenord."]
    )


def test_too_many_attempts_are_stopped_in_words(client, person):
    for _ in range(5):
        log_in(client, person, "gissning")

    response = log_in(client, person)

    assert response.status_code == 200
    assert (
        "Försök igen om fem minuter."
        in re.search(r'<div class="c-errors".*?</div>', response.content.decode(), re.S)[0]
    )


def test_new_password_by_the_link_in_the_mail(client, person):
    sent = client.post("/konto/password/reset/", {"email": person.email}, follow=True)
    mail = Outgoing.objects.get()
    link = re.search(r"https?://[^/]+(/konto/\S+)", mail.text)[1]
    page = client.get(link, follow=True)
    done = client.post(
        page.request["PATH_INFO"], {"password1": "nytt-och-långt-7", "password2": "nytt-och-långt-7"}, follow=True
    )

    assert heading(sent) == "Titta i din e-post"
    assert (mail.to, mail.subject, mail.language) == (person.email, "Välj ett nytt lösenord", "sv")
    assert heading(page) == "Välj ett nytt lösenord"
    assert heading(done) == "Lösenordet är ändrat"
    assert log_in(client, person, "nytt-och-långt-7").status_code == 302
    assert Outgoing.objects.filter(subject="Du har valt ett nytt lösenord").count() == 1


def test_new_password_for_an_unknown_address_tells_nobody_that_it_is_unknown(client):
    response = client.post("/konto/password/reset/", {"email": "ingen@kommun.example"}, follow=True)

    assert heading(response) == "Titta i din e-post"
    assert [mail.subject for mail in Outgoing.objects.all()] == ["Inget konto med den här adressen"]


def test_old_link_says_what_to_do(client):
    assert heading(client.get("/konto/password/reset/key/1-set-password/")) == "Länken fungerar inte längre"


def test_sign_up_is_closed(client):
    assert heading(client.get("/konto/signup/")) == "Du får ett konto genom inbjudan"


def test_second_step_with_an_app_and_recovery_codes(client, person, settings):
    log_in(client, person)
    client.get("/konto/2fa/totp/activate/")
    confirm(client)
    page = client.get("/konto/2fa/totp/activate/")
    secret = page.context["form"].secret
    code = digits(secret)
    settings.MFA_TOTP_TOLERANCE = 1  # the half minute of the code may be over when it is read
    on = client.post("/konto/2fa/totp/activate/", {"code": code}, follow=True)
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    shown = client.get("/konto/2fa/recovery-codes/").content.decode()
    file = client.get("/konto/2fa/recovery-codes/download/")
    client.post("/konto/logout/")
    step = client.post("/konto/login/", {"login": person.email, "password": PASSWORD}, follow=True)
    entered = client.post("/konto/2fa/authenticate/", {"code": codes[0]})

    groups = [secret[start : start + 4] for start in range(0, len(secret), 4)]
    assert "".join(f"<span>{group}</span> " for group in groups) in page.content.decode()
    assert on.status_code == 200
    assert "De gamla" not in on.content.decode()
    assert all(code in shown for code in codes)
    assert file.content.decode().split() == codes
    assert heading(step) == "Ett steg till"
    assert "Använd passnyckel" not in step.content.decode()
    assert (entered.status_code, entered["Location"]) == (302, "/")
    assert heading(client.get("/konto/2fa/")) == "Du loggar in i två steg"


def test_sessions_are_listed_and_ended(client, person):
    elsewhere = Client(headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"})
    log_in(elsewhere, person)
    log_in(client, person)

    page = client.get("/konto/sessions/")
    client.post("/konto/sessions/")

    assert heading(page) == "Du är inloggad på två ställen"
    assert "Firefox, Windows" in page.content.decode()
    assert elsewhere.get("/").status_code == 302
    assert client.get("/").status_code == 200


def test_address_is_changed_when_the_link_is_followed(client, person):
    log_in(client, person)
    client.get("/konto/email/")
    confirm(client)
    page = client.post("/konto/email/", {"email": "ny@kommun.example", "action_add": ""}, follow=True)
    mail = Outgoing.objects.get(to="ny@kommun.example")
    link = re.search(r"https?://[^/]+(/konto/\S+)", mail.text)[1]
    asked = client.get(link)
    client.post(link)

    assert "ny@kommun.example" in page.content.decode()
    assert heading(asked) == "Bekräfta din e-postadress"
    person.refresh_from_db()
    assert person.email == "ny@kommun.example"


def test_mails_are_in_the_readers_language(client, person):
    person.language = "en"
    person.save()

    client.post("/konto/password/reset/", {"email": person.email}, headers={"Accept-Language": "sv"})

    mail = Outgoing.objects.get()
    assert mail.subject == "Choose a new password"
    assert mail.text.startswith("You, or someone else, asked for a new password")
    assert mail.text.endswith("Regards\ncollab4m\n")


def test_too_many_new_passwords_are_stopped_by_a_designed_page(client, person):
    statuses = [client.post("/konto/password/reset/", {"email": person.email}).status_code for _ in range(5)]

    response = client.post("/konto/password/reset/", {"email": person.email})

    assert (statuses, response.status_code) == ([302] * 5, 429)
    assert heading(response) == "För många försök"


@pytest.mark.parametrize(
    ("old", "first", "second", "said"),
    [
        (PASSWORD, "tre-nya-ord-i-rad", "tre-andra-ord-i-rad", "Lösenorden är olika. Skriv samma lösenord två gånger."),
        (PASSWORD, PASSWORD, PASSWORD, "Det lösenordet har du redan. Välj ett annat."),
        ("fel", "tre-nya-ord-i-rad", "tre-nya-ord-i-rad", "Det är inte ditt lösenord."),
        (PASSWORD, "kort", "kort", "Skriv minst 12 tecken."),
        (PASSWORD, "password1234", "password1234", "Många använder det lösenordet"),
        (PASSWORD, "9283746501928", "9283746501928", "Lägg till bokstäver."),
    ],
)
def test_refused_password_says_what_to_do(client, person, old, first, second, said):
    log_in(client, person)

    page = client.post("/konto/password/change/", {"oldpassword": old, "password1": first, "password2": second})

    assert said in page.content.decode()
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_changed_password_leads_to_ones_own_page_and_ends_the_other_sessions(client, person):
    elsewhere = Client()
    log_in(elsewhere, person)
    log_in(client, person)
    new = "tre-nya-ord-i-rad"

    page = client.post(
        "/konto/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new}, follow=True
    )

    assert page.redirect_chain == [("/konto/jag/", 302)]
    assert "Lösenordet är ändrat" in page.content.decode()
    assert elsewhere.get("/").status_code == 302


def test_key_is_asked_for_in_plain_words(client, person):
    log_in(client, person)
    client.get("/konto/2fa/webauthn/add/")
    confirm(client)

    page = client.get("/konto/2fa/webauthn/add/").content.decode()

    assert "Nyckelns namn" in page
    assert "Då behöver du inget lösenord här." in page
