"""The page of an agreement: where it stands, who waits for whom, and only what its reader may know."""

from datetime import date, timedelta

import pytest

from agreements.models import Calculation, RevisionKind
from agreements.operations import (
    NewTerm,
    answer_referral,
    attach_calculation,
    change_facts,
    give_notice,
    make_calculation,
    set_case_number,
    start_revision,
)
from collab4m.clock import today
from records.documents.files import MadeFile
from records.models import Version
from records.operations import store_renditions
from tests.agreements.stories import (
    approved,
    building,
    decide,
    draft,
    fill_in,
    on_referral,
    party_of,
    revision_of,
    sign_all,
    sign_for,
    signed,
    to_decision,
    year,
)
from tests.factories import BoardFactory, MembershipFactory, MunicipalityFactory, OrientationFactory, ProgrammeFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def agreement(area, home, neighbour, owner, asker):
    return draft(area, [home, neighbour], owner, programme=building())


def read(client, user, agreement):
    client.force_login(user)
    answer = client.get(agreement.get_absolute_url())
    assert answer.status_code == 200
    return answer


def waiting(client, user, agreement):
    found = read(client, user, agreement).context["wait"]
    return (found.what, found.names, [party.municipality.name for party in found.own]) if found else None


def answer(agreement, municipality, user, **more):
    values = {"kind": "no_objection"} | more
    return answer_referral(party_of(agreement, municipality), by=user, on_behalf_of=municipality.body, **values)


# Where it stands


def test_each_state_says_who_is_waited_for(client, agreement, home, neighbour, owner, asker):
    assert waiting(client, owner, agreement) == ("fill_in", "Enköping och Västerås", ["Enköping"])
    fill_in(agreement)
    assert waiting(client, owner, agreement)[0] == "send"
    on_referral(agreement)
    assert waiting(client, owner, agreement) == ("answer", "Västerås", [])
    assert waiting(client, asker, agreement) == ("answer", "Västerås", ["Västerås"])
    answer(agreement, neighbour, asker, kind="change_wanted", section="resor", text="Höj.")
    assert waiting(client, owner, agreement) == ("settle", "Enköping", ["Enköping"])
    answer_pk = agreement.revisions.get().referrals.get().answers.get().pk
    client.post(f"{agreement.get_absolute_url()}remissvar/{answer_pk}/", {"outcome": "accepted"})
    client.force_login(owner)
    client.post(f"{agreement.get_absolute_url()}remissvar/{answer_pk}/", {"outcome": "accepted"})
    assert waiting(client, owner, agreement)[0] == "to_decision"
    sha256 = to_decision(agreement)
    assert waiting(client, asker, agreement) == ("decision", "Enköping och Västerås", ["Västerås"])
    decide(agreement, home, sha256)
    assert waiting(client, asker, agreement) == ("decision", "Västerås", ["Västerås"])
    decide(agreement, neighbour, sha256)
    assert waiting(client, owner, agreement) == ("signature", "Enköping", ["Enköping"])
    sign_for(agreement, home, sha256)
    assert waiting(client, owner, agreement) == ("signature", "Västerås", [])
    sign_for(agreement, neighbour, sha256)
    assert waiting(client, owner, agreement) is None


def test_the_way_has_a_step_for_each_state(client, agreement, home, neighbour, owner, asker):
    def states():
        return [step.state for step in read(client, owner, agreement).context["steps"]]

    assert states() == ["now", "", "", "", ""]
    fill_in(agreement)
    on_referral(agreement)
    assert states() == ["done", "now", "", "", ""]
    answer(agreement, neighbour, asker)
    sha256 = to_decision(agreement)
    assert states() == ["done", "done", "now", "", ""]
    for municipality in (home, neighbour):
        decide(agreement, municipality, sha256)
    assert states() == ["done", "done", "done", "now", ""]
    for municipality in (home, neighbour):
        sign_for(agreement, municipality, sha256)
    assert states() == ["done", "done", "done", "done", "now"]


def test_what_was_sent_back_says_by_whom_and_which_version(client, agreement, home, neighbour, owner):
    fill_in(agreement)
    sha256 = to_decision(agreement)
    decide(agreement, home, sha256)
    decide(agreement, neighbour, sha256, "remitted", remark="Höj till 14.")

    page = read(client, owner, agreement)

    version, decisions = page.context["sent_back"]
    assert (version.number, [(name, one.remark) for name, one in decisions]) == (1, [("Västerås", "Höj till 14.")])
    assert [(one.number, len(rows)) for one, rows in page.context["earlier"]] == [(1, 2)]
    fill_in(agreement, notice_months=24)
    second = to_decision(agreement)
    page = read(client, owner, agreement)
    assert [row.decision for row in page.context["rows"]] == [None, None]
    assert [one.number for one, _rows in page.context["earlier"]] == [1]
    assert page.context["wait"].names == "Enköping och Västerås"
    assert Version.objects.get(content_sha256=second).number == 2


