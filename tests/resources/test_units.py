"""The pieces of a resource: more of them, other names, and those that are removed while others take over."""

from datetime import timedelta

import pytest

from collab4m.clock import now
from records.models import Event, Outgoing
from resources.models import (
    Approval,
    Booking,
    Claim,
    RequestState,
    Resource,
    Rivalry,
    Takes,
    Unit,
    WaitingOffer,
    WaitState,
)
from resources.operations import (
    LastUnit,
    NotYours,
    ResourceRefused,
    UnitGone,
    UnitNeeded,
    UnitOffered,
    add_units,
    approve_booking,
    block_resource,
    cancel_booking,
    change_resource,
    change_time,
    decline_booking,
    end_blocking,
    needing,
    remove_unit,
    rename_unit,
    retire_resource,
    share_again,
    share_resource,
    span_of,
    timeline_of,
    wait_for,
)
from tests.factories import ResourceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def who(neighbour, asker):
    """The owner of the tablets."""
    return {"by": asker, "on_behalf_of": neighbour.body}


@pytest.fixture
def tablets(neighbour, asker, owner):
    """Three tablets of the neighbour's, which home may borrow."""
    units = [Unit.objects.create(owner=neighbour.body, name=f"iPad {number}") for number in (1, 2, 3)]
    return ResourceFactory(name="Surfplattor", municipality=neighbour, takes=Takes.SOME, units=units)


@pytest.fixture
def halls(neighbour, asker, owner):
    """A hall and its left half; the right half is shared with the hall only."""
    left, right = (Unit.objects.create(owner=neighbour.body, name=name) for name in ("Vänster", "Höger"))
    hall = ResourceFactory(name="Hallen", municipality=neighbour, units=[left, right])
    return hall, ResourceFactory(name="Vänster halva", municipality=neighbour, units=[left])


def piece(name):
    return Unit.objects.get(name=name)


def names(resource):
    return list(resource.units.order_by("pk").values_list("name", flat=True))


def has_been(booking):
    """As if it was lent a week ago."""
    booking.during = span_of(*(moment - timedelta(days=14) for moment in (booking.starts_at, booking.ends_at)))
    booking.save()
    booking.claims.update(during=booking.during, blocked=booking.during)


def told_of(resource):
    return list(Event.objects.filter(subject_id=resource.pk, name__startswith="resource.").values_list("name", "data"))


# More


def test_more_pieces_of_what_is_booked_piece_by_piece(tablets, van, who):
    add_units(tablets, names=["iPad 4", "iPad 5"], **who)

    assert names(tablets) == ["iPad 1", "iPad 2", "iPad 3", "iPad 4", "iPad 5"]
    assert told_of(tablets) == [("resource.units_added", {"number": 2})]
    with pytest.raises(ResourceRefused, match="ipad 2"):
        add_units(tablets, names=["ipad 2"], **who)
    with pytest.raises(ResourceRefused):
        add_units(van, names=["Släp"], **who)


def test_who_waits_is_offered_more_pieces(tablets, ask, at, who, home, owner):
    ask(tablets, at(9), at(11), quantity=3)
    waits = wait_for(tablets, starts_at=at(9), ends_at=at(11), purpose="Prov", by=owner, on_behalf_of=home.body)

    add_units(tablets, names=["iPad 4"], **who)

    waits.refresh_from_db()
    assert waits.state == WaitState.OFFERED
    assert [one.unit.name for one in Claim.objects.filter(offer__waiting=waits)] == ["iPad 4"]


@pytest.mark.parametrize("change", ["takes all", "removed"])
def test_what_was_kept_comes_back_on_its_own_piece_whatever_changed(tablets, ask, at, who, home, owner, change):
    tablets.approval = Approval.BY_OWNER
    tablets.save()
    wish, *_others = [approve_booking(ask(tablets, at(9), at(11)), **who) for _piece in range(3)]
    wish = change_time(wish, starts_at=at(10, day=1), ends_at=at(12, day=1), by=owner, on_behalf_of=home.body)
    held = wish.claims.get(during=wish.kept).unit
    if change == "takes all":
        change_resource(tablets, facts={"takes": Takes.ALL}, features=None, seen=tablets.edit, **who)
    else:
        for booking in Booking.objects.all():  # what is kept is over, and another piece takes over what is asked for
            had = span_of(*(moment - timedelta(days=14) for moment in (at(9), at(11))))
            booking.claims.filter(during__startswith=at(9)).update(during=had, blocked=had)
            Booking.objects.filter(pk=booking.pk, kept=None).update(during=had)
            Booking.objects.exclude(kept=None).filter(pk=booking.pk).update(kept=had)
        remove_unit(held, **who)

    kept = decline_booking(wish, reason="Vi behöver den själva.", **who)

    assert kept.request_state == RequestState.APPROVED
    assert [(one.unit, one.during) for one in kept.claims.all()] == [(held, kept.during)]


