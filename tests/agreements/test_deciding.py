"""Decisions through their pages: each board for itself, about one content, in the right order, once."""

import threading
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction

from agreements.models import Party, Referral, Revision, RevisionState, Term
from agreements.operations import AlreadyDecided, StillOpen, answer_referral, parts_of_revision, send_to_decision
from collab4m.clock import today
from records.models import Attachment, Decision, Event, Outgoing, Part, SignOff, Version
from records.operations import PartClosed, save_part
from tests.agreements.stories import (
    building,
    decide,
    draft,
    fill_in,
    on_referral,
    party_of,
    revision_of,
    sign_for,
    signed,
    to_decision,
)
from tests.factories import BoardFactory, MembershipFactory, MunicipalityFactory, RoleFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def board(home):
    return BoardFactory(
        municipality=home,
        name="utbildningsnämnden",
        case_number_pattern="UAN{år}/{nr}",
        case_number_example="UAN2022/17",
    )


@pytest.fixture
def agreement(area, home, neighbour, board, owner, asker):
    made = draft(area, [home, neighbour], owner, programme=building())
    fill_in(made)
    return made


def address(agreement, page, municipality=None):
    party = f"{party_of(agreement, municipality).pk}/" if municipality else ""
    return f"{agreement.get_absolute_url()}{page}/{party}"


def given(sha256, board="other", **more):
    """What the form sends when all is filled in."""
    values = {
        "content_sha256": sha256,
        "board": str(getattr(board, "pk", board)),
        "board_name": "" if hasattr(board, "pk") else "Kommunfullmäktige",
        "result": "approved",
        "day": today().isoformat(),
        "paragraph": "§ 84",
        "case_number": "UAN2022/17",
    }
    return values | more


def counts():
    states = list(Revision.objects.order_by("pk").values_list("pk", "state", "version"))
    rows = (Decision, Version, SignOff, Attachment, Referral, Event, Outgoing)
    return [states, *(model.objects.count() for model in rows)]


# To decision


def test_sending_to_decision_needs_a_tick_and_locks_the_text(client, agreement, owner):
    client.force_login(owner)
    assert client.post(address(agreement, "till-beslut"), {}).status_code == 200
    assert revision_of(agreement).state == RevisionState.DRAFT

    answer = client.post(address(agreement, "till-beslut"), {"sure": "on"})

    assert answer.url == agreement.get_absolute_url()
    revision = revision_of(agreement)
    assert (revision.state, revision.version.number) == (RevisionState.DECIDING, 1)


def test_what_stands_in_the_way_is_named_with_the_way_there(client, area, home, neighbour, owner, asker, agreement):
    signed(agreement)
    programme = agreement.revisions.get().terms.get().programme
    rival = draft(area, [home, neighbour], owner, programme=programme, title="Samma igen")
    fill_in(rival)
    part = next(part for part in parts_of_revision(revision_of(rival)) if part.key == "syfte")
    save_part(part, text="Syftet är [syfte].", base_version=part.version, by=owner, on_behalf_of=home.body)
    on_referral(rival)
    answer_referral(
        party_of(rival, neighbour),
        kind="change_wanted",
        section="resor",
        text="Höj.",
        by=asker,
        on_behalf_of=neighbour.body,
    )
    client.force_login(owner)
    before = counts()

    page = client.get(address(rival, "till-beslut"))
    refused = client.post(address(rival, "till-beslut"), {"sure": "on"})

    assert [broken.code for broken, _about in page.context["hindrances"]] == [
        "answers_open",
        "still_open",
        "cover_taken",
    ]
    text = page.content.decode()
    assert f'href="{part.get_absolute_url()}"' in text
    assert f'href="{agreement.get_absolute_url()}"' in text
    assert (refused.status_code, counts()) == (200, before)


# The decision


