"""Building the directory: what changes, what is told, and what is refused."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from collab4m.school_year import SchoolYear
from organisations.models import (
    Board,
    Contact,
    ContactPurpose,
    Membership,
    ProviderKind,
    School,
    SchoolBreak,
    Semester,
    TravelTime,
)
from organisations.models.case_numbers import matches_case_number_mask
from organisations.operations import (
    AlreadyMember,
    AreaNameTaken,
    AreaSlugTaken,
    BoardExists,
    BreakNamedTwice,
    BreaksOverlap,
    CaseNumberExampleDiffers,
    CaseNumberPatternUnusable,
    LastDayTooEarly,
    MarkTaken,
    MembershipHasEnded,
    OutsideSchoolYear,
    PositionTaken,
    ProviderExists,
    SchoolExists,
    SemestersOverlap,
    SiteElsewhere,
    SiteExists,
    TravelTimeExists,
    add_member,
    change_area,
    change_board,
    change_contact,
    change_member,
    change_school,
    change_school_year,
    change_site,
    change_travel_time,
    create_area,
    create_board,
    create_provider,
    create_school,
    create_site,
    create_travel_time,
    end_membership,
)
from records.histories import lines_of
from records.models import CameIn, Event, Source, span
from tests.factories import (
    AreaFactory,
    BoardFactory,
    MembershipFactory,
    MunicipalityFactory,
    SchoolFactory,
    SiteFactory,
)

pytestmark = pytest.mark.django_db
YEAR = SchoolYear(2022)


def told(subject):
    """The names of what happened to `subject`, latest first; each has a sentence."""
    events = list(Event.objects.about(subject))
    assert all(line.sentence for line in lines_of(events))
    return [event.name for event in events]


@pytest.fixture
def sara(system_administrator):
    return system_administrator


@pytest.fixture
def newcomer(db):
    return MunicipalityFactory(name="Sala", code="1981")


# Areas and their members


def test_create_area_tells_who_did_it(sara):
    area = create_area(name="Mittland", short_name="ML", slug="mittland", by=sara)

    assert told(area) == ["area.created"]
    assert Event.objects.about(area).get().by == sara


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"name": "Fyra Mälarstäder", "slug": "annat"}, AreaNameTaken),
        ({"name": "Annat", "slug": "4m"}, AreaSlugTaken),
        ({"name": "Annat", "slug": "nytt"}, AreaSlugTaken),
    ],
)
def test_create_area_refuses_a_name_or_address_in_use(area, sara, facts, error):
    with pytest.raises(error) as refusal:
        create_area(**facts, short_name="A", by=sara)

    assert refusal.value.field == ("name" if error is AreaNameTaken else "slug")


def test_change_area_keeps_what_differed(area, sara):
    change_area(area, name="Fem Mälarstäder", short_name=area.short_name, slug=area.slug, source_note="", by=sara)

    assert Event.objects.about(area).get().changes == {"name": ["Fyra Mälarstäder", "Fem Mälarstäder"]}


def test_change_area_to_the_same_tells_nothing(area, sara):
    change_area(area, name=area.name, short_name=area.short_name, slug=area.slug, source_note="", by=sara)

    assert told(area) == []


def test_add_member_holds_from_its_first_day(area, home, newcomer, sara):
    membership = add_member(area, newcomer, first_day=date(2023, 7, 1), position=9_000, mark="Sa", by=sara)

    assert (membership.first_day, membership.last_day) == (date(2023, 7, 1), None)
    assert told(area) == ["membership.added"]
    assert set(area.memberships.on(date(2023, 6, 30))) == {Membership.objects.get(municipality=home)}


def test_add_member_refuses_one_who_is_a_member(area, home, sara):
    with pytest.raises(AlreadyMember):
        add_member(area, home, first_day=date(2023, 7, 1), position=9_000, mark="X", by=sara)


def test_add_member_refuses_a_place_that_is_taken(area, home, newcomer, sara):
    taken = Membership.objects.get(municipality=home).position

    with pytest.raises(PositionTaken) as refusal:
        add_member(area, newcomer, first_day=date(2023, 7, 1), position=taken, mark="Sa", by=sara)

    assert refusal.value.field == "position"


def test_add_member_refuses_a_mark_that_is_taken(area, home, newcomer, sara):
    with pytest.raises(MarkTaken):
        add_member(area, newcomer, first_day=date(2023, 7, 1), position=9_000, mark="en", by=sara)


def test_a_municipality_may_belong_to_two_areas(home, sara):
    add_member(AreaFactory(), home, first_day=date(2023, 7, 1), position=1, mark="En", by=sara)

    assert home.memberships.count() == 2


def test_change_member_tells_what_changed(area, home, sara):
    membership = Membership.objects.get(municipality=home)

    change_member(membership, position=membership.position, mark="Ek", by=sara)

    membership.refresh_from_db()
    assert membership.mark == "Ek"
    assert Event.objects.about(area).get().changes == {"mark": ["En", "Ek"]}


def test_change_member_to_a_place_that_is_taken_lets_the_two_change_places(area, home, neighbour, sara):
    one, two = Membership.objects.get(municipality=home), Membership.objects.get(municipality=neighbour)
    places = one.position, two.position

    change_member(one, position=two.position, mark=one.mark, by=sara)

    one.refresh_from_db()
    two.refresh_from_db()
    assert (two.position, one.position) == places
    assert (one.came_in, two.came_in) == (CameIn.FORM, CameIn.FORM)
    before, after = (str(place) for place in places)
    events = Event.objects.about(area).filter(name="membership.changed")
    assert {event.data["municipality"]: event.changes for event in events} == {
        "Enköping": {"position": [before, after]},
        "Västerås": {"position": [after, before]},
    }


def test_change_member_refuses_to_change_places_when_a_third_has_one_of_them(area, home, newcomer, sara):
    former, present = Membership.objects.get(municipality=home), MembershipFactory(area=area, position=9_000)
    end_membership(former, last_day=date(2024, 6, 30), by=sara)
    add_member(area, newcomer, first_day=date(2024, 7, 1), position=former.position, mark="Sa", by=sara)

    with pytest.raises(PositionTaken):
        change_member(former, position=present.position, mark="En", by=sara)

    former.refresh_from_db()
    assert former.position != present.position


def test_end_membership_counts_the_last_day_and_frees_the_place(area, home, newcomer, sara):
    membership = Membership.objects.get(municipality=home)

    end_membership(membership, last_day=date(2025, 6, 30), by=sara)

    assert membership in area.memberships.on(date(2025, 6, 30))
    assert membership not in area.memberships.on(date(2025, 7, 1))
    add_member(area, newcomer, first_day=date(2025, 7, 1), position=membership.position, mark="En", by=sara)
    assert told(area) == ["membership.added", "membership.ended"]


def test_end_membership_refuses_what_has_ended_or_not_begun(area, newcomer, home, sara):
    membership = add_member(area, newcomer, first_day=date(2023, 7, 1), position=9_000, mark="Sa", by=sara)
    with pytest.raises(LastDayTooEarly):
        end_membership(membership, last_day=date(2023, 6, 30), by=sara)
    end_membership(membership, last_day=date(2024, 6, 30), by=sara)

    with pytest.raises(MembershipHasEnded):
        end_membership(membership, last_day=date(2027, 6, 30), by=sara)


# Boards


def test_create_board_is_checked_only_if_somebody_says_so(home, owner, sara):
    mine = create_board(municipality=home, name="gymnasienämnden", by=owner, on_behalf_of=home.body, checked=True)
    built = create_board(municipality=home, name="skolnämnden", by=sara)

    assert (mine.verified, built.verified, mine.came_in) == (True, False, CameIn.FORM)
    assert told(mine) == ["board.created"]
    assert Event.objects.about(mine).get().data == {"board": "gymnasienämnden, Enköping"}


def test_two_boards_in_a_municipality_cannot_share_a_name_at_once(home, neighbour, sara):
    create_board(municipality=home, name="gymnasienämnden", valid=span(None, date(2020, 12, 31)), by=sara)
    create_board(municipality=home, name="gymnasienämnden", valid=span(date(2021, 1, 1), None), by=sara)
    create_board(municipality=neighbour, name="gymnasienämnden", by=sara)

    with pytest.raises(BoardExists):
        create_board(municipality=home, name="Gymnasienämnden", by=sara)


def test_change_board_leaves_the_old_source_when_a_sourced_fact_changes(home, owner):
    source = Source.objects.create(key="kalla")
    board = BoardFactory(municipality=home, name="nämnden", source=source, came_in=CameIn.REFERENCE, verified=True)

    change_board(board, name="gymnasienämnden", by=owner, on_behalf_of=home.body)

    board.refresh_from_db()
    assert (board.source, board.came_in, board.verified) == (None, CameIn.FORM, False)
    assert Event.objects.about(board).get().changes == {"name": ["nämnden", "gymnasienämnden"]}
    assert Event.objects.about(board).get().on_behalf_of_id == home.pk


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ({"valid": span(date(2019, 1, 1), None)}, (False, CameIn.FORM, False)),
        ({"valid": span(date(2019, 1, 1), None), "checked": True}, (False, CameIn.FORM, True)),
        ({"source_note": "beslut"}, (True, CameIn.FORM, False)),
        ({"administration": ""}, (True, CameIn.REFERENCE, True)),
    ],
)
def test_change_board_leaves_source_and_check_with_what_changes(home, sara, said, left):
    source = Source.objects.create(key="kalla")
    board = BoardFactory(municipality=home, source=source, came_in=CameIn.REFERENCE, verified=True)

    change_board(board, by=sara, **said)

    board.refresh_from_db()
    assert (board.source == source, board.came_in, board.verified) == left


def test_change_board_may_only_say_that_what_stands_is_checked(home, sara):
    source = Source.objects.create(key="kalla")
    board = BoardFactory(municipality=home, source=source, came_in=CameIn.REFERENCE)

    change_board(board, name=board.name, checked=True, by=sara)

    board.refresh_from_db()
    assert (board.source, board.came_in, board.verified) == (source, CameIn.REFERENCE, True)
    assert Event.objects.about(board).get().changes == {"verified": ["false", "true"]}


def test_change_member_puts_a_mistyped_first_day_right(area, home, sara):
    membership = area.memberships.get(municipality=home)
    place = {"position": membership.position, "mark": membership.mark}
    before = str(membership.first_day or "")

    change_member(membership, first_day=date(2021, 7, 1), **place, by=sara)

    membership.refresh_from_db()
    assert membership.first_day == date(2021, 7, 1)
    assert Event.objects.about(area).get().changes == {"first_day": [before, "2021-07-01"]}


def test_a_leaving_member_may_come_back(area, home, sara):
    end_membership(area.memberships.get(municipality=home), last_day=date(2027, 6, 30), by=sara)

    with pytest.raises(AlreadyMember):
        add_member(area, home, first_day=date(2027, 6, 30), position=1, mark="En", by=sara)
    again = add_member(area, home, first_day=date(2027, 7, 1), position=1, mark="En", by=sara)

    assert again.first_day == date(2027, 7, 1)


@pytest.mark.parametrize(
    ("mask", "fits", "does_not_fit"),
    [
        (
            "{år}/{nr}-UAN-{nr}",
            ["2015/1536-UAN-041", "2011/187-UAN-666"],
            ["2015/1536-UAN-", "15/1-UAN-1", "2015/1-uan-1"],
        ),
        ("{text} {år}/{nr}", ["BIN 2023/31", "GN 2022/5"], ["BIN2023/31", "1 2023/31"]),
        ("{år}/BUN {nr}", ["2023/BUN 0214"], ["2023/BUN 0214 ", "1850/BUN 1"]),
        ("UN.{nr}", ["UN.7"], ["UNx7"]),
    ],
)
def test_mask_of_case_numbers(mask, fits, does_not_fit):
    board = Board(case_number_pattern=mask)

    assert [number for number in fits + does_not_fit if board.accepts_case_number(number)] == fits


def test_a_board_without_a_mask_accepts_any_case_number():
    assert Board().accepts_case_number("vad som helst")


def test_a_mask_is_read_in_no_time_whatever_is_typed():
    mask = "-".join(["{nr}"] * 8)

    assert not matches_case_number_mask(mask, "1-" * 5000)
    assert not matches_case_number_mask("{text}a" * 1, "a" * 5000)


@pytest.mark.parametrize("mask", ["UAN", "{nr}{nr}", "{number}", "{nr", "nr}", "{}", "-".join(["{nr}"] * 9)])
def test_create_board_refuses_a_mask_that_cannot_be_used(home, sara, mask):
    with pytest.raises(CaseNumberPatternUnusable) as refusal:
        create_board(municipality=home, name="nämnden", case_number_pattern=mask, by=sara)

    assert refusal.value.field == "case_number_pattern"


def test_change_board_refuses_an_example_that_does_not_fit(home, sara):
    board = BoardFactory(municipality=home, case_number_pattern="{år}/{nr}")

    with pytest.raises(CaseNumberExampleDiffers):
        change_board(board, case_number_example="2022-1", by=sara)


def test_a_board_itself_says_that_its_example_does_not_fit(home):
    board = BoardFactory(municipality=home, case_number_pattern="{år}/{nr}", case_number_example="2022/1")
    board.full_clean()
    board.case_number_pattern = "{nr}-UAN"

    with pytest.raises(ValidationError) as refusal:
        board.full_clean()

    assert [*refusal.value.error_dict] == ["case_number_example"]


# Schools, providers and sites


def test_two_schools_in_a_municipality_cannot_share_a_name_at_once(home, neighbour, sara):
    create_school(municipality=home, name="Nya gymnasiet", valid=span(None, date(2020, 12, 31)), by=sara)
    create_school(municipality=home, name="Nya gymnasiet", valid=span(date(2021, 1, 1), None), by=sara)
    create_school(municipality=neighbour, name="Nya gymnasiet", by=sara)
    other = SchoolFactory(municipality=home)

    with pytest.raises(SchoolExists) as refusal:
        create_school(municipality=home, name="nya gymnasiet", by=sara)
    with pytest.raises(SchoolExists):
        change_school(other, name="Nya gymnasiet", by=sara)

    assert refusal.value.field == "name"
    assert School.objects.filter(municipality=home).count() == 3


def test_a_school_itself_says_that_its_name_is_in_use(home, school):
    other = SchoolFactory(municipality=home)
    other.full_clean()
    other.name = school.name

    with pytest.raises(ValidationError) as refusal:
        other.full_clean()

    assert [*refusal.value.error_dict] == ["name"]


def test_create_school_with_provider_and_site(home, sara):
    provider = create_provider(name="Enköpings kommun", kind=ProviderKind.MUNICIPAL, municipality=home, by=sara)
    site = create_site(municipality=home, name="Västra skolan", by=sara)

    school = create_school(municipality=home, name="Nya gymnasiet", provider=provider, sites=[site], by=sara)

    assert school.is_municipal
    assert list(school.sites.all()) == [site]
    assert [told(one) for one in (provider, site, school)] == [
        ["provider.created"],
        ["site.created"],
        ["school.created"],
    ]


def test_create_school_refuses_a_site_elsewhere(home, neighbour, sara):
    with pytest.raises(SiteElsewhere):
        create_school(municipality=home, name="Nya gymnasiet", sites=[SiteFactory(municipality=neighbour)], by=sara)


def test_change_school_tells_of_its_sites_by_name(home, school, owner):
    site = SiteFactory(municipality=home, name="Västra skolan")

    change_school(school, sites=[site], status="Öppen", by=owner, on_behalf_of=home.body)

    assert Event.objects.about(school).get().changes == {"sites": ["", "Västra skolan"], "status": ["", "Öppen"]}


def test_sites_and_providers_are_not_made_twice(home, sara):
    create_site(municipality=home, name="Västra skolan", by=sara)
    create_provider(name="Skolbolaget", kind=ProviderKind.INDEPENDENT, by=sara)

    with pytest.raises(SiteExists):
        create_site(municipality=home, name="västra skolan", by=sara)
    with pytest.raises(ProviderExists):
        create_provider(name="skolbolaget", kind=ProviderKind.INDEPENDENT, by=sara)


def test_change_site_to_a_name_in_use_is_refused(home, sara):
    SiteFactory(municipality=home, name="Västra skolan")

    with pytest.raises(SiteExists):
        change_site(SiteFactory(municipality=home), name="Västra skolan", by=sara)


def test_what_a_demonstration_person_makes_is_an_example(home, sara):
    sara.example = True

    assert create_board(municipality=home, name="nämnden", by=sara).example
    assert create_area(name="Mittland", short_name="ML", slug="mittland", by=sara).example


# Travel times


def test_travel_time_is_created_once_whichever_way_one_goes(home, neighbour, owner):
    facts = {"mode": "rail", "by": owner, "on_behalf_of": home.body}
    there = create_travel_time(origin=home, destination=neighbour, minutes=17, **facts)
    create_travel_time(origin=home, destination=neighbour, **facts | {"mode": "road"})

    for origin, destination in ((home, neighbour), (neighbour, home), (home, home)):
        with pytest.raises(TravelTimeExists):
            create_travel_time(origin=origin, destination=destination, **facts)
    assert not there.verified
    assert told(there) == ["travel_time.created"]


def test_a_travel_time_cannot_be_moved_to_days_when_another_holds(home, neighbour, owner):
    facts = {"mode": "rail", "by": owner, "on_behalf_of": home.body}
    before = {"origin": home, "destination": neighbour, "valid": span(None, date(2022, 12, 31))}
    after = {"origin": neighbour, "destination": home, "valid": span(date(2023, 1, 1), None)}
    create_travel_time(**before, **facts)
    moved = create_travel_time(**after, **facts)
    moved.full_clean()

    with pytest.raises(TravelTimeExists) as refusal:
        change_travel_time(moved, valid=span(date(2022, 12, 31), None), by=owner)

    assert refusal.value.field == "first_day"
    moved.refresh_from_db()
    assert moved.first_day == date(2023, 1, 1)


def test_travel_time_that_was_unknown_becomes_known_and_unknown_again(home, neighbour, owner):
    source = Source.objects.create(key="kalla")
    unknown = TravelTime.objects.create(origin=neighbour, destination=home, mode="rail", source=source)

    change_travel_time(unknown, minutes=17, by=owner, on_behalf_of=home.body)
    change_travel_time(unknown, minutes=None, by=owner, on_behalf_of=home.body)

    unknown.refresh_from_db()
    assert (unknown.minutes, unknown.source, unknown.came_in) == (None, None, CameIn.FORM)
    assert [event.changes for event in Event.objects.about(unknown)] == [
        {"minutes": ["17", ""]},
        {"minutes": ["", "17"]},
    ]


# Contacts and school years


def test_change_contact_tells_before_and_after(home, owner):
    facts = {"by": owner, "on_behalf_of": home.body}
    change_contact(home, ContactPurpose.ACCESSIBILITY, owner="Kommunstyrelsen", email="webb@enkoping.example", **facts)
    change_contact(home, ContactPurpose.ACCESSIBILITY, owner="Nämnden", email="webb@enkoping.example", **facts)
    change_contact(home, ContactPurpose.ACCESSIBILITY, owner="Nämnden", email="webb@enkoping.example", **facts)

    assert told(home) == ["contact.changed", "contact.changed"]
    latest = Event.objects.about(home).first()
    assert latest.data["before"] == "Kommunstyrelsen, webb@enkoping.example"
    assert Contact.objects.get().is_complete


def test_change_school_year_makes_the_year_what_is_said(home, owner):
    facts = {"by": owner, "on_behalf_of": home.body}
    autumn = (date(2022, 8, 17), date(2022, 12, 20))
    change_school_year(home, YEAR, semesters={"HT": autumn, "VT": None}, breaks=[_break("höstlov", 10, 31)], **facts)

    change_school_year(home, YEAR, semesters={"HT": autumn, "VT": None}, breaks=[_break("lov", 10, 31)], **facts)

    assert [semester.kind for semester in Semester.objects.filter(municipality=home)] == ["HT"]
    assert [one.name for one in SchoolBreak.objects.filter(municipality=home)] == ["lov"]
    assert Event.objects.about(home).first().changes == {
        "höstlov": ["2022-10-31–2022-10-31", ""],
        "lov": ["", "2022-10-31–2022-10-31"],
    }


def test_change_school_year_to_the_same_tells_nothing(home, owner):
    facts = {"semesters": {}, "breaks": [_break("höstlov", 10, 31)], "by": owner, "on_behalf_of": home.body}
    change_school_year(home, YEAR, **facts)

    change_school_year(home, YEAR, **facts)

    assert told(home) == ["school_year.changed"]


def test_two_breaks_may_change_days_with_each_other(home, owner):
    facts = {"semesters": {}, "by": owner, "on_behalf_of": home.body}
    change_school_year(home, YEAR, breaks=[_break("ett", 10, 1), _break("två", 10, 2)], **facts)

    change_school_year(home, YEAR, breaks=[_break("ett", 10, 2), _break("två", 10, 1)], **facts)

    assert SchoolBreak.objects.get(name="ett").first_day == date(2022, 10, 2)


@pytest.mark.parametrize(
    ("semesters", "breaks", "error"),
    [
        ({"HT": (date(2022, 6, 30), date(2022, 12, 20))}, [], OutsideSchoolYear),
        ({"HT": (date(2022, 12, 20), date(2022, 8, 17))}, [], LastDayTooEarly),
        (
            {"HT": (date(2022, 8, 17), date(2023, 1, 10)), "VT": (date(2023, 1, 10), date(2023, 6, 9))},
            [],
            SemestersOverlap,
        ),
        (
            {},
            [("ett", date(2022, 10, 1), date(2022, 10, 5)), ("två", date(2022, 10, 5), date(2022, 10, 6))],
            BreaksOverlap,
        ),
        (
            {},
            [("lov", date(2022, 10, 1), date(2022, 10, 5)), ("Lov", date(2022, 11, 5), date(2022, 11, 6))],
            BreakNamedTwice,
        ),
    ],
)
def test_change_school_year_refuses_days_that_cannot_be(home, owner, semesters, breaks, error):
    with pytest.raises(error):
        change_school_year(home, YEAR, semesters=semesters, breaks=breaks, by=owner, on_behalf_of=home.body)

    assert not Semester.objects.filter(municipality=home).exists()


def _break(name, month, day):
    return name, date(2022, month, day), date(2022, month, day)


def test_schools_lie_in_swedish_order(home):
    for name in ("Ö", "Ä", "Å", "z"):
        SchoolFactory(municipality=home, name=name)

    assert [school.name for school in home.schools.in_swedish_order()] == ["z", "Å", "Ä", "Ö"]
