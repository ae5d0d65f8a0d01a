"""Bookings for programs: asking, deciding, moving and waiting, who may, and what is refused in which words."""

import pytest
from django.test import Client
from django.utils.timezone import localtime

from collab4m.clock import today
from organisations.models import RoleKind
from resources.models import Approval, Booking, Claim, Resource, Rivalry
from resources.operations import name_deputy
from tests.factories import ResourceFactory, RoleFactory

pytestmark = pytest.mark.django_db


def refusal(answer):
    told = answer.json()
    return answer.status_code, told["code"], list(told["fields"])


# Asking


def test_what_is_asked_for_is_booked(ask, van, at):
    answer = ask(pupils=8)

    assert answer.status_code == 201, answer.content
    told = answer.json()
    booking = Booking.objects.get()
    assert (told["id"], told["request_state"], told["price_sek"]) == (booking.pk, "approved", None)
    assert (told["resource"], told["starts_at"], told["pupils"]) == (van.pk, at(9).isoformat(), 8)
    assert booking.claims.count() == 1


def test_whoever_comes_second_is_told_what_could_be_had(ask, van, at):
    ask()

    answer = ask(at(10), at(12))

    assert refusal(answer) == (409, "slot_taken", [])
    told = answer.json()
    assert told["detail"]
    assert {"resource", "starts_at", "ends_at"} <= told["alternatives"][0].keys()
    first = told["alternatives"][0]
    again = ask(
        localtime().fromisoformat(first["starts_at"]), localtime().fromisoformat(first["ends_at"]),
        resource=first["resource"],
    )  # fmt: skip
    assert again.status_code == 201, again.content


@pytest.mark.parametrize("field", ["starts_at", "ends_at"])
def test_a_time_without_offset_is_refused(ask, at, field):
    answer = ask(**{field: at(10).replace(tzinfo=None)})

    assert refusal(answer) == (400, "invalid", [field])
    assert "+01:00" in answer.json()["fields"][field][0]


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [((11, 0), (9, 0)), ((9, 0), (9, 0)), ((9, -30), (10, -30)), ((9, 3650), (10, 3650)), ((9, 0), (9, 3650))],
)
@pytest.mark.parametrize("series", [False, True])
def test_a_time_that_cannot_be_is_a_rule_that_says_no(ask, at, starts_at, ends_at, series):
    more = {"series": {"last_day": at(0, day=14).date().isoformat()}} if series else {}
    answer = ask(at(*starts_at), at(*ends_at), **more)

    code, what, _fields = refusal(answer)
    assert (code, what, answer.json()["alternatives"]) == (409, "booking_refused", [])
    assert not Booking.objects.exists()


@pytest.mark.parametrize("key", ["x" * 101, "a\x00b"])
def test_a_key_that_cannot_be_kept_is_refused(ask, key):
    assert refusal(ask(headers={"Idempotency-Key": key})) == (400, "invalid", ["Idempotency-Key"])