def test_each_party_records_its_own_board(client, agreement, home, neighbour, board, owner, asker, committee):
    sha256 = to_decision(agreement)
    client.force_login(committee)
    page = client.get(address(agreement, "beslut", home))
    assert sha256[:4] in page.content.decode()

    client.post(
        address(agreement, "beslut", home),
        given(sha256, board) | {"document": SimpleUploadedFile("protokoll.pdf", b"%PDF-1.7 beslut")},
    )
    assert client.post(address(agreement, "beslut", neighbour), given(sha256)).status_code == 403
    client.force_login(asker)
    client.post(address(agreement, "beslut", neighbour), given(sha256, case_number="Dnr 5"))

    rows = Decision.objects.order_by("pk").values_list("body", "board_name", "case_number", "document__name")
    assert list(rows) == [
        (home.pk, "utbildningsnämnden", "UAN2022/17", "protokoll.pdf"),
        (neighbour.pk, "Kommunfullmäktige", "Dnr 5", None),
    ]
    assert revision_of(agreement).state == RevisionState.SIGNING
    assert Party.objects.get(municipality=neighbour).case_number == "Dnr 5"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"board": ""}, "board"),
        ({"board": "999"}, "board"),
        ({"board": "other", "board_name": ""}, "board_name"),
        ({"result": "kanske"}, "result"),
        ({"result": "remitted", "remark": ""}, "remark"),
        ({"day": "i går"}, "day"),
        ({"day": (today() + timedelta(days=2)).isoformat()}, "day"),
        ({"paragraph": ""}, "paragraph"),
        ({"case_number": ""}, "case_number"),
        ({"case_number": "17/2022"}, "case_number"),
        ({"final_on": "2001-01-01"}, "final_on"),
        ({"document": SimpleUploadedFile("virus.exe", b"MZ\x90")}, "document"),
        ({"document": SimpleUploadedFile("tom.pdf", b"")}, "document"),
        ({"document": SimpleUploadedFile("falsk.pdf", b"<html>")}, "document"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_lost(client, agreement, home, board, owner, wrong, field):
    sha256 = to_decision(agreement)
    client.force_login(owner)
    before = counts()

    answer = client.post(
        address(agreement, "beslut", home), given(sha256, board) | {"remark": "Med en anmärkning."} | wrong
    )

    assert answer.status_code == 200
    assert field in answer.context["form"].errors
    assert counts() == before
    if "remark" not in wrong:
        assert "Med en anmärkning." in answer.content.decode()


def test_a_document_that_is_too_large_is_told_at_its_field(client, agreement, home, board, owner, settings):
    sha256 = to_decision(agreement)
    settings.UPLOAD_BYTES = 1000
    client.force_login(owner)

    answer = client.post(
        address(agreement, "beslut", home),
        given(sha256, board) | {"document": SimpleUploadedFile("stor.pdf", b"%PDF-1.7" + b"x" * 2000)},
    )

    assert "document" in answer.context["form"].errors
    assert not Decision.objects.exists()


# Versions


def test_what_is_sent_back_becomes_the_next_version_and_earlier_decisions_stay_with_theirs(
    client, agreement, home, neighbour, board, owner, asker
):
    first = to_decision(agreement)
    decide(agreement, home, first)
    client.force_login(asker)
    client.post(address(agreement, "beslut", neighbour), given(first, result="remitted", remark="Höj till 14."))
    assert revision_of(agreement).state == RevisionState.DRAFT
    page = client.get(agreement.get_absolute_url()).content.decode()
    assert "återremitterade version 1" in page
    fill_in(agreement, notice_months=24)
    second = to_decision(agreement)

    client.force_login(owner)
    answer = client.post(address(agreement, "beslut", home), given(first, board, remark="Skrivet om den gamla."))

    assert answer.status_code == 409
    assert "Skrivet om den gamla." in answer.content.decode()
    assert Version.objects.get(content_sha256=second).get_absolute_url() in answer.content.decode()
    assert Decision.objects.filter(content_sha256=second).count() == 0
    page = client.get(agreement.get_absolute_url())
    assert [one.number for one, _rows in page.context["earlier"]] == [1]
    assert page.context["wait"].names == "Enköping och Västerås"


@pytest.mark.parametrize("sha256", ["", "0" * 64, "f" * 64, "å", "x" * 500])
def test_a_decision_about_no_known_content_is_refused(client, agreement, home, board, owner, sha256):
    to_decision(agreement)
    client.force_login(owner)
    before = counts()

    answer = client.post(address(agreement, "beslut", home), given(sha256, board))

    assert answer.status_code in (200, 409)
    assert counts() == before


# Correcting, and filling in


def test_a_decision_is_corrected_until_signing(client, agreement, home, neighbour, board, owner):
    sha256 = to_decision(agreement)
    client.force_login(owner)
    client.post(address(agreement, "beslut", home), given(sha256, board))
    page = client.get(address(agreement, "beslut", home))
    standing = Decision.objects.get()
    assert page.context["form"]["corrects"].value() == standing.pk

    lost = client.post(address(agreement, "beslut", home), given(sha256, board, paragraph="§ 85"))
    assert (lost.status_code, Decision.objects.count()) == (409, 1)
    client.post(address(agreement, "beslut", home), given(sha256, board, paragraph="§ 85", corrects=standing.pk))

    assert Decision.objects.standing().get().paragraph == "§ 85"
    assert Event.objects.filter(name="agreement.decision_corrected").count() == 1


def test_once_signing_has_begun_only_what_was_empty_is_filled_in(client, agreement, home, neighbour, board, owner):
    sha256 = to_decision(agreement)
    decide(agreement, home, sha256, board=board, board_name="", case_number="UAN2022/17")
    decide(agreement, neighbour, sha256)
    standing = Decision.objects.get(body=home.pk)
    client.force_login(owner)
    before = counts()
    changed = given(sha256, board, paragraph="§ 99", corrects=standing.pk)
    assert client.post(address(agreement, "beslut", home), changed).status_code == 409
    assert counts() == before
    page = client.get(address(agreement, "beslut", home))
    assert set(page.context["form"].fields) == {"content_sha256", "corrects", "final_on", "remark", "document"}

    client.post(
        address(agreement, "beslut", home),
        {
            "content_sha256": sha256,
            "corrects": standing.pk,
            "final_on": today().isoformat(),
            "document": SimpleUploadedFile("protokoll.pdf", b"%PDF-1.7"),
        },
    )

    now = Decision.objects.standing().get(body=home.pk)
    assert (now.final_on, now.paragraph, now.document.name) == (today(), "§ 84", "protokoll.pdf")
    again = {"content_sha256": sha256, "corrects": now.pk, "final_on": "2020-01-01"}
    assert client.post(address(agreement, "beslut", home), again).status_code == 200
    assert Decision.objects.standing().get(body=home.pk).final_on == today()


# Case numbers


def test_the_case_number_is_checked_by_the_boards_pattern(client, agreement, home, neighbour, board, committee):
    on_referral(agreement)
    client.force_login(committee)
    page = address(agreement, "diarienummer", home)

    assert client.post(page, {"case_number": "17", "board": board.pk}).status_code == 200
    assert Party.objects.get(municipality=home).case_number == ""
    meets_on = today() + timedelta(days=14)
    client.post(page, {"case_number": "UAN2022/17", "board": board.pk, "meets_on": meets_on.isoformat()})

    party = Party.objects.get(municipality=home)
    assert (party.case_number, party.board, party.meets_on) == ("UAN2022/17", board, meets_on)
    assert client.get(address(agreement, "diarienummer", neighbour)).status_code == 403


# Wrong order


def wrong_orders(agreement, home):
    """What is not done while the agreement is a draft with something open, by any hand."""
    return [
        (address(agreement, "beslut", home), given("0" * 64)),
        (address(agreement, "till-beslut"), {"sure": "on"}),
        (address(agreement, "svar"), {"quick": "1"}),
        (address(agreement, "ta-tillbaka"), {"reason": "Fel ordning."}),
    ]


@pytest.mark.parametrize("who", ["owner", "asker", "two_homes", "committee", "system_administrator", "outsider"])
def test_a_draft_with_something_open_is_neither_decided_nor_sent(client, request, area, home, neighbour, who, owner):
    user = request.getfixturevalue(who)
    agreement = draft(area, [home, neighbour], owner, programme=building())
    client.force_login(user)
    before = counts()

    met = {client.post(page, data).status_code for page, data in wrong_orders(agreement, home)}

    assert met <= {200, 302, 403, 404, 409}
    assert counts() == before


@pytest.mark.parametrize("who", ["owner", "committee", "system_administrator"])
def test_what_is_signed_is_not_decided_sent_or_taken_back_again(client, request, agreement, home, board, who):
    user = request.getfixturevalue(who)
    signed(agreement)
    sha256 = Version.objects.get().content_sha256
    client.force_login(user)
    before = counts()

    for page, data in [
        (address(agreement, "beslut", home), given(sha256, board)),
        (address(agreement, "beslut", home), given(sha256, board, result="rejected", remark="Nej.")),
        (address(agreement, "till-beslut"), {"sure": "on"}),
        (address(agreement, "remiss"), {"last_day": (today() + timedelta(days=5)).isoformat()}),
        (address(agreement, "ta-tillbaka"), {"reason": "Fel."}),
    ]:
        assert client.post(page, data).status_code in (403, 404, 409), page
    assert counts() == before


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE records_decision SET result = 'rejected'",
        "DELETE FROM records_decision",
        "UPDATE agreements_revision SET state = 'signed', signed_at = now()",
        "UPDATE agreements_revision SET notice_months = 1",
        "UPDATE agreements_revision SET state = 'referral'",
        "DELETE FROM agreements_revision",
        "UPDATE agreements_term SET seats = 99",
        "DELETE FROM agreements_term",
        "UPDATE agreements_agreement SET title = 'Ett annat'",
    ],
)
def test_the_database_refuses_what_the_pages_refuse(agreement, home, sql):
    decide(agreement, home, to_decision(agreement))

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)

    assert (Decision.objects.count(), revision_of(agreement).state) == (1, RevisionState.DECIDING)
    assert Term.objects.get().seats == 10