def test_a_rejected_agreement_says_why_and_has_no_way_on(client, agreement, home, owner):
    fill_in(agreement)
    decide(agreement, home, to_decision(agreement), "rejected", remark="För dyrt.")

    page = read(client, owner, agreement)

    assert (page.context["steps"], page.context["wait"]) == ([], None)
    assert "För dyrt." in page.content.decode()


def test_a_signed_one_tells_what_it_says_together_and_how_long_it_holds(client, agreement, home, owner):
    signed(agreement)
    revision = start_revision(
        agreement, kind=RevisionKind.ANNEX, by=owner, on_behalf_of=home.body, applies_from=year("2024/25")
    )
    revision.terms.update(seats=4)
    page = read(client, owner, agreement)
    assert [row.term.seats for row in page.context["holds"]] == [10]
    assert [row.term.seats for row in page.context["proposed"]] == [4]
    sign_all(agreement)
    give_notice(
        party_of(agreement, home),
        given_on=date(2025, 6, 30),
        received_on=date(2025, 7, 1),
        by=owner,
        on_behalf_of=home.body,
    )

    page = read(client, owner, agreement)

    assert [row.term.seats for row in page.context["holds"]] == [4]
    assert page.context["said_by"].kind == RevisionKind.ANNEX
    assert page.context["validity"].last_day == date(2027, 6, 30)
    assert [notice.given_by for notice in page.context["notices"]] == [home]
    assert len(page.context["signed"]) == 2


# Only what the reader may know


@pytest.fixture
def with_everything(agreement, home, neighbour, owner, asker):
    """Signed after a referral with an answer and a calculation; a change of it is being drafted."""
    made = make_calculation(
        title="Hemlig kalkyl",
        municipality=home,
        programme=ProgrammeFactory(code="VO"),
        by=owner,
        on_behalf_of=home.body,
    )
    attach_calculation(made, agreement, by=owner, on_behalf_of=home.body)
    fill_in(agreement)
    on_referral(agreement)
    answer(agreement, neighbour, asker, kind="comment", section="resor", text="Hemlig synpunkt.")
    sha256 = approved(agreement)
    for municipality in (home, neighbour):
        sign_for(agreement, municipality, sha256)
    change = start_revision(
        agreement,
        kind=RevisionKind.AMENDMENT,
        by=owner,
        on_behalf_of=home.body,
        title="Hemlig ändring",
        sections=["omfattning"],
        applies_from=year("2024/25"),
    )
    change.terms.update(seats=77)
    on_referral(agreement)
    return agreement


def test_the_parties_see_all_of_it(client, with_everything, owner):
    page = read(client, owner, with_everything)

    text = page.content.decode()
    for word in ("Hemlig kalkyl", "Hemlig ändring", "77", "remissvar"):
        assert word in text
    assert len(page.context["versions"]) == 2


def test_the_committee_reads_what_was_sent_but_no_calculation(client, with_everything, committee):
    text = read(client, committee, with_everything).content.decode()

    assert "Hemlig ändring" in text
    assert "Hemlig kalkyl" not in text
    answers = client.get(f"{with_everything.get_absolute_url()}remissvar/")
    assert "Hemlig synpunkt." in answers.content.decode()


@pytest.mark.parametrize("who", ["principal", "council_member"])
def test_the_rest_of_the_area_sees_only_what_is_signed(client, request, with_everything, who):
    user = request.getfixturevalue(who)
    page = read(client, user, with_everything)

    text = page.content.decode()
    for word in ("Hemlig", "77", "remissvar", "Remissvar"):
        assert word not in text, word
    assert [row.version.number for row in page.context["versions"]] == [1]
    assert [row.term.seats for row in page.context["holds"]] == [10]
    assert page.context["wait"] is None
    assert "§ 84" in text
    for address in ("remissvar/", "svar/", "till-beslut/", "remiss/"):
        assert client.get(f"{with_everything.get_absolute_url()}{address}").status_code in (403, 404), address
    for version in Version.objects.filter(number=2):
        assert client.get(version.get_absolute_url()).status_code == 404