def test_the_same_key_gives_the_same_booking(ask, van, at, neighbour, buses):
    first, again = (ask(headers={"Idempotency-Key": "a"}) for _time in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    other = ResourceFactory(municipality=neighbour, category=buses)
    assert refusal(ask(resource=other.pk, headers={"Idempotency-Key": "a"})) == (409, "key_used", [])
    assert Booking.objects.count() == 1


@pytest.mark.parametrize(
    "other", [{"starts_at": 10}, {"ends_at": 12}, {"purpose": "Resa"}, {"pupils": 3}], ids=lambda other: [*other][0]
)
def test_the_same_key_with_other_words_is_told_so(ask, at, other):
    ask(headers={"Idempotency-Key": "a"})
    hours = {name: at(value) for name, value in other.items() if name.endswith("_at")}

    answer = ask(headers={"Idempotency-Key": "a"}, **(other | hours))

    assert refusal(answer) == (409, "key_used", [])
    assert Booking.objects.count() == 1


def test_the_same_key_gives_the_booking_also_when_it_has_moved(ask, speak, at):
    first = ask(headers={"Idempotency-Key": "a"}).json()
    moved = speak(
        "post", f"bookings/{first['id']}/move/", {"starts_at": at(13).isoformat(), "ends_at": at(15).isoformat()}
    )

    again = ask(headers={"Idempotency-Key": "a"})

    assert moved.status_code == 200, moved.content
    assert (again.status_code, again.json()["id"]) == (201, first["id"])
    assert again.json()["starts_at"] == at(13).isoformat()


@pytest.mark.parametrize("more", [{"second": 30}, {"microsecond": 1}])
@pytest.mark.parametrize("field", ["starts_at", "ends_at"])
def test_a_time_between_two_minutes_is_refused(ask, at, field, more):
    assert refusal(ask(**{field: at(10).replace(**more)})) == (400, "invalid", [field])
    assert not Booking.objects.exists()


def test_a_series_is_asked_for_whole_or_not_at_all(ask, at):
    last = at(0, day=14).date().isoformat()

    made = ask(series={"last_day": last}, headers={"Idempotency-Key": "a"})
    again = ask(series={"last_day": last}, headers={"Idempotency-Key": "a"})
    taken = ask(at(9, day=7), at(10, day=7))
    clash = ask(at(10, day=14), at(12, day=14), series={"last_day": at(0, day=21).date().isoformat()})
    single = ask(headers={"Idempotency-Key": "a"})
    longer = ask(series={"last_day": at(0, day=21).date().isoformat()}, headers={"Idempotency-Key": "a"})

    assert made.status_code == 201, made.content
    assert [one["starts_at"] for one in made.json()["bookings"]] == [at(9, day=day).isoformat() for day in (0, 7, 14)]
    assert made.json() == again.json()
    assert taken.status_code == 409
    assert refusal(clash) == (409, "slot_taken", [])
    assert clash.json()["alternatives"]
    assert refusal(single) == refusal(longer) == (409, "key_used", [])
    assert Booking.objects.count() == 3


def test_a_single_key_is_no_key_of_a_series(ask, at):
    ask(headers={"Idempotency-Key": "a"})

    answer = ask(series={"last_day": at(0, day=14).date().isoformat()}, headers={"Idempotency-Key": "a"})

    assert refusal(answer) == (409, "key_used", [])


def test_dates_of_a_series_can_be_left_out(ask, at):
    days = [at(0, day=day).date().isoformat() for day in (7, 14)]

    made = ask(series={"last_day": days[1], "leave_out": [days[0]]})

    assert [one["starts_at"] for one in made.json()["bookings"]] == [at(9).isoformat(), at(9, day=14).isoformat()]


def test_a_series_is_looked_at_first(speak, ask, van, at):
    ask(at(10, day=7), at(12, day=7))
    said = {
        "starts_at": at(9).isoformat(), "ends_at": at(11).isoformat(),
        "series": {"last_day": at(0, day=14).date().isoformat()},
    }  # fmt: skip

    told = speak("post", f"resources/{van.pk}/preview/", said)

    assert told.status_code == 200, told.content
    assert [one["state"] for one in told.json()] == ["free", "taken", "free"]
    assert [bool(one["alternatives"]) for one in told.json()] == [False, True, False]
    assert Booking.objects.count() == 1


# For whom


def test_whoever_acts_for_one_body_need_not_say_so(ask, principal, school, at):
    told = ask(by=principal).json()

    assert told["booked_for"] == school.name


def test_whoever_acts_for_several_says_for_which(ask, two_homes, home, neighbour):
    vague = ask(by=two_homes)

    assert refusal(vague) == (400, "invalid", ["on_behalf_of"])
    for body in (home, neighbour):
        assert f"{body.pk} ({body.name})" in vague.json()["fields"]["on_behalf_of"][0]
    assert ask(by=two_homes, on_behalf_of=home.pk).json()["booked_for"] == home.name


def test_a_school_and_its_municipality_are_two(ask, owner, school):
    RoleFactory(user=owner, kind=RoleKind.PRINCIPAL, body=school.body)

    assert refusal(ask(by=owner)) == (400, "invalid", ["on_behalf_of"])
    assert ask(by=owner, on_behalf_of=school.pk).json()["booked_for"] == school.name


def test_nobody_asks_for_others(ask, owner, neighbour):
    assert refusal(ask(by=owner, on_behalf_of=neighbour.pk)) == (400, "invalid", ["on_behalf_of"])


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("owner", 201), ("asker", 201), ("principal", 201), ("outsider", 404), ("committee", 403),
        ("council_member", 403), ("system_administrator", 404),
    ],
)  # fmt: skip
def test_who_may_ask(ask, request, who, status):
    assert ask(by=request.getfixturevalue(who)).status_code == status