# At once


def at_once(*rivals):
    """Start every rival at the same instant; what each answered or raised."""
    gate, answers = threading.Barrier(len(rivals)), [None] * len(rivals)

    def run(place):
        try:
            gate.wait()
            answers[place] = rivals[place]()
        except Exception as error:
            answers[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(rivals))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
        assert not thread.is_alive(), "a rival never came back"
    return answers


def between_two():
    membership = MembershipFactory(municipality=MunicipalityFactory())
    parties = [membership.municipality, MembershipFactory(area=membership.area).municipality]
    users = [RoleFactory(kind="administrator", body=one.body).user for one in parties]
    agreement = draft(membership.area, parties, users[0], programme=building())
    fill_in(agreement)
    return agreement, parties, users


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_decisions_for_a_party_at_once_one_is_on_record():
    agreement, parties, _users = between_two()
    sha256 = to_decision(agreement)

    answers = at_once(
        lambda: decide(agreement, parties[0], sha256, paragraph="§ 1"),
        lambda: decide(agreement, parties[0], sha256, paragraph="§ 2"),
    )

    assert sorted(type(answer) for answer in answers if isinstance(answer, Exception)) == [AlreadyDecided]
    assert Decision.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_text_saved_as_it_is_sent_to_decision_is_in_it_or_refused():
    agreement, parties, users = between_two()
    part = next(part for part in parts_of_revision(revision_of(agreement)) if part.key == "syfte")

    def write():
        text = "Syftet är [inte bestämt]."
        return save_part(part, text=text, base_version=part.version, by=users[0], on_behalf_of=parties[0].body)

    sending, writing = at_once(lambda: send_to_decision(agreement, by=users[0], on_behalf_of=parties[0].body), write)

    saved = Part.objects.get(pk=part.pk).text
    if isinstance(writing, PartClosed):
        assert not isinstance(sending, Exception)
        assert "inte bestämt" not in saved
    else:
        assert isinstance(sending, StillOpen), sending
        assert revision_of(agreement).state == RevisionState.DRAFT


def test_signing_follows_the_last_approval(client, agreement, home, neighbour, board, owner):
    sha256 = to_decision(agreement)
    decide(agreement, neighbour, sha256)
    client.force_login(owner)

    answer = client.post(address(agreement, "beslut", home), given(sha256, board), follow=True)

    assert "kan skrivas under nu" in answer.content.decode()
    assert sign_for(agreement, home, sha256).content_sha256 == sha256