def test_a_case_number_of_what_is_under_way_stays_with_the_parties(client, with_everything, principal, home, owner):
    set_case_number(
        party_of(with_everything, home),
        case_number="HEMLIGT/1",
        board=None,
        meets_on=date(2031, 3, 4),
        by=owner,
        on_behalf_of=home.body,
    )

    text = read(client, principal, with_everything).content.decode()

    assert "HEMLIGT/1" not in text
    assert "2031-03-04" not in text
    assert "HEMLIGT/1" in read(client, owner, with_everything).content.decode()


def test_a_neighbour_that_is_no_party_sees_no_draft(client, area, home, neighbour, owner, asker):
    third = MembershipFactory(area=area).municipality
    agreement = draft(area, [home, third], owner, programme=building())
    fill_in(agreement)
    client.force_login(asker)

    assert client.get(agreement.get_absolute_url()).status_code == 404
    on_referral(agreement)
    assert client.get(agreement.get_absolute_url()).status_code == 404


def test_buttons_are_for_those_who_may(client, agreement, committee, owner, neighbour):
    fill_in(agreement)
    on_referral(agreement)

    as_committee = read(client, committee, agreement).content.decode()
    as_owner = read(client, owner, agreement).content.decode()

    assert "till-beslut" not in as_committee
    assert "/svar/" not in as_committee
    assert "Läs remissvaren" in as_owner
    own = party_of(agreement, committee.roles.get().body.as_municipality)
    assert f"diarienummer/{own.pk}/" in as_committee
    assert f"diarienummer/{party_of(agreement, neighbour).pk}/" not in as_committee


# What is final


def test_versions_tell_what_changed_and_lead_to_files(client, agreement, home, owner):
    fill_in(agreement)
    on_referral(agreement)
    version = Version.objects.get()
    store_renditions(version, [MadeFile("pdf", "", "avtal.pdf", b"%PDF-1.7")])
    client.force_login(owner)
    client.post(f"{agreement.get_absolute_url()}ta-tillbaka/", {"reason": "Fel pris."})
    revision = revision_of(agreement)
    change_facts(revision, values={"incl_vat": True}, seen=revision.edit, by=owner, on_behalf_of=home.body)
    on_referral(agreement, last_day=today() + timedelta(days=7))

    page = read(client, owner, agreement)

    rows = page.context["versions"]
    assert [(row.version.number, row.is_first, row.changed) for row in rows] == [
        (2, False, ["Ersättning"]),
        (1, True, []),
    ]
    assert [kind for kind, _file in rows[1].files] == ["PDF"]
    assert version.renditions.get().get_absolute_url() in page.content.decode()


# What it costs


def a_large_one(area, home, neighbour, owner, count):
    """Signed, with `count` more parties, terms, decisions, files and calculations, and as many changes of it."""
    others = [MembershipFactory(area=area, municipality=MunicipalityFactory()).municipality for _ in range(count)]
    for one in (home, neighbour, *others):
        BoardFactory(municipality=one)
    programme = ProgrammeFactory(code="BA")
    orientations = [OrientationFactory(programme=programme) for _ in range(count)]
    terms = [
        NewTerm(home=home, provider=other, programme=programme, orientation=orientation)
        for other in others
        for orientation in orientations
    ]
    agreement = draft(area, [home, neighbour, *others], owner, terms=terms)
    for number in range(count):
        made = make_calculation(
            title=f"Kalkyl {number}", municipality=home, programme=programme, by=owner, on_behalf_of=home.body
        )
        Calculation.objects.filter(pk=made.pk).update(agreement=agreement)
    fill_in(agreement)
    on_referral(agreement)
    for other in (neighbour, *others):
        user = agreement.parties.get(municipality=other).municipality.body.roles.first()
        assert user is None or user.user
        from tests.agreements.stories import administrator_of

        answer(agreement, other, administrator_of(other))
    sign_all(agreement)
    for number in range(count):
        revision = start_revision(
            agreement,
            kind=RevisionKind.ANNEX,
            by=owner,
            on_behalf_of=home.body,
            applies_from=year(f"{2024 + number}/{25 + number}"),
        )
        revision.terms.update(seats=4 + number)
        sign_all(agreement)
    start_revision(agreement, kind=RevisionKind.ANNEX, by=owner, on_behalf_of=home.body, applies_from=year("2029/30"))
    return agreement


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("who", "queries"), [("owner", 30), ("council_member", 20)])
def test_the_page_costs_the_same_for_any_number(
    client, request, area, home, neighbour, owner, asker, count, who, queries, django_assert_num_queries
):
    agreement = a_large_one(area, home, neighbour, owner, count)
    client.force_login(request.getfixturevalue(who))
    client.get(agreement.get_absolute_url())

    with django_assert_num_queries(queries):
        client.get(agreement.get_absolute_url())
