"""The cover matrix, its files, the gap page's words and the report of used seats."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.test import Client

from agreements.models import RevisionKind, SeatUse, Standing
from agreements.operations import (
    CoverState,
    NotUnderAgreement,
    NotYourSeats,
    SeatUseChanged,
    cover_of_area,
    cover_states,
    give_notice,
    matrix_of_cover,
    report_seat_use,
    start_revision,
)
from collab4m.clock import today
from collab4m.school_year import SchoolYear
from organisations.models import Membership
from programmes.models import Answer
from programmes.operations import GapState, gaps_of
from records.models import Event, span
from tests.agreements.stories import administrator_of, building, draft, party_of, sign_all, signed, year
from tests.factories import MembershipFactory, MunicipalityFactory, OrientationFactory, ProgrammeFactory
from tests.programmes.offers import own_school, report, say

YEAR = SchoolYear(2022)
ADDRESS = "/avtal/tackning/?lasar=2022-23"


@pytest.fixture
def programme(home, neighbour, owner, asker):
    """Building, which only the neighbour offers, in both orientations."""
    made = building()
    report(own_school(home))
    report(own_school(neighbour), *made.orientations.all())
    return made


@pytest.fixture
def agreement(area, home, neighbour, owner, programme):
    return signed(draft(area, [home, neighbour], owner, programme=programme, title="Bygg"), seats=10)


def states(area, reader, at=YEAR) -> dict[tuple[str, str], CoverState]:
    """By home municipality and leaf."""
    return {
        (cell.home.name, (cell.orientation or cell.programme).code): cell.state
        for cell in cover_of_area(area, at, reader)
    }


def leaf(programme, code):
    return programme.orientations.get(code=code)


def use(agreement, programme, home, neighbour, admitted, code="BAHUS", **more):
    return report_seat_use(
        home=home, provider=neighbour, programme=programme, orientation=leaf(programme, code), intake=YEAR,
        admitted=admitted, by=administrator_of(home), on_behalf_of=home.body, **more,
    )  # fmt: skip


# States


def test_a_leaf_is_offered_a_gap_or_offered_nowhere(area, home, programme, owner):
    missing = ProgrammeFactory(code="NB")

    assert states(area, owner) == {
        ("Enköping", "BAHUS"): CoverState.UNCOVERED,
        ("Enköping", "BAMAR"): CoverState.UNCOVERED,
        ("Enköping", missing.code): CoverState.NOWHERE,
        ("Västerås", "BAHUS"): CoverState.OFFERED,
        ("Västerås", "BAMAR"): CoverState.OFFERED,
        ("Västerås", missing.code): CoverState.NOWHERE,
    }


def test_a_missing_answer_is_never_a_gap(area, home, neighbour, owner, asker):
    building()
    report(own_school(home))
    own_school(neighbour)

    assert set(states(area, owner).values()) == {CoverState.NOT_REPORTED}


def test_what_is_signed_is_known_though_nobody_has_reported(area, home, neighbour, owner, asker):
    signed(draft(area, [home, neighbour], owner, programme=building()))

    assert states(area, owner)["Enköping", "BAHUS"] == CoverState.COVERED
    assert states(area, owner)["Västerås", "BAHUS"] == CoverState.NOT_REPORTED


def test_a_gap_turns_covered_for_just_the_agreed_intakes_and_then_ends(area, home, neighbour, owner, asker, programme):
    """Check 20: from a programme that goes, over an agreement, to notice."""
    this_year = SchoolYear.of(today())
    for municipality, offered in ((home, []), (neighbour, list(programme.orientations.all()))):
        (school,) = municipality.schools.all()
        for step in range(-1, 5):
            report(school, *offered, school_year=this_year + step)
    assert states(area, owner, this_year)["Enköping", "BAHUS"] == CoverState.UNCOVERED

    made = signed(draft(area, [home, neighbour], owner, programme=programme), first_day=this_year.first_day)
    assert states(area, owner, this_year + -1)["Enköping", "BAHUS"] == CoverState.UNCOVERED
    assert states(area, owner, this_year)["Enköping", "BAHUS"] == CoverState.COVERED
    assert states(area, owner, this_year + 2)["Enköping", "BAHUS"] == CoverState.COVERED

    notice = give_notice(
        party_of(made, home), given_on=today(), received_on=today(),
        by=administrator_of(home), on_behalf_of=home.body,
    )  # fmt: skip
    cell = next(one for one in cover_of_area(area, this_year, owner) if one.home == home)
    assert cell.state == CoverState.EXPIRING
    (covering,) = cell.coverings
    assert (covering.ends_on, covering.ended_by) == (notice.effective_on, "notice")
    assert [(notice.effective_on - lead.day).days for lead in covering.leads] == [180, 60]
    assert [lead.is_reached for lead in covering.leads] == [
        notice.effective_on - timedelta(days=days) <= today() for days in (180, 60)
    ]
    after = SchoolYear.of(notice.effective_on) + 1
    assert states(area, owner, after)["Enköping", "BAHUS"] == CoverState.UNCOVERED


def test_cover_that_another_agreement_takes_over_does_not_end(area, home, neighbour, owner, programme):
    first = signed(
        draft(area, [home, neighbour], owner, programme=programme), is_open_ended=False, last_day=YEAR.last_day
    )
    assert states(area, owner)["Enköping", "BAHUS"] == CoverState.EXPIRING

    signed(draft(area, [home, neighbour], owner, programme=programme), first_day=(YEAR + 1).first_day)

    assert states(area, owner)["Enköping", "BAHUS"] == CoverState.COVERED
    assert first.covers.count() == 2


def test_cover_that_an_annex_drops_ends_with_the_terms(agreement, area, home, neighbour, owner, programme):
    revision = start_revision(
        agreement, kind=RevisionKind.ANNEX, by=owner, on_behalf_of=home.body, applies_from=year("2024/25"),
        sections=["omfattning"],
    )  # fmt: skip
    revision.terms.update(orientation=leaf(programme, "BAMAR"))
    sign_all(agreement)

    cells = {cell.orientation.code: cell for cell in cover_of_area(area, YEAR, owner) if cell.home == home}
    assert cells["BAMAR"].state == CoverState.COVERED
    assert cells["BAHUS"].state == CoverState.EXPIRING
    (covering,) = cells["BAHUS"].coverings
    assert (covering.ends_on, covering.ended_by) == ((YEAR + 1).last_day, "terms")


def test_cover_does_not_end_when_nobody_can_begin_on_it_any_more(area, home, neighbour, owner, asker):
    programme = ProgrammeFactory(code="HP", valid=span(None, (YEAR + 1).last_day))
    made = signed(draft(area, [home, neighbour], owner, programme=programme))

    assert made.covers.get().years.upper == 2024
    assert states(area, owner)["Enköping", "HP"] == CoverState.COVERED


def test_the_gaps_are_those_of_the_gap_page(area, home, neighbour, owner, programme):
    third = MembershipFactory(area=area, municipality=MunicipalityFactory(name="Strängnäs", code="0486")).municipality
    other = ProgrammeFactory(code="EK")
    law, economy = (OrientationFactory(programme=other, code=code) for code in ("EKJUR", "EKEKO"))
    at_third = report(own_school(third), law, complete=False)
    say(at_third, leaf(programme, "BAMAR"), offered=False)
    report(own_school(neighbour), economy)

    found = {
        (cell.home.pk, cell.programme.pk, cell.orientation.pk if cell.orientation else None): cell
        for cell in cover_of_area(area, YEAR, owner)
    }

    for municipality in (home, neighbour, third):
        gaps = gaps_of(municipality, YEAR, reader=owner)
        for row in gaps.rows:
            if row.orientation is None:
                continue
            cell = found[municipality.pk, row.programme.pk, row.orientation.pk]
            same = {
                GapState.NEIGHBOUR_OFFERS: CoverState.UNCOVERED,
                GapState.NOBODY_OFFERS: CoverState.NOWHERE,
                GapState.NOT_REPORTED: CoverState.NOT_REPORTED,
            }
            assert cell.state == same[row.state]
            assert cell.own.answer == row.own.answer
        keys = {row.key for row in gaps.rows if row.state == GapState.NEIGHBOUR_OFFERS}
        begun_from = {cell.gap_key for key, cell in found.items() if key[0] == municipality.pk and cell.gap_key}
        assert begun_from <= keys
    assert found[home.pk, programme.pk, leaf(programme, "BAHUS").pk].own.answer == Answer.NOT_OFFERED


# Seats


def test_seats_of_a_whole_programme_are_shared_by_its_orientations(agreement, area, home, neighbour, owner, programme):
    use(agreement, programme, home, neighbour, 6)
    use(agreement, programme, home, neighbour, 3, code="BAMAR")

    (covering,) = next(cell for cell in cover_of_area(area, YEAR, owner) if cell.home == home).coverings

    assert (covering.cover.seats, covering.used.number, covering.free, covering.is_shared) == (10, 9, 1, True)


def test_more_than_agreed_is_allowed_and_said(agreement, area, home, neighbour, owner, programme, client):
    use(agreement, programme, home, neighbour, 12)

    (covering,) = next(cell for cell in cover_of_area(area, YEAR, owner) if cell.home == home).coverings

    assert (covering.free, covering.over) == (-2, 2)


def test_small_numbers_are_hidden_from_others_in_the_area(
    agreement, area, home, neighbour, owner, programme, principal
):
    use(agreement, programme, home, neighbour, 3)
    use(agreement, programme, home, neighbour, 6, code="BAMAR")

    def of(reader):
        return next(cell for cell in cover_of_area(area, YEAR, reader) if cell.home == home).coverings[0]

    assert (of(owner).used.number, of(owner).free) == (9, 1)
    assert (of(principal).used.number, of(principal).free, of(principal).cover.seats) == (None, None, 10)
    assert (of(principal).used.least, of(principal).used.is_whole) == (6, False)


def test_history_of_a_number_is_read_by_the_two_only(agreement, home, neighbour, owner, asker, principal, programme):
    made = use(agreement, programme, home, neighbour, 3)
    told = Event.objects.about(made)

    assert told.get().name == "seat_use.reported"
    assert told.filter(made.visible_events(owner)).exists()
    assert told.filter(made.visible_events(asker)).exists()
    assert not told.filter(made.visible_events(principal)).exists()


def test_a_second_report_replaces_the_first_and_history_keeps_both(agreement, home, neighbour, programme):
    use(agreement, programme, home, neighbour, 3)
    made = use(agreement, programme, home, neighbour, 8, seen="3", source_note="Antagningslistan")

    assert SeatUse.objects.get() == made
    assert made.admitted == 8
    assert [event.changes["admitted"] for event in Event.objects.about(made).order_by("pk")] == [["", "3"], ["3", "8"]]


def test_a_number_that_somebody_else_has_reported_meanwhile_is_not_overwritten(agreement, home, neighbour, programme):
    use(agreement, programme, home, neighbour, 7)

    with pytest.raises(SeatUseChanged) as refused:
        use(agreement, programme, home, neighbour, 8, seen="")

    assert refused.value.stands == 7
    assert SeatUse.objects.get().admitted == 7


def test_only_the_two_report_and_only_what_is_covered(agreement, home, neighbour, outsider, elsewhere, programme):
    orientation = leaf(programme, "BAHUS")
    facts = {"home": home, "provider": neighbour, "programme": programme, "orientation": orientation, "admitted": 1}

    with pytest.raises(NotYourSeats):
        report_seat_use(**facts, intake=YEAR, by=outsider, on_behalf_of=elsewhere.body)
    with pytest.raises(NotUnderAgreement):
        report_seat_use(**facts, intake=SchoolYear(2021), by=administrator_of(home), on_behalf_of=home.body)
    assert not SeatUse.objects.exists()


# The page


def page(user, address=ADDRESS):
    client = Client()
    client.force_login(user)
    return client.get(address)


def test_the_page_begins_an_agreement_for_ones_own_municipality(area, home, programme, owner, asker):
    start = f"/avtal/nytt/?kommun={home.code}&amp;lasar=2022-23&amp;rad=BA"

    assert start in page(owner).content.decode()
    assert start not in page(asker).content.decode()
    assert f"/program/saknas/?kommun={home.code}&amp;lasar=2022-23#rad-" in page(asker).content.decode()


def test_the_page_tells_cover_and_where_it_is_agreed(agreement, home, neighbour, programme, owner):
    use(agreement, programme, home, neighbour, 6)

    text = page(owner).content.decode()

    assert f'href="{agreement.get_absolute_url()}"' in text
    assert ">6/10<" in text


def test_the_file_has_the_rows_of_the_page(agreement, area, home, neighbour, programme, owner):
    use(agreement, programme, home, neighbour, 6)
    cells = cover_of_area(area, YEAR, owner)

    text = page(owner, "/avtal/tackning/fil/csv/?lasar=2022-23").content.decode("utf-8-sig")

    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert [(row[3], row[5], row[6]) for row in rows[1:]] == [
        (cell.orientation.code, cell.home.name, str(cell.state.label)) for cell in cells
    ]
    covered = [row for row in rows[1:] if row[5] == "Enköping"]
    assert [(row[8], row[9], row[12], row[14], row[15]) for row in covered] == 2 * [
        ("Västerås", agreement.number, "10", "6", "4")
    ]


@pytest.mark.parametrize(("shown", "lines"), [("", 3), ("luckor", 2), ("slutar", 0), ("atgard", 2), ("nonsens", 3)])
def test_filters_show_what_needs_somebody(area, programme, owner, shown, lines):
    ProgrammeFactory(code="NB")

    response = page(owner, f"{ADDRESS}&visa={shown}")

    assert len(response.context["matrix"].lines) == lines
    rows = page(owner, f"/avtal/tackning/fil/csv/?lasar=2022-23&visa={shown}").content.decode("utf-8-sig")
    assert len(rows.splitlines()) == 1 + 2 * lines


@pytest.mark.parametrize("query", ["lasar=2022", "lasar=1850-51", "omrade=finns-inte", "omrade=%00"])
def test_what_is_not_there_is_not_found(area, programme, owner, query):
    assert page(owner, f"/avtal/tackning/?{query}").status_code in (400, 404)


def test_the_area_is_closed_to_others(agreement, area, outsider, roleless):
    assert page(outsider, f"{ADDRESS}&omrade={area.slug}").status_code == 404
    assert page(roleless).status_code == 404


@pytest.mark.parametrize("number", [1, 3])
def test_the_matrix_costs_the_same_however_much_there_is(
    django_assert_num_queries, area, home, neighbour, owner, asker, number
):
    for nth in range(number):
        programme = ProgrammeFactory(code=f"P{nth}")
        made = signed(
            draft(area, [home, neighbour], owner, programme=programme), is_open_ended=False, last_day=YEAR.last_day
        )
        report_seat_use(
            home=home, provider=neighbour, programme=programme, intake=YEAR, admitted=nth,
            by=owner, on_behalf_of=home.body,
        )  # fmt: skip
        assert made.covers.exists()
    report(own_school(home))
    reader = type(owner).objects.get(pk=owner.pk)
    reader.bodies_today()

    with django_assert_num_queries(15):
        assert len(matrix_of_cover(area, YEAR, reader).ending) == number


# The gap page


def test_the_gap_page_tells_what_covers_a_gap_and_what_is_being_drafted(area, home, neighbour, owner, asker, programme):
    signed(
        draft(
            area, [home, neighbour], owner,
            terms=[_term(home, neighbour, programme, "BAHUS")], standing=Standing.PRIMARY,
        ),
        is_open_ended=False, last_day=YEAR.last_day,
    )  # fmt: skip
    begun = draft(area, [home, neighbour], owner, terms=[_term(home, neighbour, programme, "BAMAR")])
    rows = gaps_of(home, YEAR, reader=owner).rows

    found = cover_states(home, YEAR, rows, owner)

    assert [(address, tone) for _words, address, tone in found["BA"]] == [
        ("/avtal/%s/" % (begun.pk - 1), "warning"),
        (begun.get_absolute_url(), "neutral"),
    ]
    words = found["BA"][0][0]
    assert "2023-06-30" in words
    assert "2023-01-01" in words
    assert "2023-05-01" in words


def test_drafts_are_told_to_the_parties_only(area, home, neighbour, owner, principal, programme):
    draft(area, [home, neighbour], owner, programme=programme)
    rows = gaps_of(home, YEAR, reader=principal).rows

    assert cover_states(home, YEAR, rows, principal) == {}
    assert list(cover_states(home, YEAR, rows, owner)) == ["BA"]


def _term(home, neighbour, programme, code):
    from agreements.operations import NewTerm

    return NewTerm(home, neighbour, programme, leaf(programme, code), seats=5)


# Reporting used seats

SEATS = "/avtal/tackning/platser/?lasar=2022-23"


def fields(home, neighbour, programme, **numbers):
    data = {"source_note": "Antagningslistan"}
    for code in ("BAHUS", "BAMAR"):
        key = f"{home.pk}-{neighbour.pk}-{programme.pk}-{leaf(programme, code).pk}"
        data[key], data[f"{key}-sedd"] = numbers.get(code, ""), numbers.get(f"{code}_seen", "")
    return data


def test_both_municipalities_report_and_others_do_not(
    agreement, home, neighbour, programme, client, owner, asker, outsider, principal
):
    for user, status, shown in ((owner, 200, 2), (asker, 200, 2), (outsider, 200, 0), (principal, 403, 0)):
        response = page(user, SEATS)
        assert response.status_code == status
        assert status == 403 or len(response.context["form"].leaves) == shown

    client.force_login(owner)
    response = client.post(SEATS, fields(home, neighbour, programme, BAHUS="12", BAMAR="0"))

    assert response.status_code == 302
    assert set(SeatUse.objects.values_list("orientation__code", "admitted")) == {("BAHUS", 12), ("BAMAR", 0)}
    assert "2 fler" in page(owner, SEATS).content.decode() or "2 more" in page(owner, SEATS).content.decode()


@pytest.mark.parametrize("typed", ["-1", "tolv", "99999999999", "1,5"])
def test_a_bad_number_is_told_at_its_field_and_nothing_is_saved(
    agreement, home, neighbour, programme, client, owner, typed
):
    client.force_login(owner)

    response = client.post(SEATS, fields(home, neighbour, programme, BAHUS=typed, BAMAR="4"))

    assert response.status_code == 200
    assert len(response.context["form"].errors) == 1
    assert f'value="{typed}"' in response.content.decode()
    assert not SeatUse.objects.exists()


def test_a_number_reported_meanwhile_is_shown_and_the_next_save_goes_through(
    agreement, home, neighbour, programme, client, owner
):
    use(agreement, programme, home, neighbour, 7)
    client.force_login(owner)

    response = client.post(SEATS, fields(home, neighbour, programme, BAHUS="8", BAMAR="4"))

    assert response.status_code == 200
    assert SeatUse.objects.get().admitted == 7
    key = f"{home.pk}-{neighbour.pk}-{programme.pk}-{leaf(programme, 'BAHUS').pk}-sedd"
    assert response.context["form"][key].value() == "7"
    client.post(SEATS, fields(home, neighbour, programme, BAHUS="8", BAHUS_seen="7", BAMAR="4"))
    assert set(SeatUse.objects.values_list("admitted", flat=True)) == {8, 4}


def test_the_members_stand_in_the_agreed_order(area, home, neighbour, programme, owner):
    Membership.objects.filter(area=area, municipality=home).update(position=9_999)

    assert [cell.home for cell in cover_of_area(area, YEAR, owner)][:2] == [neighbour, home]