def test_a_session_asks_with_its_token_against_forgery(van, owner, at):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    said = {
        "resource": van.pk, "starts_at": at(9).isoformat(), "ends_at": at(11).isoformat(), "purpose": "Studiebesök",
    }  # fmt: skip
    assert client.post("/api/v1/bookings/", said, content_type="application/json").status_code == 403

    client.cookies["csrftoken"] = token = "a" * 32
    answer = client.post("/api/v1/bookings/", said, content_type="application/json", headers={"X-CSRFToken": token})

    assert answer.status_code == 201, answer.content


def test_a_key_for_reading_books_nothing(program, owner, van):
    assert program(owner).post("/api/v1/bookings/", {}, content_type="application/json").status_code == 403


# Deciding


@pytest.fixture
def request_for(van, ask):
    def make(**more):
        Resource.objects.filter(pk=van.pk).update(approval=Approval.BY_OWNER, rivalry=Rivalry.COMPETE)
        return ask(**more).json()

    return make


def test_approving_declines_the_rival(speak, request_for, asker, at):
    first, second = request_for(), request_for()
    assert (first["request_state"], second["request_state"]) == ("requested", "requested")

    told = speak("post", f"bookings/{second['id']}/approve/", {}, by=asker)

    assert (told.status_code, told.json()["request_state"]) == (200, "approved")
    assert speak("get", f"bookings/{first['id']}/").json()["request_state"] == "declined"
    again = speak("post", f"bookings/{first['id']}/approve/", {}, by=asker)
    assert refusal(again) == (409, "not_awaiting_decision", [])


def test_declining_needs_a_reason(speak, request_for, asker):
    booking = request_for()["id"]

    assert refusal(speak("post", f"bookings/{booking}/decline/", {}, by=asker)) == (409, "booking_refused", ["reason"])
    told = speak("post", f"bookings/{booking}/decline/", {"reason": "Verkstad"}, by=asker).json()
    assert (told["request_state"], told["answer"]) == ("declined", "Verkstad")


def test_a_question_and_its_answer(speak, request_for, asker):
    booking = request_for()["id"]

    asked = speak("post", f"bookings/{booking}/ask-for-more/", {"reason": "Vem kör?"}, by=asker).json()
    answered = speak("post", f"bookings/{booking}/answer/", {"answer": "Läraren."}).json()

    assert (asked["request_state"], asked["answer"]) == ("info_needed", "Vem kör?")
    assert answered["request_state"] == "requested"


def test_a_deputy_decides(speak, request_for, neighbour, asker, principal):
    booking = request_for()["id"]
    assert speak("post", f"bookings/{booking}/approve/", {}, by=principal).status_code == 404
    name_deputy(
        neighbour.body, user=principal, first_day=today(), last_day=today(), by=asker, on_behalf_of=neighbour.body
    )  # fmt: skip

    told = speak("post", f"bookings/{booking}/approve/", {}, by=principal)

    assert (told.status_code, told.json()["request_state"]) == (200, "approved")


