"""The list of bookings: what is coming and alive, and ways to what is past or came to nothing. For programs too."""

import pytest

from resources.models import Booking, RequestState
from tests.resources.booking_stories import a_van, asked, in_days

ALIVE = ["requested", "info_needed", "approved"]
CAME_TO_NOTHING = ["declined", "withdrawn", "expired", "cancelled"]
PAST_ALIVE, PAST_TO_NOTHING = ([f"past {state}" for state in states] for states in (ALIVE, CAME_TO_NOTHING))


@pytest.fixture
def van(neighbour):
    return a_van(neighbour)


@pytest.fixture
def of_each_kind(van, home, owner):
    """A booking in each state, a day apart; and what is over of each."""
    made = {}
    for place, state in enumerate(RequestState.values):
        made[state] = asked(home, owner, van, day=7 + place)
        over = asked(home, owner, van, day=20 + place)
        made[f"past {state}"] = over
        Booking.objects.filter(pk=made[state].pk).update(request_state=state)
        gone = (in_days(-20 - place, 9), in_days(-20 - place, 11))
        over.claims.all().delete()
        Booking.objects.filter(pk=over.pk).update(request_state=state, during=gone)
    return {booking.pk: name for name, booking in made.items()}


@pytest.mark.parametrize(
    ("query", "shown", "ended"),
    [
        ("", ALIVE, 4),
        ("?lage=ended", CAME_TO_NOTHING, 0),
        ("?lage=all", [*ALIVE, *CAME_TO_NOTHING], 0),
        ("?lage=cancelled", ["cancelled"], 0),
        ("?tid=tidigare", PAST_ALIVE, 4),
        ("?tid=tidigare&lage=ended", PAST_TO_NOTHING, 0),
    ],
)
def test_the_list_holds_what_is_coming_and_alive_unless_more_is_chosen(
    client, of_each_kind, owner, query, shown, ended
):
    client.force_login(owner)

    page = client.get(f"/resurser/bokningar/{query}")

    assert sorted(of_each_kind[one.pk] for one in page.context["rows"]) == sorted(shown)
    assert page.context["ended"] == ended
    assert ("Visa det som inte blev av" in page.content.decode()) == bool(ended)


def test_that_something_came_to_nothing_is_said_when_nothing_else_is_there(client, van, home, owner):
    Booking.objects.filter(pk=asked(home, owner, van).pk).update(request_state=RequestState.DECLINED)
    client.force_login(owner)

    page = client.get("/resurser/bokningar/?vilka=vara&sida=1").content.decode()

    assert "En som avslogs, drogs tillbaka, avbokades eller blev utan svar visas inte." in page
    assert 'href="?vilka=vara&amp;lage=ended"' in page
    assert 'href="?tid=tidigare"' in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [*ALIVE, *CAME_TO_NOTHING, *PAST_ALIVE, *PAST_TO_NOTHING]),
        ("?request_state=alive&when=coming", ALIVE),
        ("?request_state=ended&when=coming", CAME_TO_NOTHING),
        ("?request_state=alive&when=past", PAST_ALIVE),
        ("?request_state=ended", [*CAME_TO_NOTHING, *PAST_TO_NOTHING]),
        ("?when=past", [*PAST_ALIVE, *PAST_TO_NOTHING]),
        ("?request_state=declined", ["declined", "past declined"]),
    ],
)
def test_programs_choose_by_the_same_words_and_get_all_without(client, of_each_kind, owner, query, expected):
    client.force_login(owner)

    answer = client.get(f"/api/v1/bookings/{query}").json()

    assert sorted(of_each_kind[one["id"]] for one in answer["results"]) == sorted(expected)


@pytest.mark.parametrize("query", ["request_state=gone", "when=tidigare", "when=%00"])
def test_words_that_are_none_are_refused(client, owner, query):
    client.force_login(owner)

    assert client.get(f"/api/v1/bookings/?{query}").status_code == 400
