"""What could no longer be cancelled cannot be moved out of the way either, unless the owner is asked."""

import pytest

from resources.models import Approval, RequestState
from resources.operations import Scope, TooLate, approve_booking, cancel_booking, change_time, move_series


@pytest.fixture
def late(van, ask, at):
    """A booking approved at once, too late to be cancelled by the owner's rule."""
    van.cancel_hours = 24 * 10
    van.save()
    return ask(van, at(9), at(11))


@pytest.fixture
def ours(owner, home):
    return {"by": owner, "on_behalf_of": home.body}


def test_what_could_not_be_cancelled_is_not_moved_to_where_it_could(late, van, at, ours):
    with pytest.raises(TooLate, match="240"):
        change_time(late, starts_at=at(9, day=30), ends_at=at(11, day=30), **ours)
    with pytest.raises(TooLate):
        move_series(late, Scope.ALL, starts_at=at(9, day=30), ends_at=at(11, day=30), **ours)
    late.refresh_from_db()
    assert late.starts_at == at(9)

    van.cancel_hours = 24
    van.save()
    moved = change_time(late, starts_at=at(9, day=30), ends_at=at(11, day=30), **ours)

    assert cancel_booking(moved, **ours).request_state == RequestState.CANCELLED


def test_an_owner_who_decides_may_be_asked_and_what_is_kept_binds(late, van, at, ours, asker, neighbour):
    van.approval = Approval.BY_OWNER
    van.save()

    moved = change_time(late, starts_at=at(9, day=30), ends_at=at(11, day=30), **ours)
    with pytest.raises(TooLate):
        cancel_booking(moved, **ours)
    van.approval = Approval.AUTOMATIC
    van.save()
    with pytest.raises(TooLate):
        change_time(moved, starts_at=at(9, day=31), ends_at=at(11, day=31), **ours)
    approve_booking(moved, by=asker, on_behalf_of=neighbour.body)

    assert cancel_booking(moved, **ours).request_state == RequestState.CANCELLED


def test_an_owner_moves_its_own_whenever_it_likes(van, ask, at, asker, neighbour):
    van.cancel_hours = 24 * 10
    van.save()
    booking = ask(van, at(9), at(11), by=asker, on_behalf_of=neighbour.body)

    moved = change_time(booking, starts_at=at(13), ends_at=at(14), by=asker, on_behalf_of=neighbour.body)

    assert moved.starts_at == at(13)
