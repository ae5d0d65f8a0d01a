"""Signing: in order, once for each party, on the decided content alone; what is signed is changed by nobody."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import DatabaseError, connection, transaction

from agreements.models import Cover, RevisionState
from agreements.operations import (
    NotYourParty,
    NotYourTurn,
    OldContent,
    SecondFactorNeeded,
    SignatureRefused,
    SignedAlready,
    WrongState,
    set_signing_order,
    sign,
)
from collab4m.clock import now, today
from records.models import Attachment, Decision, Event, Job, SignOff, Version
from records.operations import DocumentRefused, deliver_mail, document_file
from tests.agreements.stories import (
    approved,
    building,
    decide,
    draft,
    fill_in,
    party_of,
    revision_of,
    sign_for,
    to_decision,
)
from tests.records.test_races import ROUNDS, at_once

SCAN = b"%PDF-1.7 the signed page"


@pytest.fixture
def agreement(area, home, neighbour, owner, asker):
    found = draft(area, [home, neighbour], owner, programme=building())
    fill_in(found)
    return found


def on_paper(agreement, municipality, sha256, **more):
    values = {"method": "paper", "second_factor_at": None, "day": today(), "document": document_file("a.pdf", SCAN)}
    return sign_for(agreement, municipality, sha256, **(values | more))


def test_parties_sign_in_order_and_the_last_puts_it_in_force(agreement, home, neighbour):
    sha256 = approved(agreement)
    with pytest.raises(NotYourTurn):
        sign_for(agreement, neighbour, sha256)
    sign_for(agreement, home, sha256)
    assert revision_of(agreement).state == RevisionState.SIGNING
    assert not Cover.objects.exists()

    sign_for(agreement, neighbour, sha256)

    revision = revision_of(agreement)
    assert (revision.state, revision.signed_at is not None) == (RevisionState.SIGNED, True)
    assert [one.body_id for one in SignOff.objects.order_by("pk")] == [home.pk, neighbour.pk]
    assert {one.content_sha256 for one in SignOff.objects.all()} == {sha256}
    assert Job.objects.filter(kind="agreements.signed_files").count() == 1
    assert Event.objects.about(agreement).filter(name="agreement.signed").count() == 1


def test_who_is_next_is_told_by_mail(agreement, home, neighbour, asker):
    sha256 = approved(agreement)
    deliver_mail()
    mail.outbox.clear()

    sign_for(agreement, home, sha256)
    deliver_mail()

    assert [message.to for message in mail.outbox] == [[asker.email]]


def test_equal_places_sign_in_any_order(agreement, home, neighbour, owner):
    set_signing_order(agreement, order={home.pk: 1, neighbour.pk: 1}, by=owner, on_behalf_of=home.body)
    sha256 = approved(agreement)

    sign_for(agreement, neighbour, sha256)
    sign_for(agreement, home, sha256)

    assert revision_of(agreement).state == RevisionState.SIGNED


def test_the_order_is_chosen_until_somebody_has_signed(agreement, home, neighbour, owner, asker):
    sha256 = approved(agreement)
    deliver_mail()
    mail.outbox.clear()
    set_signing_order(agreement, order={home.pk: 2, neighbour.pk: 1}, by=owner, on_behalf_of=home.body)
    deliver_mail()
    assert [message.to for message in mail.outbox] == [[asker.email]]  # whose turn it now is
    sign_for(agreement, neighbour, sha256)

    with pytest.raises(WrongState):
        set_signing_order(agreement, order={home.pk: 1, neighbour.pk: 2}, by=owner, on_behalf_of=home.body)

    assert party_of(agreement, home).signing_order == 2


@pytest.mark.parametrize("place", [0, -1, 3, 10**6])
def test_a_place_that_there_is_none_of_is_refused(agreement, home, owner, place):
    with pytest.raises(SignatureRefused):
        set_signing_order(agreement, order={home.pk: place}, by=owner, on_behalf_of=home.body)


def test_a_double_click_signs_once(agreement, home, neighbour):
    sha256 = approved(agreement)
    sign_for(agreement, home, sha256)

    with pytest.raises(SignedAlready):
        sign_for(agreement, home, sha256)
    sign_for(agreement, neighbour, sha256)
    with pytest.raises(SignedAlready):
        sign_for(agreement, neighbour, sha256)

    assert SignOff.objects.count() == 2


def test_an_old_hash_is_refused(agreement, home, neighbour):
    old = to_decision(agreement)
    decide(agreement, neighbour, old, "remitted")
    fill_in(agreement, notice_months=24)
    new = approved(agreement)

    for sha256 in (old, "0" * 64):
        with pytest.raises(OldContent):
            sign_for(agreement, home, sha256)

    assert new != old
    assert not SignOff.objects.exists()


def test_nothing_but_what_all_have_approved_is_signed(agreement, home):
    with pytest.raises(WrongState):
        sign_for(agreement, home, "0" * 64)
    sha256 = to_decision(agreement)
    decide(agreement, home, sha256)
    with pytest.raises(WrongState):
        sign_for(agreement, home, sha256)
    assert not SignOff.objects.exists()


def test_one_signs_for_ones_own_party_only(agreement, home, neighbour, owner, asker, committee, system_administrator):
    sha256 = approved(agreement)
    values = {"content_sha256": sha256, "method": "second_factor", "signed_as": "x", "second_factor_at": now()}

    for by, body in [(asker, home), (owner, neighbour), (committee, home), (system_administrator, home)]:
        with pytest.raises(NotYourParty):
            sign(party_of(agreement, home), by=by, on_behalf_of=body.body, **values)

    assert not SignOff.objects.exists()


@pytest.mark.parametrize("taken_at", [None, timedelta(minutes=16)])
def test_a_second_step_that_is_missing_or_old_is_asked_for(agreement, home, taken_at):
    sha256 = approved(agreement)

    with pytest.raises(SecondFactorNeeded):
        sign_for(agreement, home, sha256, second_factor_at=taken_at and now() - taken_at)

    assert not SignOff.objects.exists()


def test_a_signature_on_paper_keeps_its_scan(agreement, home):
    sha256 = approved(agreement)

    sign_off = on_paper(agreement, home, sha256)

    assert (sign_off.document.media_type, sign_off.document.size) == ("application/pdf", len(SCAN))
    assert sign_off.document.version.content_sha256 == sha256


@pytest.mark.parametrize(
    "missing", [{"document": None}, {"day": None}, {"day": today() + timedelta(days=2)}, {"signed_as": " "}]
)
def test_a_signature_on_paper_needs_day_office_and_scan(agreement, home, missing):
    sha256 = approved(agreement)

    with pytest.raises(SignatureRefused):
        on_paper(agreement, home, sha256, **missing)

    assert not SignOff.objects.exists()
    assert not Attachment.objects.exists()


def test_a_scan_is_a_pdf_or_an_image():
    for data in (b"", b"<html>", b"PK\x03\x04"):
        with pytest.raises(DocumentRefused):
            document_file("a.pdf", data)


def test_a_way_that_there_is_none_of_is_refused(agreement, home):
    sha256 = approved(agreement)

    with pytest.raises(SignatureRefused):
        sign_for(agreement, home, sha256, method="service")


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (SignOff, {"signed_as": "Någon annan"}),
        (SignOff, {"content_sha256": "0" * 64}),
        (Attachment, {"sha256": "0" * 64}),
        (Decision, {"result": "rejected"}),
        (Version, {"content": {}}),
    ],
)
def test_what_is_signed_is_changed_by_no_door(agreement, home, model, change):
    sha256 = approved(agreement)
    on_paper(agreement, home, sha256)
    row = model.objects.order_by("-pk").first()
    table, before = model._meta.db_table, model.objects.filter(pk=row.pk).values().get()

    def each_door():
        yield lambda: model.objects.filter(pk=row.pk).update(**change)
        yield lambda: model.objects.filter(pk=row.pk).delete()
        yield row.delete
        yield lambda: model(**{**{f.attname: getattr(row, f.attname) for f in model._meta.fields}, **change}).save()
        yield lambda: run(f"UPDATE {table} SET id = id + 1000 WHERE id = {row.pk}")
        yield lambda: run(f"DELETE FROM {table} WHERE id = {row.pk}")

    for door in each_door():
        with pytest.raises(DatabaseError), transaction.atomic():
            door()

    assert model.objects.filter(pk=row.pk).values().get() == before


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_signature_on_another_content_is_refused_by_the_database(agreement, home, owner):
    approved(agreement)
    version = revision_of(agreement).version

    with pytest.raises(DatabaseError), transaction.atomic():
        SignOff.objects.create(
            version=version, place="party:0", content_sha256="0" * 64, method="second_factor", day=today(), by=owner
        )


@pytest.mark.parametrize("state", ["draft", "deciding", "signed"])
def test_a_state_is_not_moved_past_the_signatures(agreement, state):
    approved(agreement)
    revision = revision_of(agreement)

    with pytest.raises(DatabaseError), transaction.atomic():
        type(revision).objects.filter(pk=revision.pk).update(state=state)

    assert revision_of(agreement).state == RevisionState.SIGNING


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(ROUNDS))
def test_of_two_who_sign_for_the_same_party_at_once_one_does(_round, agreement, home, neighbour):
    sha256 = approved(agreement)

    answers = at_once(*[lambda: sign_for(agreement, home, sha256)] * 2)

    assert sorted(type(answer).__name__ for answer in answers) == ["SignOff", "SignedAlready"]
    assert SignOff.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(ROUNDS))
def test_two_parties_who_sign_at_once_both_do_and_it_is_signed_once(_round, agreement, home, neighbour, owner):
    set_signing_order(agreement, order={home.pk: 1, neighbour.pk: 1}, by=owner, on_behalf_of=home.body)
    sha256 = approved(agreement)

    answers = at_once(lambda: sign_for(agreement, home, sha256), lambda: sign_for(agreement, neighbour, sha256))

    assert [type(answer).__name__ for answer in answers] == ["SignOff", "SignOff"]
    assert revision_of(agreement).state == RevisionState.SIGNED
    assert Job.objects.filter(kind="agreements.signed_files").count() == 1
    assert Event.objects.about(agreement).filter(name="agreement.signed").count() == 1
