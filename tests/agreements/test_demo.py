"""The demonstration's agreements: what there is to look at, marked, and gone without a trace."""

from datetime import date

import pytest

from agreements.demo import load_demo, scan
from agreements.models import (
    Agreement,
    AnswerKind,
    Calculation,
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
    decisions_of,
    lines_of,
    open_referral,
    placeholders_of,
    silent_parties,
    validity_of,
)
from collab4m.clock import today
from records import storage
from records.documents.content import has_examples
from records.models import Attachment, SignOff, Version
from tests.organisations.test_demo import everything

pytestmark = pytest.mark.django_db

TITLES = {
    "in_force": "Humanistiska programmet och VVS- och fastighetsprogrammet",
    "ending": "Restaurang- och livsmedelsprogrammet",
    "referral": "Fordons- och transportprogrammet",
    "draft": "Bygg och industri",
}


@pytest.fixture
def demo(demonstration):
    """The demonstration."""


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