# Moving and letting go


def test_what_is_moved_asks_again_and_keeps_its_time(speak, ask, van, at):
    booking = ask().json()["id"]
    Resource.objects.filter(pk=van.pk).update(approval=Approval.BY_OWNER)
    times = {"starts_at": at(13).isoformat(), "ends_at": at(15).isoformat()}

    moved = speak("post", f"bookings/{booking}/move/", times).json()
    kept = speak("post", f"bookings/{booking}/keep-time/").json()

    assert (moved["request_state"], moved["starts_at"], moved["kept_starts_at"]) == (
        "requested", at(13).isoformat(), at(9).isoformat(),
    )  # fmt: skip
    assert (kept["request_state"], kept["starts_at"], kept["kept_starts_at"]) == ("approved", at(9).isoformat(), None)


def test_a_move_onto_another_is_refused_with_alternatives(speak, ask, at):
    ask(at(13), at(15))
    booking = ask().json()["id"]
    times = {"starts_at": at(12).isoformat(), "ends_at": at(14).isoformat()}

    answer = speak("post", f"bookings/{booking}/move/", times)

    assert refusal(answer) == (409, "slot_taken", [])
    assert answer.json()["alternatives"]


def test_both_sides_cancel_and_the_owner_says_why(speak, ask, asker, at):
    first, second = ask().json()["id"], ask(at(13), at(15)).json()["id"]

    assert speak("post", f"bookings/{first}/cancel/", {}).json()["request_state"] == "cancelled"
    assert refusal(speak("post", f"bookings/{second}/cancel/", {}, by=asker)) == (409, "booking_refused", ["reason"])
    told = speak("post", f"bookings/{second}/cancel/", {"reason": "Verkstad"}, by=asker).json()
    assert told["request_state"] == "cancelled"


# Waiting


def test_from_the_line_to_the_van(speak, ask, van, at, owner, asker):
    booking = ask(by=asker).json()["id"]
    need = {"starts_at": at(10).isoformat(), "ends_at": at(12).isoformat(), "purpose": "Idrottsdag"}

    placed = speak("post", f"resources/{van.pk}/wait/", need)
    assert (placed.status_code, placed.json()["state"]) == (201, "waiting")
    assert speak("get", "waiting/", by=asker).json()["count"] == 0
    speak("post", f"bookings/{booking}/cancel/", {}, by=asker)
    (offer,) = speak("get", "waiting-offers/").json()["results"]
    assert (offer["waiting"]["id"], offer["ended_at"]) == (placed.json()["id"], None)
    assert ask(at(11), at(13), by=asker).status_code == 409

    assert speak("post", f"waiting-offers/{offer['id']}/accept/", {}, by=asker).status_code == 404
    taken = speak("post", f"waiting-offers/{offer['id']}/accept/", {})
    assert (taken.status_code, taken.json()["request_state"]) == (201, "approved")
    assert taken.json()["starts_at"] == at(10).isoformat()
    again = speak("post", f"waiting-offers/{offer['id']}/accept/", {})
    assert refusal(again) == (409, "offer_ended", [])
    assert again.json()["alternatives"]
    assert Claim.objects.get().booking_id == taken.json()["id"]


def test_a_place_in_line_is_left(speak, ask, van, at, asker):
    ask(by=asker)
    need = {"starts_at": at(10).isoformat(), "ends_at": at(12).isoformat(), "purpose": "Idrottsdag"}
    place = speak("post", f"resources/{van.pk}/wait/", need).json()["id"]

    left = speak("post", f"waiting/{place}/leave/")

    assert (left.status_code, left.json()["state"]) == (200, "given_up")
    assert refusal(speak("post", f"resources/{van.pk}/wait/", {**need, "starts_at": at(11).isoformat()})) == (
        409, "nothing_taken", [],
    )  # fmt: skip
