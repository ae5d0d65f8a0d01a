"""Beginning and drafting by operations: who may, what stays open, what comes of gaps, and what a change begins with."""

from datetime import date
from decimal import Decimal

import pytest

from agreements.models import NoticeEffect, PriceKind, RevisionKind, RevisionState, Term
from agreements.operations import (
    AgreementRefused,
    ChangedMeanwhile,
    NewTerm,
    NotYourParty,
    TermTwice,
    WrongState,
    add_own_clause,
    add_terms,
    change_agreement,
    change_facts,
    change_parties,
    change_term,
    content_as_it_holds,
    content_of,
    facts_in_words,
    parts_of_revision,
    placeholders_of,
    remove_own_clause,
    remove_term,
    set_signing_order,
    start_agreement,
    start_revision,
    withdraw_revision,
)
from agreements.outline import KEYS
from records.documents.content import check
from records.histories import lines_of
from records.models import Event
from tests.agreements.stories import (
    building,
    draft,
    fill_in,
    party_of,
    revision_of,
    sign_all,
    signed,
    to_decision,
    year,
)
from tests.factories import BoardFactory, MembershipFactory, MunicipalityFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def agreement(area, home, neighbour, owner):
    return draft(area, [home, neighbour], owner, programme=building())


@pytest.fixture
def enkoping(owner, home):
    return {"by": owner, "on_behalf_of": home.body}


@pytest.fixture
def vasteras(asker, neighbour):
    return {"by": asker, "on_behalf_of": neighbour.body}


def sentences(agreement):
    return [str(line.sentence) for line in lines_of(Event.objects.filter(subject_id=agreement.pk).order_by("pk"))]


# Beginning


def test_an_agreement_begins_with_everything_open_and_marked(agreement, home, neighbour):
    revision = revision_of(agreement)

    assert (revision.state, revision.sections) == (RevisionState.DRAFT, list(KEYS))
    assert [party.municipality for party in agreement.parties.all()] == [home, neighbour]
    assert (agreement.number.endswith("-01"), agreement.started_by_id) == (True, home.pk)
    open_sections = {place.section for place in placeholders_of(revision)}
    assert open_sections == set(KEYS) - {"parter"}
    check(content_of(revision))


def test_numbers_follow_each_other_in_the_area_and_the_year(area, home, neighbour, owner):
    numbers = [draft(area, [home, neighbour], owner).sequence for _one in range(3)]

    assert numbers == [1, 2, 3]


def test_the_only_board_of_a_party_is_proposed_as_who_decides(area, home, neighbour, owner):
    board = BoardFactory(municipality=home)
    for _one in range(2):
        BoardFactory(municipality=neighbour)

    agreement = draft(area, [home, neighbour], owner)

    assert [party.board for party in agreement.parties.all()] == [board, None]


def test_nobody_begins_for_another_or_alone(area, home, neighbour, owner, asker):
    with pytest.raises(NotYourParty):
        start_agreement(area=area, title="A", municipalities=[home, neighbour], by=asker, on_behalf_of=home.body)
    third = MembershipFactory(area=area).municipality
    with pytest.raises(NotYourParty):
        start_agreement(area=area, title="A", municipalities=[third, neighbour], by=owner, on_behalf_of=home.body)
    with pytest.raises(AgreementRefused):
        start_agreement(area=area, title="A", municipalities=[home, home], by=owner, on_behalf_of=home.body)


# Facts


def test_facts_are_filled_in_and_told_in_words(agreement, enkoping):
    revision = revision_of(agreement)

    change_facts(
        revision,
        values={"first_day": date(2022, 7, 1), "is_open_ended": True, "notice_effect": NoticeEffect.SCHOOL_YEAR},
        seen=0,
        **enkoping,
    )

    said = " ".join(facts_in_words("giltighet", revision_of(agreement)))
    assert said.startswith("Avtalet gäller från 1 juli 2022. ")
    assert "[" in said  # the period of notice is still open
    (event,) = Event.objects.filter(name="agreement.facts_changed")
    labels = {change.label for change in lines_of([event])[0].changes}
    assert labels == {"Första dag", "Tills vidare", "Uppsägning får verkan"}


