"""Sharing: what is said of a resource, its pieces, times and price, and who decides meanwhile."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from collab4m.clock import now, today
from collab4m.school_year import SchoolYear
from organisations.models import RoleKind
from organisations.operations import change_school_year
from records.models import Event, span
from resources.models import (
    Approval,
    Deputy,
    Feature,
    OpenSpan,
    RequestState,
    Resource,
    Takes,
    Unit,
    Waiting,
    WaitState,
)
from resources.operations import (
    NameTaken,
    NotYours,
    Opening,
    ResourceChanged,
    ResourceRefused,
    approve_booking,
    block_resource,
    bodies_shared_for,
    cancel_booking,
    change_resource,
    end_deputy,
    in_the_way,
    is_free,
    is_open,
    name_deputy,
    open_up,
    open_up_all,
    openings_of,
    price_of,
    red_day_names,
    request_booking,
    retire_resource,
    set_opening,
    set_price,
    share_again,
    share_resource,
    span_of,
    wait_for,
)
from tests.factories import (
    CategoryFactory,
    ProviderFactory,
    ResourceFactory,
    RoleFactory,
    SchoolFactory,
    SiteFactory,
    UserFactory,
)


@pytest.fixture
def who(home, owner):
    return {"by": owner, "on_behalf_of": home.body}


@pytest.fixture
def bus(home, buses):
    return ResourceFactory(name="Buss 1", municipality=home, category=buses, capacity=9)


@pytest.fixture
def share(home, owner, buses):
    def made(name="Buss 1", **more):
        facts = {"name": name, "category": buses, "kind": buses.kind} | more.pop("facts", {})
        return share_resource(**{"owner": home.body, "facts": facts, "by": owner} | more)

    return made


def told_of(resource):
    return list(Event.objects.about(resource).order_by("pk").values_list("name", flat=True))


# Sharing and changing


def test_what_is_shared_is_one_piece_of_its_own_name_and_always_open(share, home):
    bus = share()

    assert [unit.name for unit in bus.units.all()] == ["Buss 1"]
    assert bus.municipality == home
    assert bus.approval == Approval.BY_OWNER
    assert bus.open_spans.count() == 1
    assert told_of(bus) == ["resource.shared"]


def test_a_school_shares_where_it_lies_and_its_municipality_may_do_it_for_the_school(share, school, home):
    with pytest.raises(NotYours):
        share(owner=school.body)  # nobody is known to run it

    hall = share(owner=school.body, by=RoleFactory(kind=RoleKind.PRINCIPAL, body=school.body).user)

    assert hall.municipality == home


def test_pieces_by_name_and_a_whole_of_parts(share, home):
    left, right = share("Vänster halva"), share("Höger halva")
    hall = share("Hela hallen", parts=[left, right])
    tablets = share("Plattor", facts={"takes": Takes.SOME}, units=["iPad 1", "iPad 2"])

    assert set(hall.units.all()) == {*left.units.all(), *right.units.all()}
    assert Unit.objects.count() == 4
    assert tablets.units.count() == 2


def test_parts_of_another_owner_or_kind_are_refused(share, van):
    hall = share("Hallen", facts={"category": CategoryFactory(kind="premises"), "kind": "premises"})

    for part in (van, hall):
        with pytest.raises(ResourceRefused) as refusal:
            share("Helheten", parts=[part])
        assert refusal.value.field == "parts"
    assert not Resource.objects.filter(name="Helheten").exists()


def test_a_name_is_taken_once_by_the_same_owner(share, van):
    share()
    share(van.name)

    with pytest.raises(NameTaken):
        share()


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"name": " "}, "name"),
        ({"kind": "premises"}, "category"),
        ({"longest_minutes": 4}, "longest_minutes"),
        ({"decide_hours": 0}, "decide_hours"),
        ({"turnaround_minutes": 7 * 24 * 60 + 1}, "turnaround_minutes"),
    ],
)
def test_what_cannot_be_said_of_a_resource(share, facts, field):
    with pytest.raises(ResourceRefused) as refusal:
        share(facts=facts)

    assert refusal.value.field == field


def test_a_site_in_another_municipality_is_refused(share, neighbour):
    with pytest.raises(ResourceRefused) as refusal:
        share(facts={"site": SiteFactory(municipality=neighbour)})

    assert refusal.value.field == "site"


def test_whoever_writes_the_permits_vouches_for_them(share, who):
    plain, truck = share(), share("Lastbil", facts={"permits": "C-behörighet"})
    assert plain.permits_confirmed_at is None
    assert truck.permits_confirmed_at is not None

    emptied = change_resource(truck, facts={"permits": ""}, features=None, seen=0, **who)
    assert emptied.permits_confirmed_at is None
    written = change_resource(truck, facts={"permits": "CE"}, features=None, seen=1, **who)
    assert written.permits_confirmed_at is not None


def test_permits_can_be_confirmed_anew_without_a_change(share, who):
    truck = share(facts={"permits": "C-behörighet"})
    before = now() - timedelta(days=400)
    Resource.objects.filter(pk=truck.pk).update(permits_confirmed_at=before)

    same = change_resource(truck, facts={"capacity": 3}, features=None, seen=0, **who)
    assert same.permits_confirmed_at == before
    anew = change_resource(truck, facts={}, features=None, seen=1, confirms_permits=True, **who)

    assert anew.permits_confirmed_at > before


def test_a_change_tells_what_changed_and_who_came_later_is_refused(bus, who):
    hook = Feature.objects.create(name_sv="Dragkrok", slug="dragkrok", kind="vehicle")
    changed = change_resource(bus, facts={"capacity": 8}, features=[hook], seen=0, **who)

    assert changed.edit == 1
    assert list(changed.features.all()) == [hook]
    event = Event.objects.about(bus).get(name="resource.changed")
    assert event.changes == {"capacity": ["9", "8"], "features": ["", "Dragkrok"]}
    with pytest.raises(ResourceChanged):
        change_resource(bus, facts={"capacity": 7}, features=None, seen=0, **who)
    bus.refresh_from_db()
    assert bus.capacity == 8


def test_only_the_owner_changes(bus, van, who, asker, neighbour):
    with pytest.raises(NotYours):
        change_resource(van, facts={"capacity": 1}, features=None, seen=0, **who)
    with pytest.raises(NotYours):
        set_opening(bus, openings=[], by=asker, on_behalf_of=neighbour.body)


def test_one_shares_for_ones_bodies(owner, home, two_homes, neighbour, principal, school, roleless):
    assert bodies_shared_for(owner) == [home.body]
    assert bodies_shared_for(two_homes) == [home.body, neighbour.body]
    assert bodies_shared_for(principal) == [school.body]
    assert bodies_shared_for(roleless) == []


# When it is open


def weekdays(opens=time(8), closes=time(16), **more):
    return [Opening(day, opens, closes, **more) for day in range(1, 8)]


def test_set_opening_keeps_bookings_and_tells_once(bus, who, at):
    booking = request_booking(bus, starts_at=at(18), ends_at=at(20), purpose="Kväll", **who)

    set_opening(bus, openings=weekdays(in_breaks=True, on_red_days=True), **who)
    set_opening(bus, openings=weekdays(in_breaks=True, on_red_days=True), **who)

    booking.refresh_from_db()
    assert booking.request_state == RequestState.APPROVED
    assert not is_open(bus, span_of(at(18), at(20)))
    assert is_open(bus, span_of(at(8), at(16)))
    assert told_of(bus) == ["resource.opening_changed"]


def test_set_opening_changes_the_rules_with_it(bus, who):
    changed = set_opening(bus, openings=[], facts={"turnaround_minutes": 30}, seen=0, **who)

    assert (changed.turnaround_minutes, changed.edit) == (30, 1)
    assert told_of(bus) == ["resource.changed"]
    with pytest.raises(ResourceChanged):
        set_opening(bus, openings=weekdays(), facts={}, seen=0, **who)
    assert openings_of(bus) == []


def test_a_booking_keeps_the_turnaround_it_was_made_with(bus, who, at):
    request_booking(bus, starts_at=at(9), ends_at=at(10), purpose="Resa", **who)

    set_opening(bus, openings=[], facts={"turnaround_minutes": 60}, **who)

    bus.refresh_from_db()
    assert is_free(bus, span_of(at(10), at(11)))
    assert not is_free(bus, span_of(at(8), at(9))), "a new one before it would need its own turnaround"


@pytest.mark.parametrize("later", [Opening(1, time(11), time(13)), Opening(1, time(8), time(9))])
def test_stretches_of_a_day_that_overlap_are_refused_by_name(bus, who, later):
    with pytest.raises(ResourceRefused, match="Måndag"):
        set_opening(bus, openings=[Opening(1, time(8), time(12)), later], **who)

    assert openings_of(bus) == []


def test_several_stretches_a_day_and_one_over_midnight(bus, who, at):
    day = at(0).isoweekday()
    always = {"in_breaks": True, "on_red_days": True}
    openings = [Opening(day, time(8), time(12), **always), Opening(day, time(13), time(2), **always)]

    set_opening(bus, openings=openings, **who)

    assert openings_of(bus) == openings
    assert is_open(bus, span_of(at(13), at(26)))
    assert not is_open(bus, span_of(at(11), at(14)))


def test_red_days_have_names_and_the_eves_are_among_them():
    names = red_day_names(2026)

    assert names[date(2026, 6, 19)] == "Midsommarafton"
    assert names[date(2026, 12, 24)] == "Julafton"
    assert names[date(2026, 1, 6)] == "Trettondedag jul"
    assert date(2026, 3, 1) not in names


def test_a_new_break_closes_what_is_closed_in_breaks_in_that_municipality_only(
    bus, van, who, at, owner, asker, neighbour
):
    set_opening(bus, openings=weekdays(on_red_days=True), **who)
    set_opening(van, openings=weekdays(on_red_days=True), by=asker, on_behalf_of=neighbour.body)
    day = at(0).date()
    assert is_open(bus, span_of(at(9), at(10)))

    breaks = [("lov", day, day)]
    change_school_year(bus.municipality, SchoolYear.of(day), semesters={}, breaks=breaks, by=owner)
    assert not is_open(bus, span_of(at(9), at(10)))
    assert is_open(van, span_of(at(9), at(10)))
    change_school_year(bus.municipality, SchoolYear.of(day), semesters={}, breaks=[], by=owner)

    assert is_open(bus, span_of(at(9), at(10)))


def test_each_night_another_day_comes_within_sight_and_what_is_right_is_left_alone(bus, van, who):
    set_opening(bus, openings=weekdays(), **who)
    kept = set(OpenSpan.objects.values_list("pk", flat=True))
    last = OpenSpan.objects.filter(resource=bus).order_by("during").last()
    lost = last.pk
    last.delete()
    OpenSpan.objects.filter(resource=van).delete()

    assert open_up_all() == 2
    assert open_up_all() == 0

    assert OpenSpan.objects.filter(resource=bus, during=last.during).exists()
    still = kept & set(OpenSpan.objects.values_list("pk", flat=True))
    assert len(still) == len(kept) - 2, "only what was lost is new"
    assert lost not in still


def test_opening_up_takes_as_many_queries_for_many(bus, buses, home, django_assert_num_queries):
    with django_assert_num_queries(6):
        open_up(bus)
    for _more in range(3):
        ResourceFactory(municipality=home, category=buses)

    with django_assert_num_queries(7):  # the ids first
        open_up_all()


# Price


def test_a_new_price_ends_the_one_before_and_bookings_keep_theirs(bus, who, at):
    set_price(bus, unit="hour", sek=Decimal(100), vat="without", first_day=today(), **who)
    booking = request_booking(bus, starts_at=at(9), ends_at=at(11), purpose="Resa", **who)

    tomorrow = today() + timedelta(days=1)
    new = set_price(bus, unit="occasion", sek=Decimal(0), vat="ask", first_day=tomorrow, seen=1, **who)

    assert [rule.number for rule in bus.price_rules.order_by("valid")] == [1, 2]
    assert bus.price_rules.get(number=1).last_day == today()
    booking.refresh_from_db()
    assert booking.price_sek == 200
    assert price_of(bus, at(9), at(11)).sek == 0
    assert new.last_day is None
    event = Event.objects.about(bus).filter(name="resource.price_set").order_by("pk").last()
    assert event.data == {"sek": "0", "unit": "occasion", "first_day": str(tomorrow)}


def test_a_price_set_on_top_of_another_is_refused(bus, who):
    set_price(bus, unit="hour", sek=Decimal(100), vat="without", first_day=today(), seen=0, **who)

    with pytest.raises(ResourceChanged):
        set_price(bus, unit="hour", sek=Decimal(50), vat="without", first_day=today(), seen=0, **who)


def test_a_later_price_that_nobody_has_used_makes_room(bus, who, at):
    for days in (0, 30):
        first_day = today() + timedelta(days=days)
        set_price(bus, unit="hour", sek=Decimal(100), vat="without", first_day=first_day, **who)
    tomorrow = today() + timedelta(days=1)
    set_price(bus, unit="hour", sek=Decimal(70), vat="without", first_day=tomorrow, **who)
    assert [rule.sek for rule in bus.price_rules.order_by("valid")] == [100, 70]
    request_booking(bus, starts_at=at(9), ends_at=at(10), purpose="Resa", **who)

    with pytest.raises(ResourceRefused) as refusal:
        set_price(bus, unit="hour", sek=Decimal(10), vat="without", first_day=today(), **who)

    assert refusal.value.field == "first_day"


def test_no_price_from_yesterday_or_below_nought(bus, who):
    yesterday = today() - timedelta(days=1)
    with pytest.raises(ResourceRefused):
        set_price(bus, unit="hour", sek=Decimal(1), vat="ask", first_day=yesterday, **who)
    with pytest.raises(ResourceRefused):
        set_price(bus, unit="hour", sek=Decimal(-1), vat="ask", first_day=today(), **who)


# No longer, and again


def test_what_somebody_is_to_have_is_not_retired(bus, who, at):
    booking = request_booking(bus, starts_at=at(9), ends_at=at(10), purpose="Resa", **who)

    with pytest.raises(ResourceRefused):
        retire_resource(bus, **who)

    assert list(in_the_way(bus)) == [booking]


def test_retiring_ends_the_waiting_and_what_is_retired_is_shared_again(bus, who, at):
    booking = request_booking(bus, starts_at=at(9), ends_at=at(10), purpose="Resa", **who)
    waiting = wait_for(bus, starts_at=at(9), ends_at=at(10), purpose="Helst", **who)
    block_resource(bus, starts_at=at(8), ends_at=at(12), reason="Service", seen={booking.pk}, **who)

    retire_resource(bus, **who)
    retire_resource(bus, **who)

    waiting.refresh_from_db()
    assert waiting.state == WaitState.GIVEN_UP
    assert not Resource.objects.in_use().filter(pk=bus.pk).exists()
    OpenSpan.objects.filter(resource=bus).delete()
    share_again(bus, **who)
    share_again(bus, **who)
    assert Resource.objects.in_use().get(pk=bus.pk).open_spans.exists()
    assert told_of(bus)[-2:] == ["resource.retired", "resource.shared_again"]


def test_an_offer_of_what_is_retired_holds_it_no_longer(bus, who, at, buses, home):
    whole = ResourceFactory(name="Buss med släp", municipality=home, category=buses, units=bus.units.all())
    request_booking(bus, starts_at=at(9), ends_at=at(10), purpose="Resa", **who)
    wait_for(bus, starts_at=at(9), ends_at=at(10), purpose="Helst", **who)
    cancel_booking(bus.bookings.get(), **who)
    assert Waiting.objects.get().state == WaitState.OFFERED
    assert not is_free(whole, span_of(at(9), at(10)))

    retire_resource(bus, **who)

    assert Waiting.objects.get().state == WaitState.GIVEN_UP
    assert is_free(whole, span_of(at(9), at(10)))


# Deputies


def in_days(number):
    return today() + timedelta(days=number)


def test_a_deputy_decides_within_the_days_and_no_longer_when_ended(
    bus, who, home, owner, principal, at, neighbour, asker
):
    bus.approval = Approval.BY_OWNER
    bus.save()
    deputy = name_deputy(home.body, user=principal, first_day=in_days(-1), last_day=in_days(5), **who)
    ask = {"purpose": "Resa", "by": asker, "on_behalf_of": neighbour.body}
    first = request_booking(bus, starts_at=at(9), ends_at=at(10), **ask)
    second = request_booking(bus, starts_at=at(11), ends_at=at(12), **ask)
    assert principal.has_perm("resources.decide_booking", first)
    approve_booking(first, by=principal, on_behalf_of=home.body)

    end_deputy(deputy, **who)
    end_deputy(deputy, **who)

    assert not principal.has_perm("resources.decide_booking", second)
    assert Deputy.objects.get().last_day == in_days(-1)
    names = Event.objects.about(principal).filter(name__startswith="deputy.").order_by("pk")
    assert [event.name for event in names] == ["deputy.named", "deputy.ended"]


def test_a_deputy_to_come_is_taken_back_altogether(who, home, principal):
    deputy = name_deputy(home.body, user=principal, first_day=in_days(3), last_day=in_days(5), **who)

    end_deputy(deputy, **who)

    assert not Deputy.objects.exists()


def test_the_same_deputy_twice_at_a_time_is_refused_in_words(who, home, principal):
    name_deputy(home.body, user=principal, first_day=in_days(0), last_day=in_days(5), **who)

    with pytest.raises(ResourceRefused, match="ställföreträdare") as refusal:
        name_deputy(home.body, user=principal, first_day=in_days(5), last_day=in_days(9), **who)

    assert refusal.value.field == "first_day"
    name_deputy(home.body, user=principal, first_day=in_days(6), last_day=in_days(9), **who)
    assert Deputy.objects.count() == 2


def test_who_cannot_be_deputy(who, home, owner, outsider, asker, principal):
    days = {"first_day": in_days(0), "last_day": in_days(5)}
    for user in (owner, outsider, UserFactory()):
        with pytest.raises(ResourceRefused) as refusal:
            name_deputy(home.body, user=user, **days, **who)
        assert refusal.value.field == "user"
    for days in ((5, 0), (-9, -1), (0, 400)):
        with pytest.raises(ResourceRefused):
            name_deputy(home.body, user=principal, first_day=in_days(days[0]), last_day=in_days(days[1]), **who)
    with pytest.raises(NotYours):
        name_deputy(
            home.body, user=principal, first_day=in_days(0), last_day=in_days(5), by=asker, on_behalf_of=home.body
        )


def test_a_colleague_of_the_area_can_be_deputy(who, home, asker, council_member):
    for user in (asker, council_member):
        name_deputy(home.body, user=user, first_day=in_days(0), last_day=in_days(5), **who)

    assert Deputy.objects.count() == 2
    assert Deputy.objects.first().valid == span(in_days(0), in_days(5))


def test_schools_that_the_municipality_runs_are_shared_for(owner, home):
    run = SchoolFactory(
        name="Kommunal skola", municipality=home, provider=ProviderFactory(kind="municipal", municipality=home)
    )
    SchoolFactory(name="Fristående skola", municipality=home)

    assert bodies_shared_for(owner) == [home.body, run.body]
