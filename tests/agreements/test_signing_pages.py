"""The pages of signing, copies and public access: what comes back, and what a double click or a stale page meets."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.files.uploadedfile import SimpleUploadedFile

from agreements.models import ArchiveCopy, Disclosure, RevisionState, SignatureRequest
from records.models import SignOff
from tests.agreements.signing_pages import SCAN, disclosed, to_sign, with_copies
from tests.agreements.stories import approved, building, draft, fill_in, party_of, revision_of, sign_for
from tests.factories import MembershipFactory, RoleFactory

SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def agreement(area, home, neighbour, owner, asker):
    return to_sign(area, home, neighbour, owner, asker)


def address(agreement, way="") -> str:
    return f"/avtal/{agreement.pk}/skriv-under/{way and way + '/'}"


def confirmed(client, user, *, minutes_ago: int = 0) -> None:
    """Logged in, with a second step taken in this session."""
    TOTP.activate(user, SECRET)
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": time.time() - 60 * minutes_ago}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()


def filled(agreement, **more) -> dict:
    sha256 = revision_of(agreement).version.content_sha256
    return {"content_sha256": sha256, "signed_as": "Nämndens ordförande", "sure": "on"} | more


def test_one_signs_logged_in_with_a_second_step(client, agreement, home, owner):
    confirmed(client, owner)

    answer = client.post(address(agreement, "inloggad"), filled(agreement))

    assert (answer.status_code, answer["Location"]) == (302, f"/avtal/{agreement.pk}/")
    sign_off = SignOff.objects.get()
    assert (sign_off.method, sign_off.body_id, sign_off.by) == ("second_factor", home.pk, owner)
    assert set(sign_off.evidence) == {"second_factor_at"}


@pytest.mark.parametrize("minutes_ago", [None, 16])
def test_without_a_recent_second_step_nothing_is_signed(client, agreement, owner, minutes_ago):
    if minutes_ago is None:
        client.force_login(owner)
    else:
        confirmed(client, owner, minutes_ago=minutes_ago)

    page = client.get(address(agreement, "inloggad")).content.decode()
    answer = client.post(address(agreement, "inloggad"), filled(agreement))

    assert answer.status_code == 200
    assert not SignOff.objects.exists()
    assert ('href="/konto/2fa/"' in page) is (minutes_ago is None)
    assert ("/konto/2fa/reauthenticate/?next=" in page) is (minutes_ago is not None)


def test_the_second_step_of_somebody_else_counts_for_nothing(client, agreement, owner, asker):
    confirmed(client, owner)
    session = client.session
    session["account_authentication_methods_user"] = str(asker.pk)
    session.save()

    client.post(address(agreement, "inloggad"), filled(agreement))

    assert not SignOff.objects.exists()


def test_the_second_step_is_taken_and_leads_back_with_what_was_typed(client, agreement, owner, settings):
    TOTP.activate(owner, SECRET)
    client.force_login(owner)
    page = client.post(address(agreement, "inloggad"), filled(agreement, signed_as="Rådets ordförande"))
    confirm = page.context["confirm"]
    code = format_hotp_value(hotp_value(SECRET, next(iter(yield_hotp_counters_from_time()))))
    settings.MFA_TOTP_TOLERANCE = 1  # the half minute of the code may be over when it is read

    back = client.post(
        "/konto/2fa/reauthenticate/", {"code": code, "next": parse_qs(urlsplit(confirm).query)["next"][0]}
    )

    assert back.status_code == 302
    page = client.get(back["Location"])
    assert page.context["is_confirmed"]
    assert page.context["form"]["signed_as"].value() == "Rådets ordförande"


def test_a_key_alone_is_confirmed_on_its_own_page(client, agreement, owner):
    Authenticator.objects.create(user=owner, type=Authenticator.Type.WEBAUTHN, data={})
    client.force_login(owner)

    page = client.get(address(agreement, "inloggad"))

    assert page.context["confirm"].startswith("/konto/2fa/webauthn/reauthenticate/")


def test_a_signature_on_paper_is_registered_with_its_scan(client, agreement, asker, neighbour):
    client.force_login(asker)
    scan = SimpleUploadedFile("../skannad sida.PDF", SCAN)

    answer = client.post(address(agreement, "papper"), filled(agreement, day="2022-06-01", document=scan))

    assert answer.status_code == 302
    sign_off = SignOff.objects.get()
    assert (sign_off.method, sign_off.body_id, sign_off.day.isoformat()) == ("paper", neighbour.pk, "2022-06-01")
    assert sign_off.document.name == "skannad sida.pdf"


@pytest.mark.parametrize(
    ("typed", "blamed"),
    [
        ({"signed_as": ""}, "signed_as"),
        ({"sure": ""}, "sure"),
        ({"day": "3022-01-01"}, "day"),
        ({"day": "2099-01-01"}, "day"),
        ({"day": "i går"}, "day"),
        ({"document": SimpleUploadedFile("a.exe", b"MZ")}, "document"),
        ({"document": ""}, "document"),
        ({"content_sha256": "0" * 64}, "__all__"),
        ({"content_sha256": ""}, "content_sha256"),
        ({"signed_as": "x" * 151}, "signed_as"),
    ],
)
def test_what_is_wrong_with_a_signature_on_paper_is_told_and_nothing_signed(client, agreement, owner, typed, blamed):
    client.force_login(owner)
    scan = SimpleUploadedFile("a.pdf", SCAN)

    answer = client.post(address(agreement, "papper"), filled(agreement, day="2022-06-01", document=scan) | typed)

    assert answer.status_code == 200
    assert blamed in answer.context["form"].errors
    assert not SignOff.objects.exists()


def test_a_double_click_on_the_last_signature_is_answered_kindly(client, agreement, home, neighbour, owner):
    sign_for(agreement, neighbour, filled(agreement)["content_sha256"])
    confirmed(client, owner)
    sent = filled(agreement)

    first, second = (client.post(address(agreement, "inloggad"), sent) for _time in range(2))

    assert [first["Location"], second["Location"]] == [f"/avtal/{agreement.pk}/"] * 2
    assert revision_of(agreement).state == RevisionState.SIGNED
    assert SignOff.objects.count() == 2


def test_a_double_click_on_the_first_signature_leads_back(client, agreement, owner):
    confirmed(client, owner)
    sent = filled(agreement)

    statuses = [client.post(address(agreement, "inloggad"), sent)["Location"] for _time in range(2)]

    assert statuses == [f"/avtal/{agreement.pk}/", address(agreement)]
    assert SignOff.objects.count() == 1


def test_one_with_two_homes_chooses_for_whom(client, agreement, two_homes, neighbour):
    confirmed(client, two_homes)

    missing = client.post(address(agreement, "inloggad"), filled(agreement))
    assert "on_behalf_of" in missing.context["form"].errors
    client.post(address(agreement, "inloggad"), filled(agreement, on_behalf_of=neighbour.pk))

    assert SignOff.objects.get().body_id == neighbour.pk


def test_a_draft_has_nothing_to_sign(client, area, home, neighbour, owner):
    found = draft(area, [home, neighbour], owner)
    client.force_login(owner)

    for way in ("", "inloggad", "papper"):
        assert client.get(address(found, way))["Location"] == f"/avtal/{found.pk}/"


def test_a_way_that_there_is_none_of_is_not_found(client, agreement, owner):
    client.force_login(owner)

    assert [client.get(address(agreement, way)).status_code for way in ("tjanst", "fax")] == [404, 404]


def test_the_service_is_asked_shown_and_taken_back(client, settings, agreement, home, owner, asker):
    settings.SIGNING_SERVICE_URL = "http://127.0.0.1:9"
    client.force_login(owner)

    sent = client.post(address(agreement, "tjanst"), filled(agreement, email="ordf@kommun.example"))
    asked = SignatureRequest.objects.get()
    assert sent["Location"] == address(agreement)
    again = client.post(address(agreement, "tjanst"), filled(agreement, email="ordf@kommun.example"))
    assert "__all__" in again.context["form"].errors
    page = client.get(address(agreement)).content.decode()
    assert f"/skriv-under/tjanst/{asked.pk}/ta-tillbaka/" in page
    client.force_login(asker)
    assert f"/skriv-under/tjanst/{asked.pk}/" not in client.get(address(agreement)).content.decode()
    client.force_login(owner)
    client.post(f"{address(agreement, 'tjanst')}{asked.pk}/ta-tillbaka/")
    client.post(f"{address(agreement, 'tjanst')}{asked.pk}/ta-tillbaka/")

    asked.refresh_from_db()
    assert asked.state == "aborted"


@pytest.mark.parametrize("bad", ["", "0", "3", "x", "1" * 30])
def test_a_place_in_the_order_that_is_none_is_asked_for_again(client, agreement, home, neighbour, owner, bad):
    client.force_login(owner)

    answer = client.post(f"/avtal/{agreement.pk}/ordning/", {f"plats-{home.pk}": bad, f"plats-{neighbour.pk}": "1"})

    assert f"plats-{home.pk}" in answer.context["form"].errors


def test_the_order_is_saved_until_somebody_has_signed(client, agreement, home, neighbour, owner):
    client.force_login(owner)
    sent = {f"plats-{home.pk}": "2", f"plats-{neighbour.pk}": "1"}

    assert client.post(f"/avtal/{agreement.pk}/ordning/", sent).status_code == 302
    sign_for(agreement, neighbour, filled(agreement)["content_sha256"])
    answer = client.post(f"/avtal/{agreement.pk}/ordning/", {**sent, f"plats-{home.pk}": "1"})

    assert answer.context["form"].errors
    assert not answer.context["may_change"]
    assert party_of(agreement, home).signing_order == 2


def test_a_copy_is_confirmed_once(client, area, home, neighbour, owner, asker):
    with_copies(area, home, neighbour, owner, asker)
    copy = ArchiveCopy.objects.get(party__municipality=home)
    client.force_login(RoleFactory(kind="committee", body=home.body).user)

    for _time in range(2):
        assert client.post(f"/avtal/kopior/{copy.pk}/").status_code == 302
    page = client.get(f"/avtal/kopior/{copy.pk}/")

    copy.refresh_from_db()
    assert copy.received_at
    assert copy.rendition.get_absolute_url() in page.content.decode()
    client.force_login(asker)
    assert client.post(f"/avtal/kopior/{copy.pk}/").status_code == 404


def test_documents_are_handed_out_and_logged(client, area, home, neighbour, owner, asker, committee):
    found = with_copies(area, home, neighbour, owner, asker)
    type(found).objects.filter(pk=found.pk).update(secrecy_note="Bilaga 2 kan röra enskilda.")
    client.force_login(owner)
    page = client.get(f"/avtal/{found.pk}/lamna-ut/")
    assert "Bilaga 2 kan röra enskilda." in page.content.decode()
    sent = {"seen": page.context["form"]["seen"].value(), "note": "På papper", "sure": "on"}

    unsure = client.post(f"/avtal/{found.pk}/lamna-ut/", {**sent, "sure": ""})
    stale = client.post(f"/avtal/{found.pk}/lamna-ut/", {**sent, "seen": "0" * 64})
    assert not Disclosure.objects.exists()
    assert client.post(f"/avtal/{found.pk}/lamna-ut/", sent)["Location"] == f"/avtal/{found.pk}/utlamnanden/"

    assert "sure" in unsure.context["form"].errors
    assert stale.context["form"]["seen"].value() == sent["seen"]
    disclosure = Disclosure.objects.get()
    client.force_login(committee)
    log = client.get(f"/avtal/{found.pk}/utlamnanden/").content.decode()
    assert "På papper" in log
    file = client.get(f"/avtal/{found.pk}/utlamnanden/{disclosure.pk}/")
    assert (file["Content-Type"], file.content[:2]) == ("application/zip", b"PK")
    assert client.get(f"/avtal/{found.pk}/utlamnanden/{disclosure.pk + 1}/").status_code == 404
    assert client.post(f"/avtal/{found.pk}/lamna-ut/", sent).status_code == 403


@pytest.mark.parametrize("count", [1, 3])
def test_the_log_costs_the_same_however_long(
    client, area, home, neighbour, owner, asker, count, django_assert_num_queries
):
    found = with_copies(area, home, neighbour, owner, asker)
    for _number in range(count):
        disclosed(found, home, owner)
    client.force_login(owner)
    client.get("/")

    with django_assert_num_queries(9):
        client.get(f"/avtal/{found.pk}/utlamnanden/")


@pytest.mark.parametrize("count", [2, 4])
def test_the_page_of_signing_costs_the_same_however_many_parties(
    client, area, home, neighbour, owner, asker, count, django_assert_num_queries
):
    more = [MembershipFactory(area=area).municipality for _number in range(count - 2)]
    found = draft(area, [home, neighbour, *more], owner, programme=building())
    fill_in(found)
    approved(found)
    client.force_login(owner)
    client.get("/")

    with django_assert_num_queries(12):
        client.get(address(found))
