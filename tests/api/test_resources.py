"""What is shared, for programs: finding it, its timeline, its rules and blockings, and what each look costs."""

import pytest

from resources.models import Feature, Resource
from resources.operations import block_resource, cancel_booking, request_booking, wait_for
from tests.factories import ResourceFactory, SiteFactory

pytestmark = pytest.mark.django_db


def refusal(answer):
    told = answer.json()
    return answer.status_code, told["code"], list(told["fields"])


# Blocking


def test_the_owner_blocks_what_it_was_shown(speak, ask, van, at, asker):
    booking = ask().json()["id"]
    said = {"resource": van.pk, "starts_at": at(8).isoformat(), "ends_at": at(12).isoformat(), "reason": "Service"}
    window = f"?from={at(8).isoformat()}&to={at(12).isoformat()}"

    assert speak("post", "blockings/", said).status_code == 403
    assert refusal(speak("post", "blockings/", said, by=asker)) == (409, "booking_refused", [])
    seen = [one["id"] for one in speak("get", f"resources/{van.pk}/displaced/{window}", by=asker).json()]
    made = speak("post", "blockings/", {**said, "seen": seen}, by=asker)

    assert (seen, made.status_code, made.json()["reason"]) == ([booking], 201, "Service")
    assert speak("get", f"bookings/{booking}/").json()["request_state"] == "cancelled"
    assert ask().status_code == 409
    ended = speak("post", f"blockings/{made.json()['id']}/end/", by=asker)
    assert (ended.status_code, ended.json()["ended_at"] is not None) == (200, True)
    assert ask().status_code == 201


# Finding


def test_what_is_free_is_found(speak, ask, van, at, neighbour, buses):
    hook = Feature.objects.create(name_sv="Dragkrok", slug="dragkrok")
    lift = Feature.objects.create(name_sv="Ramp", slug="ramp")
    other = ResourceFactory(name="Minibuss B", municipality=neighbour, category=buses, capacity=9)
    other.features.set([hook, lift])
    van.features.set([hook])
    ask()
    when = f"&free_from={at(9).isoformat()}&free_to={at(11).isoformat()}"  # with a bare plus, as people write it

    def found(query):
        answer = speak("get", f"resources/?{query}")
        assert answer.status_code == 200, answer.content
        return [(one["name"], one["standing"]) for one in answer.json()["results"]]

    assert found("search=minibuss") == [("Minibuss A", None), ("Minibuss B", None)]
    assert found(f"category=minibuss&capacity_min=9{when}") == [("Minibuss B", "free"), ("Minibuss A", "busy")]
    assert found("feature=dragkrok&feature=ramp") == [("Minibuss B", None)]
    assert found("capacity_min=10") == []
    assert refusal(speak("get", "resources/?feature=vingar")) == (400, "invalid", ["feature"])
    assert refusal(speak("get", "resources/?free_from=2026-12-08")) == (400, "invalid", ["free_to"])


def test_what_stands_at_ones_own_site_comes_first(speak, van, home, buses):
    site, elsewhere = SiteFactory(municipality=home), SiteFactory(municipality=home)
    for name, place in (("Minibuss B", elsewhere), ("Minibuss C", site)):
        ResourceFactory(name=name, municipality=home, category=buses, site=place)

    found = speak("get", f"resources/?from_site={site.pk}").json()["results"]

    assert [(one["name"], one["travel_minutes"]) for one in found] == [
        ("Minibuss C", 0), ("Minibuss B", 0), ("Minibuss A", None),
    ]  # fmt: skip


def test_a_resource_comes_with_the_owners_rules(speak, van):
    rules = {
        "askers": "area", "approval": "by_owner", "rivalry": "compete", "decide_hours": 36, "lead_minutes": 90,
        "longest_minutes": 480, "cancel_hours": 24, "turnaround_minutes": 15,
    }  # fmt: skip
    Resource.objects.filter(pk=van.pk).update(**rules)

    told = speak("get", f"resources/{van.pk}/").json()

    assert {name: told[name] for name in rules} == rules
    assert speak("get", "resources/").json()["results"][0].items() >= rules.items()


def test_the_timeline_tells_others_only_that_it_is_taken(speak, ask, van, at, two_homes, principal):
    mine = ask(purpose="Hemligt besök").json()["id"]
    window = f"?from={at(0).date().isoformat()}&to={at(0, day=1).date().isoformat()}"

    def slots(by):
        (row,) = speak("get", f"resources/timeline/{window}&category=minibuss", by=by).json()
        assert row == speak("get", f"resources/{van.pk}/timeline/{window}", by=by).json()
        return [(one["kind"], one["booking"], one["words"], one["body"]) for one in row["slots"]]

    assert slots(two_homes) == [("own", mine, "Hemligt besök", "Enköping")]
    assert slots(principal) == [("busy", None, "", "")]


@pytest.mark.parametrize(
    "window",
    [
        "",
        "?from=2026-12-08",
        "?from=2026-12-08&to=2026-12-07",
        "?from=2026-01-01&to=2028-01-01",
        "?from=0001-01-01&to=9999-12-31",
        "?from=x&to=y",
    ],
)
def test_a_window_that_cannot_be_is_refused(speak, van, window):
    for address in ("resources/timeline/", f"resources/{van.pk}/timeline/"):
        assert speak("get", address + window).status_code == 400


# How much it costs


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("address", "queries"),
    [
        ("bookings/", 10), ("resources/", 12), ("resources/timeline/?from={day}&to={next}", 13),
        ("resources/?free_from={day}&free_to={next}", 16), ("waiting/", 10),
        ("waiting-offers/", 10), ("blockings/", 11),
    ],
)  # fmt: skip
def test_lists_cost_the_same_for_one_and_three(
    rows, address, queries, reader, django_assert_num_queries, neighbour, home, owner, asker, buses, at
):
    for _number in range(rows):
        resource = ResourceFactory(municipality=neighbour, category=buses)
        times = {"starts_at": at(9), "ends_at": at(11)}
        book = {**times, "purpose": "Besök", "by": owner, "on_behalf_of": home.body}
        booking = request_booking(resource, **book)
        wait_for(resource, **book)
        cancel_booking(booking, by=owner, on_behalf_of=home.body)
        block_resource(
            resource, starts_at=at(12), ends_at=at(13), reason="Service", seen=set(), by=asker,
            on_behalf_of=neighbour.body,
        )  # fmt: skip
    reader.get("/api/v1/bookings/")

    with django_assert_num_queries(queries):
        answer = reader.get("/api/v1/" + address.format(day=at(0).date(), next=at(0, day=1).date()))

    told = answer.json()
    assert len(told["results"] if isinstance(told, dict) else told) == rows


def test_asking_costs_the_same_whatever_is_booked(ask, at, django_assert_num_queries):
    ask(at(7), at(8))

    with django_assert_num_queries(33):
        ask(at(9), at(10))