# Other names


def test_a_piece_gets_another_name_in_all_that_it_is_part_of(halls, who):
    hall, left = halls

    rename_unit(piece("Vänster"), name="  Norra  halvan ", **who)

    assert names(hall) == ["Norra halvan", "Höger"]
    for resource in halls:
        assert told_of(resource) == [("resource.unit_renamed", {"before": "Vänster", "after": "Norra halvan"})]


def test_the_same_name_again_is_no_change(tablets, who):
    rename_unit(piece("iPad 1"), name="iPad 1", **who)

    assert told_of(tablets) == []


def test_a_name_may_change_its_capitals(tablets, who):
    rename_unit(piece("iPad 1"), name="IPAD 1", **who)

    assert names(tablets)[0] == "IPAD 1"


@pytest.mark.parametrize("name", ["", "  ", "ipad 2", "x" * 101])
def test_a_name_that_is_none_or_that_another_has_is_refused(tablets, who, name):
    with pytest.raises(ResourceRefused) as refusal:
        rename_unit(piece("iPad 1"), name=name, **who)

    assert refusal.value.field == "name"
    assert names(tablets)[0] == "iPad 1"


def test_only_the_owner_renames_and_removes(tablets, owner, home):
    who = {"by": owner, "on_behalf_of": home.body}
    with pytest.raises(NotYours):
        rename_unit(piece("iPad 1"), name="Min", **who)
    with pytest.raises(NotYours):
        remove_unit(piece("iPad 1"), **who)

    assert names(tablets) == ["iPad 1", "iPad 2", "iPad 3"]


# Fewer


def test_a_piece_that_was_never_lent_is_gone(tablets, who):
    unit = piece("iPad 2")

    remove_unit(unit, **who)

    assert names(tablets) == ["iPad 1", "iPad 3"]
    assert not Unit.objects.filter(name="iPad 2").exists()
    assert told_of(tablets) == [("resource.unit_removed", {"unit": "iPad 2"})]
    with pytest.raises(UnitGone):
        remove_unit(unit, **who)
    with pytest.raises(UnitGone):
        rename_unit(unit, name="Ny", **who)


def test_what_was_lent_until_now_still_names_a_piece_that_is_removed(tablets, ask, at, who, owner):
    booking = ask(tablets, at(9), at(11), quantity=1)
    has_been(booking)

    remove_unit(piece("iPad 1"), **who)

    assert names(tablets) == ["iPad 2", "iPad 3"]
    assert booking.claims.get().unit.name == "iPad 1"
    assert piece("iPad 1").is_retired
    (row,) = timeline_of([tablets], booking.starts_at, booking.ends_at, reader=owner)
    assert [slot.booking for slot in row.slots] == [booking.pk]
    with pytest.raises(UnitGone):
        remove_unit(piece("iPad 1"), **who)


def test_another_piece_takes_over_what_is_to_come(tablets, ask, at, who):
    booking = ask(tablets, at(9), at(11), quantity=2)
    ask(tablets, at(12), at(13), quantity=1)

    remove_unit(piece("iPad 1"), **who)

    assert {claim.unit.name for claim in booking.claims.all()} == {"iPad 2", "iPad 3"}
    assert Claim.objects.count() == 3
    assert not Unit.objects.filter(name="iPad 1").exists()


def test_a_piece_that_no_other_can_stand_in_for_stays(tablets, ask, at, who):
    every = [ask(tablets, at(9, day=day), at(11, day=day), quantity=3) for day in range(2)]
    ask(tablets, at(12), at(13), quantity=2)

    with pytest.raises(UnitNeeded, match="2 bokningar"):
        remove_unit(piece("iPad 1"), **who)

    assert list(needing(piece("iPad 1"))) == every
    assert len(names(tablets)) == 3


def test_a_piece_stays_when_the_others_are_taken_then(tablets, ask, at, who):
    ask(tablets, at(9), at(11), quantity=1)
    second = ask(tablets, at(9), at(11), quantity=2)

    with pytest.raises(UnitNeeded):
        remove_unit(piece("iPad 2"), **who)

    assert list(needing(piece("iPad 3"))) == [second]