def test_facts_from_an_old_form_are_refused(agreement, enkoping, vasteras):
    revision = revision_of(agreement)
    change_facts(revision, values={"notice_months": 12}, seen=0, **vasteras)

    with pytest.raises(ChangedMeanwhile):
        change_facts(revision, values={"notice_months": 6}, seen=0, **enkoping)

    assert revision_of(agreement).notice_months == 12


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"first_day": date(2023, 7, 1), "last_day": date(2023, 6, 30)}, "last_day"),
        ({"is_open_ended": True, "last_day": date(2023, 6, 30)}, "last_day"),
        ({"annex_month": 2, "annex_day": 29}, "annex_day"),
        ({"annex_month": 12}, "annex_day"),
        ({"notice_months": 121}, "notice_months"),
        ({"price_kind": "gift"}, "price_kind"),
        ({"independents_percent": Decimal("-1")}, "independents_percent"),
    ],
)
def test_facts_that_cannot_be_are_refused_at_their_field(agreement, enkoping, values, field):
    with pytest.raises(AgreementRefused) as refused:
        change_facts(revision_of(agreement), values=values, seen=0, **enkoping)

    assert refused.value.field == field
    assert revision_of(agreement).edit == 0


# Terms


def test_terms_have_one_direction_and_stand_once(agreement, home, neighbour, enkoping):
    revision = revision_of(agreement)
    (there,) = revision.terms.all()
    back = NewTerm(home=neighbour, provider=home, programme=there.programme)

    add_terms(revision, terms=[back], **enkoping)

    assert [(term.home, term.provider) for term in revision.terms.order_by("pk")] == [
        (home, neighbour),
        (neighbour, home),
    ]
    with pytest.raises(TermTwice):
        add_terms(revision, terms=[back], **enkoping)
    assert revision.terms.count() == 2


def test_a_term_is_between_parties_about_an_orientation_of_its_programme(agreement, area, home, neighbour, enkoping):
    revision, programme = revision_of(agreement), revision_of(agreement).terms.get().programme
    third = MembershipFactory(area=area, municipality=MunicipalityFactory()).municipality
    for new in (
        NewTerm(home=home, provider=home, programme=programme),
        NewTerm(home=home, provider=third, programme=programme),
        NewTerm(home=home, provider=neighbour, programme=programme, seats=5, unlimited=True),
        NewTerm(
            home=home, provider=neighbour, programme=programme, intake_from=year("2024/25"), intake_to=year("2023/24")
        ),
    ):
        with pytest.raises(AgreementRefused):
            add_terms(revision, terms=[new], **enkoping)

    assert revision.terms.count() == 1


def test_a_term_is_changed_and_removed(agreement, enkoping, vasteras):
    term = revision_of(agreement).terms.get()

    change_term(term, values={"seats": 12}, seen=0, **vasteras)
    with pytest.raises(ChangedMeanwhile):
        change_term(term, values={"seats": 8}, seen=0, **enkoping)
    assert Term.objects.get().seats == 12

    remove_term(term, **enkoping)
    assert not Term.objects.exists()


# Parties, clauses, order


def test_a_party_that_goes_takes_its_terms_along(agreement, area, home, neighbour, enkoping):
    third = MembershipFactory(area=area, municipality=MunicipalityFactory(name="Strängnäs")).municipality

    change_parties(agreement, municipalities=[home, third], **enkoping)

    assert [party.municipality for party in agreement.parties.all()] == [home, third]
    assert not Term.objects.exists()
    with pytest.raises(AgreementRefused):
        change_parties(agreement, municipalities=[third, neighbour], **enkoping)
    with pytest.raises(AgreementRefused):
        change_parties(agreement, municipalities=[home], **enkoping)


def test_own_clauses_come_last_and_their_keys_are_never_used_again(agreement, enkoping):
    revision = revision_of(agreement)
    first = add_own_clause(revision, heading="  Särskilt   stöd ", **enkoping)
    remove_own_clause(revision, key=first.key, **enkoping)
    second = add_own_clause(revision, heading="Skolskjuts", **enkoping)

    assert (first.heading, first.key, second.key) == ("Särskilt stöd", "egen-1", "egen-2")
    assert [part.heading for part in parts_of_revision(revision_of(agreement))][-1] == "Skolskjuts"
    with pytest.raises(AgreementRefused):
        remove_own_clause(revision, key="syfte", **enkoping)
    with pytest.raises(AgreementRefused):
        add_own_clause(revision, heading="  ", **enkoping)


def test_what_it_is_may_be_changed_until_boards_have_it_but_the_note_on_secrecy_always(agreement, enkoping):
    about = {"kind": "education", "standing": "primary", "replaces": None, "secrecy_note": ""}
    change_agreement(agreement, title="Nytt namn", **about, **enkoping)
    with pytest.raises(AgreementRefused):
        change_agreement(agreement, title="Nytt namn", **{**about, "replaces": agreement}, **enkoping)
    fill_in(agreement)
    to_decision(agreement)

    with pytest.raises(WrongState):
        change_agreement(agreement, title="Annat namn", **about, **enkoping)
    changed = change_agreement(agreement, title="Nytt namn", **{**about, "secrecy_note": "Priset"}, **enkoping)

    assert (changed.title, changed.standing, changed.secrecy_note) == ("Nytt namn", "primary", "Priset")


