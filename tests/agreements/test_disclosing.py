"""Handing out documents: what goes, what stays and why, the same bytes each time, and a log without who asked."""

import csv
from io import BytesIO, StringIO
from zipfile import ZipFile

import pytest
from django.db import DatabaseError, transaction

from agreements.models import Calculation, Disclosure
from agreements.operations import (
    NothingToDisclose,
    NotYourParty,
    answer_referral,
    disclose,
    disclosed_zip,
    to_disclose,
)
from agreements.operations.disclosing import ChangedSinceShown
from records import storage
from records.models import Event
from tests.agreements.signing_pages import SCAN, disclosed, to_sign, with_copies
from tests.agreements.stories import building, decide, draft, fill_in, on_referral, party_of, to_decision
from tests.factories import ProgrammeFactory


@pytest.fixture
def signed(area, home, neighbour, owner, asker):
    return with_copies(area, home, neighbour, owner, asker)


def names(agreement, body) -> tuple[list[str], list[str]]:
    going, staying = to_disclose(agreement, body)
    return [one.name for one in going], [one.what for one in staying]


def test_of_a_signed_agreement_file_minutes_decisions_and_signatures_go_out(signed, home):
    going, staying = names(signed, home.body)

    assert [name.rpartition("/")[2].split("-", 1)[-1] for name in going] == [
        "0381.pdf", "protokoll.pdf", "beslut.csv", "underskrifter.csv",
    ]  # fmt: skip
    assert staying == []


def test_each_party_hands_out_its_own_file(signed, neighbour):
    going, _staying = names(signed, neighbour.body)

    assert going[0].endswith("avtal-1980.pdf")


def test_the_package_holds_what_the_register_lists(signed, home, owner):
    found = disclosed(signed, home, owner)
    package = ZipFile(BytesIO(disclosed_zip(found)))

    rows = list(csv.reader(StringIO(package.read("register.csv").decode("utf-8-sig")), delimiter=";"))
    assert [row[0] for row in rows[1:]] == package.namelist()[:-1]
    assert package.namelist() == [one["name"] for one in found.files]
    assert SCAN in [package.read(name) for name in package.namelist()]
    assert all(storage.read(one["sha256"]) == package.read(one["name"]) for one in found.files)
    assert disclosed_zip(found) == disclosed_zip(Disclosure.objects.get())
    text = b"".join(package.read(name) for name in package.namelist() if name.endswith(".csv")).decode()
    assert owner.name not in text
    assert "§ 84" in text


def test_the_same_again_gives_the_same_documents(signed, home, owner):
    first, second = disclosed(signed, home, owner), disclosed(signed, home, owner, note="")

    assert first.files == second.files
    assert Event.objects.about(signed).filter(name="agreement.disclosed").count() == 2


def test_a_draft_is_handed_out_by_nobody(area, home, neighbour, owner, asker):
    agreement = draft(area, [home, neighbour], owner, programme=building())
    going, staying = names(agreement, home.body)

    assert going == []
    assert len(staying) == 1
    with pytest.raises(NothingToDisclose):
        disclosed(agreement, home, owner)


def test_a_referral_goes_out_when_the_case_is_closed(area, home, neighbour, owner, asker):
    agreement = draft(area, [home, neighbour], owner, programme=building())
    fill_in(agreement)
    referral = on_referral(agreement)
    answer_referral(
        party_of(agreement, neighbour), section="", kind="comment", text="Vi undrar över resorna.",
        by=asker, on_behalf_of=neighbour.body,
    )  # fmt: skip
    going, staying = names(agreement, home.body)
    assert going == []
    assert len(staying) == 2  # the version and the answers

    sha256 = to_decision(agreement)
    decide(agreement, home, sha256)
    assert "remissvar.csv" not in names(agreement, home.body)[0]
    decide(agreement, neighbour, sha256, "rejected")

    going, staying = to_disclose(agreement, home.body)
    answers = next(one for one in going if one.name == "remissvar.csv")
    assert "Vi undrar över resorna." in answers.data.decode()
    assert asker.name not in answers.data.decode()
    assert [one.what for one in staying if "remiss" in one.what.lower()] == []
    assert referral.version.number == 1


def test_calculations_stay(signed, home, owner):
    assert names(signed, home.body)[1] == []
    Calculation.objects.create(
        title="Egen start", municipality=home, programme=ProgrammeFactory(), agreement=signed, by=owner,
        on_behalf_of=home.body,
    )  # fmt: skip

    assert len(names(signed, home.body)[1]) == 1


def test_files_that_are_not_made_yet_are_waited_for(area, home, neighbour, owner, asker):
    agreement = to_sign(area, home, neighbour, owner, asker)
    going, staying = names(agreement, home.body)

    assert [name for name in going if name.endswith(".pdf")] == []
    assert len(staying) == 1


def test_what_has_changed_since_it_was_shown_is_shown_again(signed, home, owner):
    with pytest.raises(ChangedSinceShown):
        disclosed(signed, home, owner, seen="0" * 64)

    assert not Disclosure.objects.exists()


def test_only_a_partys_administrator_hands_out(signed, home, neighbour, owner, committee, outsider, elsewhere):
    for by, body in [(owner, neighbour), (committee, home), (outsider, home), (outsider, elsewhere)]:
        with pytest.raises(NotYourParty):
            disclose(signed, seen="", note="", by=by, on_behalf_of=body.body)


def test_the_log_is_changed_by_nobody(signed, home, owner):
    disclosed(signed, home, owner)

    for change in (lambda rows: rows.update(note="annat"), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change(Disclosure.objects.all())
    assert Disclosure.objects.get().note == "På papper"
