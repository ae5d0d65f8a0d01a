"""What agreements show on the start page and in search: what waits, for whom and by when, and the first mandate."""

from datetime import date, timedelta

import pytest

from agreements.models import AnswerKind, ArchiveCopy, Notice
from agreements.operations import agree_to_withdrawal, answer_referral, give_notice, set_case_number
from agreements.portal import search, start_cards
from collab4m.cards import Mandate
from collab4m.clock import now, today
from organisations.models import ContactPurpose
from records.models import Rendition
from tests.agreements.stories import (
    administrator_of,
    approved,
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
from tests.factories import ProgrammeFactory

pytestmark = pytest.mark.django_db

START_QUERIES = 45


@pytest.fixture
def agreement(area, home, neighbour, owner, asker):
    return draft(area, [home, neighbour], owner, programme=building())


def todos(user):
    """What waits for somebody, as their next request sees it."""
    user.__dict__.pop("roles_today", None)
    return [(todo.title, todo.due, todo.for_body) for todo in start_cards(user).todos]


def test_a_draft_asks_nobody(agreement, owner, asker, committee):
    assert todos(owner) == todos(asker) == todos(committee) == []


def test_a_referral_waits_for_the_others_until_its_last_day(agreement, owner, asker, committee, outsider):
    last_day = today() + timedelta(days=21)
    on_referral(agreement, last_day=last_day)

    assert todos(asker) == [("Svara på remissen: Bygg och anläggning", last_day, "Västerås")]
    assert todos(owner) == todos(committee) == todos(outsider) == []


def test_a_late_answer_says_so(agreement, asker, client):
    referral = on_referral(agreement)
    type(referral).objects.filter(pk=referral.pk).update(last_day=today() - timedelta(days=3))
    client.force_login(asker)

    page = client.get("/").content.decode()

    assert '<li class="c-late">' in page
    assert "tre dagar sent" in page


def test_a_wanted_change_waits_for_whoever_sent_the_referral(agreement, owner, asker, neighbour):
    referral = on_referral(agreement)
    answer_referral(
        party_of(agreement, neighbour),
        kind=AnswerKind.CHANGE_WANTED,
        section="syfte",
        text="Skriv kortare.",
        by=asker,
        on_behalf_of=neighbour.body,
    )

    assert todos(owner) == [("Ta ställning till önskade ändringar: Bygg och anläggning", referral.last_day, "Enköping")]
    assert todos(asker) == []


def test_a_decision_waits_for_administrators_and_the_committee(agreement, owner, asker, committee, home):
    fill_in(agreement)
    party = party_of(agreement, home)
    meets_on = today() + timedelta(days=9)
    set_case_number(party, case_number="", board=None, meets_on=meets_on, by=committee, on_behalf_of=home.body)
    sha256 = to_decision(agreement)

    told = ("Registrera nämndens beslut: Bygg och anläggning", meets_on, "Enköping")
    assert todos(owner) == todos(committee) == [told]
    decide(agreement, home, sha256)
    assert todos(owner) == todos(committee) == []
    assert len(todos(asker)) == 1


def test_a_signature_waits_for_whose_turn_it_is(agreement, owner, asker, committee, home):
    fill_in(agreement)
    sha256 = approved(agreement)

    assert todos(owner) == [("Skriv under: Bygg och anläggning", None, "Enköping")]
    assert todos(asker) == todos(committee) == []
    sign_for(agreement, home, sha256)
    assert (todos(owner), [title for title, _due, _body in todos(asker)]) == (
        [],
        ["Skriv under: Bygg och anläggning"],
    )


def test_a_copy_waits_until_it_is_received(agreement, owner, asker, committee, home):
    signed(agreement)
    version = revision_of(agreement).version
    file = Rendition.objects.create(version=version, kind="zip", name="a.zip", size=1, sha256="0" * 64)
    copy = ArchiveCopy.objects.create(
        agreement=agreement, version=version, party=party_of(agreement, home), rendition=file
    )

    told = [("Ta emot arkivexemplaret: Bygg och anläggning", None, "Enköping")]
    assert todos(owner) == todos(committee) == told
    assert todos(asker) == []
    ArchiveCopy.objects.filter(pk=copy.pk).update(received_at=now(), received_by=owner)
    assert todos(owner) == []


def test_a_withdrawal_waits_for_those_who_have_not_agreed(agreement, owner, asker, home, neighbour):
    signed(agreement)
    give_notice(party_of(agreement, home), given_on=today(), received_on=today(), by=owner, on_behalf_of=home.body)
    assert todos(asker) == []
    notice = Notice.objects.get()

    agree_to_withdrawal(notice, party_of(agreement, home), by=owner, on_behalf_of=home.body)

    assert [title for title, _due, _body in todos(asker)] == [
        "Ta ställning till att uppsägningen tas tillbaka: Bygg och anläggning"
    ]
    assert todos(owner) == []


def test_two_homes_see_for_whom_each_thing_is(agreement, two_homes):
    fill_in(agreement)
    to_decision(agreement)

    assert [body for _title, _due, body in todos(two_homes)] == ["Enköping", "Västerås"]


def test_an_end_that_is_near_is_among_the_dates(agreement, owner, outsider):
    last_day = today() + timedelta(days=40)
    signed(agreement, is_open_ended=False, last_day=last_day)

    days = [(one.day, one.title, one.place) for one in start_cards(owner).dates]

    assert days == [(last_day, "Bygg och anläggning slutar gälla", "Enköping")]
    assert start_cards(outsider).dates == []


def test_the_mandate_tells_of_agreements_once_there_are_any(agreement, owner, principal, home, neighbour):
    (begun,) = start_cards(owner).mandates
    assert start_cards(principal).mandates == []
    signed(agreement)

    (card,) = start_cards(principal).mandates

    assert begun.done == {home.pk: "no", neighbour.pk: "no"}
    assert (card.number, card.state, card.url) == (1, "Ett avtal är undertecknat", "/avtal/")
    assert card.done == {home.pk: "yes", neighbour.pk: "yes"}


def test_an_agreement_that_has_ended_is_not_counted(agreement, owner):
    signed(agreement, is_open_ended=False, last_day=today() - timedelta(days=1))

    assert start_cards(owner).mandates == []


@pytest.mark.parametrize(
    ("ground", "later", "done", "next_step"),
    [
        ({1: "yes", 2: "yes"}, {1: "yes", 2: "no"}, {1: "yes", 2: "no"}, "Teckna"),
        ({1: "yes", 2: "unknown"}, {1: "yes", 2: "no"}, {1: "yes", 2: "unknown"}, "Rapportera"),
        ({1: "no"}, {1: "yes"}, {1: "no"}, "Rapportera"),
        ({1: "yes"}, {2: "yes"}, {1: "unknown", 2: "unknown"}, "Teckna"),
    ],
)
def test_two_apps_tell_of_one_mandate(ground, later, done, next_step):
    first = Mandate(number=1, state="Utbud", next_step="Rapportera", url="/a/", done=ground)

    card = first.followed_by(Mandate(number=1, state="Avtal", next_step="Teckna", url="/b/", done=later))

    assert card == Mandate(number=1, state="Utbud. Avtal", next_step=next_step, url="/b/", done=done)


def test_the_start_page_has_one_row_for_the_mandate(agreement, client, owner):
    client.force_login(owner)

    (area,) = client.get("/").context["areas"]

    assert [row.number for row in area["rows"]] == [1, 2, 3, 4, 5]
    assert area["rows"][0].card.state.endswith(". Inget avtal är undertecknat, ett är på gång")


def test_search_finds_titles_numbers_and_case_numbers(agreement, owner, outsider, home):
    set_case_number(
        party_of(agreement, home), case_number="UAN2022/17", board=None, meets_on=None, by=owner, on_behalf_of=home.body
    )

    for words in ("anlagning", agreement.number, "uan2022/17"):
        (hit,) = search(owner, words)
        assert (hit.title, hit.kind) == (str(agreement), "Avtal")
        assert search(outsider, words) == []


@pytest.mark.parametrize("rows", [1, 3])
def test_the_start_page_costs_the_same_however_much_waits(
    client, area, home, neighbour, owner, asker, rows, django_assert_num_queries
):
    for purpose in ContactPurpose.values:
        neighbour.contacts.update_or_create(purpose=purpose, defaults={"owner": "Nämnden", "email": "a@kommun.example"})
    for _ in range(rows):
        on_referral(draft(area, [home, neighbour], owner, programme=ProgrammeFactory()))
        near = today() + timedelta(days=40)
        over = draft(area, [home, neighbour], owner, programme=ProgrammeFactory())
        signed(over, is_open_ended=False, last_day=near, first_day=date(2022, 7, 1))
        give_notice(party_of(over, home), given_on=today(), received_on=today(), by=owner, on_behalf_of=home.body)
        agree_to_withdrawal(over.notices.get(), party_of(over, home), by=owner, on_behalf_of=home.body)
    client.force_login(asker)
    client.get("/avtal/arshjul/")

    with django_assert_num_queries(START_QUERIES):
        response = client.get("/")

    assert len(response.context["todos"]) == 2 * rows
    assert administrator_of(neighbour) == asker