def test_the_history_tells_in_sentences(agreement, area, home, neighbour, enkoping):
    revision = revision_of(agreement)
    add_own_clause(revision, heading="Skolskjuts", **enkoping)
    remove_own_clause(revision, key="egen-1", **enkoping)
    term = revision.terms.get()
    change_term(term, values={"seats": 12}, seen=revision_of(agreement).edit, **enkoping)
    remove_term(term, **enkoping)
    set_signing_order(agreement, order={home.pk: 2, neighbour.pk: 1}, **enkoping)
    withdraw_revision(agreement, reason="Behövs inte.", **enkoping)

    told = sentences(agreement)

    assert told[0] == f"Avtal {agreement.number} påbörjades."
    assert all(told)
    assert any("Skolskjuts" in sentence for sentence in told)
    assert "Behövs inte." in told[-1]


# What cannot be changed any more


def test_nothing_is_changed_once_boards_have_it(agreement, home, enkoping):
    revision = fill_in(agreement)
    to_decision(agreement)
    term = revision.terms.get()

    for attempt in (
        lambda: change_facts(revision, values={"notice_months": 3}, seen=revision.edit, **enkoping),
        lambda: change_term(term, values={"seats": 1}, seen=revision.edit, **enkoping),
        lambda: remove_term(term, **enkoping),
        lambda: add_own_clause(revision, heading="Mer", **enkoping),
        lambda: change_parties(agreement, municipalities=[home], **enkoping),
        lambda: start_revision(agreement, kind=RevisionKind.ANNEX, **enkoping),
    ):
        with pytest.raises(WrongState):
            attempt()

    revision.refresh_from_db()
    assert (revision.notice_months, revision.terms.get().seats) == (12, 10)


# Changes of what is signed


def test_a_change_begins_with_what_holds_and_holds_only_its_sections(agreement, home, enkoping):
    signed(agreement)

    revision = start_revision(agreement, kind=RevisionKind.ANNEX, applies_from=year("2024/25"), **enkoping)

    assert revision.sections == ["omfattning", "ersattning"]
    assert (revision.first_day, revision.price_kind) == (date(2024, 7, 1), PriceKind.SELF_COST)
    assert [(term.seats, term.intake_from) for term in revision.terms.all()] == [(10, None)]
    assert [section["id"] for section in content_of(revision)["sections"]] == ["andring", "omfattning", "ersattning"]
    with pytest.raises(WrongState):
        start_revision(agreement, kind=RevisionKind.AMENDMENT, sections=["syfte"], **enkoping)


@pytest.mark.parametrize(
    ("kind", "sections"),
    [("original", []), ("gift", []), ("amendment", []), ("amendment", ["parter"]), ("annex", ["x"])],
)
def test_a_change_of_nothing_or_of_the_parties_is_refused(agreement, enkoping, kind, sections):
    signed(agreement)

    with pytest.raises(AgreementRefused):
        start_revision(agreement, kind=kind, sections=sections, **enkoping)


def test_all_that_is_signed_is_read_together_as_it_was_frozen(agreement, home, neighbour, enkoping):
    signed(agreement)
    annex = start_revision(agreement, kind=RevisionKind.ANNEX, applies_from=year("2024/25"), **enkoping)
    annex.terms.update(seats=4)
    sign_all(agreement)
    neighbour.name = "Något annat"
    neighbour.save()

    content = content_as_it_holds(list(agreement.revisions.signed().select_related("version", "agreement")))

    check(content)
    by_id = {section["id"]: section for section in content["sections"]}
    assert list(by_id) == ["galler-nu", *KEYS]
    (table,) = [block for block in by_id["omfattning"]["blocks"] if block["kind"] == "table"]
    assert (table["rows"][0][1], table["rows"][0][4][0]["value"]) == ("Västerås", 4)
    assert by_id["giltighet"]["blocks"][0]["text"].startswith("Avtalet gäller från 1 juli 2022.")


def test_only_a_party_withdraws_and_says_why(agreement, area, home, enkoping, outsider):
    with pytest.raises(AgreementRefused):
        withdraw_revision(agreement, reason=" ", **enkoping)
    with pytest.raises(NotYourParty):
        withdraw_revision(agreement, reason="X", by=outsider, on_behalf_of=home.body)

    withdraw_revision(agreement, reason="Behövs inte.", **enkoping)

    assert revision_of(agreement).state == RevisionState.WITHDRAWN
    with pytest.raises(WrongState):
        withdraw_revision(agreement, reason="Igen", **enkoping)
    assert party_of(agreement, home)
