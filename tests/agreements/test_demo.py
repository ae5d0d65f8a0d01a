"""The demonstration's agreements: what there is to look at, marked, and gone without a trace."""

from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command

from agreements.demo import load_demo, scan
from agreements.models import (
    Agreement,
    AnswerKind,
    Calculation,
    Clause,
    ClauseVersion,
    Cover,
    Notice,
    PriceList,
    ReferralAnswer,
    RevisionState,
    SeatUse,
    Statement,
)
from agreements.operations import (
    Phase,
    add_clause,
    agree_to_withdrawal,
    decisions_of,
    lines_of,
    open_referral,
    placeholders_of,
    silent_parties,
    start_agreement,
    validity_of,
)
from collab4m.clock import today
from organisations.models import CollaborationArea, Municipality, RoleKind
from records import storage
from records.documents.content import has_examples
from records.models import Attachment, Outgoing, SignOff, Version
from tests.factories import RoleFactory
from tests.organisations.test_demo import everything, person

pytestmark = pytest.mark.django_db

TITLES = {
    "in_force": "Humanistiska programmet och VVS- och fastighetsprogrammet",
    "ending": "Restaurang- och livsmedelsprogrammet",
    "referral": "Fordons- och transportprogrammet",
    "draft": "Bygg och industri",
}


@pytest.fixture
def reference(db):
    call_command("load_reference")


@pytest.fixture
def demo(reference):
    call_command("load_demo")


def agreement(what):
    return Agreement.objects.get(title=TITLES[what])


def revision(what):
    return agreement(what).revisions.get()


def test_there_is_one_in_every_state_and_all_are_marked(demo):
    states = {one.title: one.revisions.get().state for one in Agreement.objects.all()}

    assert states == {
        TITLES["in_force"]: RevisionState.SIGNED,
        TITLES["ending"]: RevisionState.SIGNED,
        TITLES["referral"]: RevisionState.REFERRAL,
        TITLES["draft"]: RevisionState.DRAFT,
    }
    for model in (Agreement, SeatUse, Calculation, Statement):
        assert model.objects.exists()
    for model in (Agreement, SeatUse, Calculation):
        assert set(model.objects.values_list("example", flat=True)) == {True}
    assert all(has_examples(version.content) for version in Version.objects.all())


def test_the_one_in_force_is_decided_on_and_signed_in_2022(demo):
    found = agreement("in_force")

    ((version, decisions),) = list(decisions_of(found))
    assert [(one.result, one.day, one.board.municipality.name) for one in decisions] == [
        ("approved", date(2022, 5, 18), "Västerås"),
        ("approved", date(2022, 5, 18), "Enköping"),
    ]
    assert all(one.board.accepts_case_number(one.case_number) for one in decisions)
    assert {one.method for one in SignOff.objects.filter(version=version)} == {"paper"}
    assert validity_of(found).phase(date(2022, 7, 1)) == Phase.IN_FORCE
    covered = Cover.objects.filter(agreement=found)
    assert {(one.home.name, one.provider.name, one.programme.code) for one in covered} == {
        ("Enköping", "Västerås", "HU"),
        ("Enköping", "Västerås", "VF"),
    }


def test_the_scans_say_that_they_are_examples(demo):
    scans = [storage.read(one.sha256) for one in Attachment.objects.all()]

    assert len(scans) == 4
    assert all(one.startswith(b"%PDF-") and b"(Exempel: " in one for one in scans)
    assert b"(Exempel: V\xe4ster\xe5s)" in scan("Exempel: Västerås")


def test_the_one_on_referral_waits_for_one_party_and_for_the_sender(demo):
    referral = open_referral(revision("referral"))

    assert [party.municipality.name for party in silent_parties(referral)] == ["Strängnäs"]
    assert referral.last_day > today()
    wanted = ReferralAnswer.objects.get(kind=AnswerKind.CHANGE_WANTED)
    assert (wanted.municipality.name, wanted.is_open) == ("Eskilstuna", True)


def test_the_draft_has_open_questions(demo):
    assert len(placeholders_of(revision("draft"))) > 10


def test_the_one_that_ends_has_been_given_notice(demo):
    notice = Notice.objects.get()

    assert (notice.agreement, notice.given_by.name) == (agreement("ending"), "Strängnäs")
    assert validity_of(notice.agreement).ended_by == "notice"
    assert notice.effective_on > today()


def test_the_statement_has_a_price_on_every_line(demo):
    statement = Statement.objects.get()

    lines = lines_of(statement)
    assert (str(statement.first), str(statement.second)) == ("Enköping", "Västerås")
    assert len(lines) > 10
    assert all(line.example and line.amount_sek is not None for line in lines)
    assert {one.title[:7] for one in PriceList.objects.filter(example=True)} == {"Exempel"}


def test_load_demo_a_second_time_adds_nothing(demo):
    before = everything()

    assert load_demo() == 0

    assert everything() == before


def test_real_officials_get_no_mail_about_examples(reference):
    for municipality in Municipality.objects.filter(code__in=["0381", "1980"]):
        RoleFactory(kind=RoleKind.ADMINISTRATOR, body=municipality.body)

    call_command("load_demo")

    assert not Outgoing.objects.filter(kind__startswith="agreements.", user__example=False).exists()
    assert Outgoing.objects.filter(kind__startswith="agreements.").exists()


def test_remove_demo_leaves_everything_as_it_was(reference, django_capture_on_commit_callbacks):
    before = everything()
    call_command("load_demo")
    kept = list(Attachment.objects.values_list("sha256", flat=True))
    assert all(storage.is_kept(one) for one in kept)

    with django_capture_on_commit_callbacks(execute=True):
        call_command("remove_demo")

    assert everything() == before
    assert not any(Path(storage.path_of(one)).exists() for one in kept)


def test_remove_demo_takes_what_people_went_on_to_do(reference):
    before = everything()
    call_command("load_demo")
    official = person("handlaggare.enkoping")
    home, neighbour = (Municipality.objects.get(code=code) for code in ("0381", "1980"))
    acting = {"by": official, "on_behalf_of": home.body}
    start_agreement(area=CollaborationArea.objects.get(), title="Till prov", municipalities=[home, neighbour], **acting)
    add_clause(CollaborationArea.objects.get(), section="syfte", name="Till prov", text="Text.", **acting)
    notice = Notice.objects.get()
    party = notice.agreement.parties.get(municipality=neighbour)
    agree_to_withdrawal(notice, party, by=person("handlaggare.vasteras"), on_behalf_of=neighbour.body)

    call_command("remove_demo")

    assert everything() == before


def test_remove_demo_leaves_real_agreements_and_their_numbers(reference):
    home, neighbour = (Municipality.objects.get(code=code) for code in ("0381", "1980"))
    real = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body).user
    area = CollaborationArea.objects.get()
    acting = {"by": real, "on_behalf_of": home.body}
    first = start_agreement(area=area, title="Vårt", municipalities=[home, neighbour], **acting)
    call_command("load_demo")

    call_command("remove_demo")

    assert list(Agreement.objects.all()) == [first]
    following = start_agreement(area=area, title="Nästa", municipalities=[home, neighbour], **acting)
    assert (first.sequence, following.sequence) == (1, 2)
    assert not ClauseVersion.objects.filter(by=None).exclude(clause__in=Clause.objects.all()).exists()