def test_a_piece_that_is_out_now_stays(tablets, ask, at, who):
    booking = ask(tablets, at(9), at(11), quantity=1)
    lent = span_of(now() - timedelta(hours=1), now() + timedelta(hours=1))
    booking.claims.update(during=lent, blocked=lent)

    with pytest.raises(UnitNeeded):
        remove_unit(piece("iPad 1"), **who)

    remove_unit(piece("iPad 2"), **who)


def test_a_request_that_asks_for_all_that_there_is_stands_in_the_way(tablets, ask, at, who):
    Resource.objects.update(approval=Approval.BY_OWNER, rivalry=Rivalry.COMPETE)
    tablets.refresh_from_db()
    few, every = (ask(tablets, at(9), at(11), quantity=number) for number in (2, 3))
    assert not Claim.objects.exists()

    with pytest.raises(UnitNeeded):
        remove_unit(piece("iPad 3"), **who)

    assert list(needing(piece("iPad 3"))) == [every]
    cancel_booking(every, by=every.asked_by, on_behalf_of=every.booked_for)
    remove_unit(piece("iPad 3"), **who)
    few.refresh_from_db()
    assert few.is_open


@pytest.mark.parametrize("approval", Approval)
def test_whoever_booked_the_whole_or_asked_for_it_gets_it_whole(halls, ask, at, who, approval):
    Resource.objects.update(approval=approval, rivalry=Rivalry.COMPETE)
    hall, _left = halls
    hall.refresh_from_db()
    booking = ask(hall, at(9), at(11))

    with pytest.raises(UnitNeeded):
        remove_unit(piece("Höger"), **who)

    assert list(needing(piece("Höger"))) == [booking]


def test_the_last_piece_of_anything_that_is_shared_stays(halls, van, who):
    hall, left = halls

    with pytest.raises(LastUnit, match="Vänster halva"):
        remove_unit(piece("Vänster"), **who)
    with pytest.raises(LastUnit):
        remove_unit(van.units.get(), **who)

    retire_resource(left, **who)
    remove_unit(piece("Vänster"), **who)
    assert names(hall) == ["Höger"]
    with pytest.raises(ResourceRefused):
        share_again(left, **who)


def test_a_blocking_goes_on_without_the_piece(tablets, at, who):
    blocking = block_resource(tablets, starts_at=at(9), ends_at=at(11), reason="Service", seen=set(), **who)

    remove_unit(piece("iPad 2"), **who)

    assert {claim.unit.name for claim in blocking.claims.all()} == {"iPad 1", "iPad 3"}
    end_blocking(blocking, **who)
    assert not Claim.objects.exists()


def test_an_offer_moves_to_another_piece_or_stands_in_the_way(tablets, ask, at, who, home, owner):
    booking = ask(tablets, at(9), at(11), quantity=3)
    for number in (1, 2):
        wait_for(
            tablets, starts_at=at(9), ends_at=at(11), quantity=number, purpose="Prov", by=owner, on_behalf_of=home.body
        )
    cancel_booking(booking, by=owner, on_behalf_of=home.body)
    assert WaitingOffer.objects.filter(ended_at=None).count() == 2

    with pytest.raises(UnitOffered):
        remove_unit(piece("iPad 3"), **who)


def test_whoever_waits_for_more_than_is_left_is_told_and_waits_no_more(tablets, ask, at, who, home, owner):
    ask(tablets, at(9), at(11), quantity=2)
    many, fewer = (
        wait_for(
            tablets, starts_at=at(9), ends_at=at(11), quantity=number, purpose="Prov", by=owner, on_behalf_of=home.body
        )
        for number in (3, 2)
    )
    Outgoing.objects.all().delete()

    remove_unit(piece("iPad 3"), **who)

    many.refresh_from_db()
    fewer.refresh_from_db()
    assert (many.state, fewer.state) == (WaitState.GIVEN_UP, WaitState.WAITING)
    told = Outgoing.objects.get()
    assert (told.to, told.subject) == (owner.email, "Surfplattor: din plats i kön har upphört")
    assert "Du väntar på 3, men bara 2 finns kvar." in told.text
    assert Event.objects.about(many).filter(name="booking.place_ended").exists()


def test_a_whole_is_never_made_of_a_piece_that_went(halls, who, neighbour, asker, buses):
    """Whoever shares a whole of parts finds the pieces that are there then."""
    hall, _left = halls
    remove_unit(piece("Höger"), **who)

    whole = share_resource(
        owner=neighbour.body, facts={"name": "Allt", "category": buses, "kind": buses.kind}, parts=[hall], by=asker
    )

    assert names(whole) == ["Vänster"]
