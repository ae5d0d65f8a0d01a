"""The pages of deciding, blocking and waiting: what is shown before it is done, and the way back."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse

from collab4m.clock import today
from records.models import span
from resources.models import Blocking, Booking, Claim, Deputy, RequestState, Waiting, WaitingOffer, WaitState
from resources.operations import (
    approve_booking,
    cancel_booking,
    change_time,
    decline_booking,
    request_booking,
    wait_for,
)
from tests.factories import CategoryFactory, ResourceFactory, UserFactory
from tests.resources.booking_stories import in_days
from tests.resources.deciding_pages import ask, competing, in_line, put_in_series

pytestmark = pytest.mark.django_db

LIST_QUERIES, PLACES_QUERIES = 9, 7


def words(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def hidden(response, name):
    return re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())[1]


@pytest.fixture
def van(neighbour, asker):
    return competing(neighbour)


@pytest.fixture
def rivals(van, home, owner):
    return [ask(home, owner, van), ask(home, owner, van, hour=10), ask(home, owner, van, hour=8)]


@pytest.fixture
def decider(client, asker):
    client.force_login(asker)
    return client


def state(booking):
    return Booking.objects.get(pk=booking.pk).request_state


# What waits


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same_whatever_it_holds(decider, django_assert_num_queries, van, home, owner, rows):
    for row in range(rows):
        for hour in (9, 10):
            ask(home, owner, van, day=7 + row, hour=hour)

    with django_assert_num_queries(LIST_QUERIES):
        response = decider.get("/resurser/att-besluta/")

    assert len(response.context["page"].object_list) == rows


def test_rivals_stand_side_by_side_and_a_series_is_one_thing(decider, rivals, home, neighbour, owner):
    response = decider.get("/resurser/att-besluta/")

    (entry,) = response.context["page"].object_list
    assert [one.pk for one in entry.side_by_side] == [one.pk for one in rivals]
    assert "Tre vill ha Minibuss A samma tid" in words(response)


def test_a_series_is_one_thing_to_decide(decider, home, neighbour, owner):
    put_in_series(home, neighbour, owner)

    response = decider.get("/resurser/att-besluta/")

    series, alone = sorted(response.context["page"].object_list, key=lambda entry: entry.series is None)
    assert (len(series.bookings), len(series.rivals), len(alone.side_by_side)) == (3, 1, 2)


def test_a_deputy_sees_only_what_is_to_be_decided_today(client, rivals, neighbour):
    deputy = UserFactory()
    Deputy.objects.create(owner=neighbour.body, user=deputy, valid=span(today(), today()))
    client.force_login(deputy)

    assert "Tre vill ha Minibuss A samma tid" in words(client.get("/resurser/att-besluta/"))
    Deputy.objects.update(valid=span(None, today().replace(year=2020)))
    assert client.get("/resurser/att-besluta/").status_code == 403
    assert client.get(rivals[0].get_absolute_url()).status_code == 404


# One request


def test_what_approving_does_is_said_before_it_is_done(decider, rivals):
    page = decider.get(rivals[0].get_absolute_url())

    assert "Två till vill ha samma tid" in words(page)
    assert "Om du godkänner får två andra avslag, med förslag på andra tider." in words(page)
    response = decider.post(
        reverse("booking_approve", args=[rivals[0].pk]),
        {"seen": hidden(page, "seen"), "note": "Nyckeln finns i luckan"},
    )

    assert response["Location"] == rivals[0].get_absolute_url()
    assert [state(one) for one in rivals] == [RequestState.APPROVED, RequestState.DECLINED, RequestState.DECLINED]
    assert Booking.objects.get(pk=rivals[0].pk).answer == "Nyckeln finns i luckan"


def test_a_rival_in_between_comes_back_with_the_new_list_and_the_words_kept(decider, rivals, van, home, owner):
    page = decider.get(rivals[0].get_absolute_url())
    late = ask(home, owner, van)

    given = {"seen": hidden(page, "seen"), "note": "Nyckeln finns i luckan"}
    response = decider.post(reverse("booking_approve", args=[rivals[0].pk]), given)

    assert "Förfrågningarna har ändrats" in words(response)
    assert "Nyckeln finns i luckan" in response.content.decode()
    assert str(late.pk) in hidden(response, "seen").split(",")
    assert not Claim.objects.exists()


def test_no_without_a_reason_says_what_to_do(decider, rivals):
    response = decider.post(reverse("booking_decline", args=[rivals[0].pk]), {"reason": " "})

    assert "Skriv varför. Den som frågade läser det." in words(response)
    assert response.content.decode().count('role="alert"') == 1
    assert state(rivals[0]) == RequestState.REQUESTED


def test_what_was_decided_meanwhile_keeps_what_was_written(decider, rivals):
    Booking.objects.filter(pk=rivals[0].pk).update(request_state=RequestState.WITHDRAWN)

    response = decider.post(reverse("booking_decline", args=[rivals[0].pk]), {"reason": "Vi behöver den själva."})

    assert "redan beslutad, tillbakadragen eller har gått ut" in words(response)
    assert "Vi behöver den själva." in response.content.decode()


def test_no_to_another_time_says_that_the_booking_stands(decider, van, home, owner, asker, neighbour):
    booking = approve_booking(ask(home, owner, van), by=asker, on_behalf_of=neighbour.body)
    times = {"starts_at": in_days(8, 9), "ends_at": in_days(8, 11)}
    change_time(booking, **times, by=owner, on_behalf_of=home.body)

    response = decider.post(reverse("booking_decline", args=[booking.pk]), {"reason": "Service."}, follow=True)

    assert "Den nya tiden får avslag, och bokningen gäller som förut." in words(response)
    assert state(booking) == RequestState.APPROVED


def test_the_last_date_of_a_series_is_decided_alone(decider, home, neighbour, owner, asker):
    put_in_series(home, neighbour, owner)
    first, *others = Booking.objects.exclude(series=None).order_by("during")
    address = reverse("series_decide", args=[first.pk])
    assert address in decider.get(first.get_absolute_url()).content.decode()
    for one in others:
        decline_booking(one, reason="Service.", by=asker, on_behalf_of=neighbour.body)

    assert address not in decider.get(first.get_absolute_url()).content.decode()


def test_a_question_goes_back(decider, rivals):
    decider.post(reverse("booking_ask", args=[rivals[0].pk]), {"question": "Vem kör?"})

    assert state(rivals[0]) == RequestState.INFO_NEEDED
    assert "Frågan: Vem kör?" in words(decider.get("/resurser/att-besluta/"))


@pytest.mark.parametrize("name", ["booking_approve", "booking_decline", "booking_ask"])
@pytest.mark.parametrize(("who", "status"), [("owner", 403), ("committee", 403), ("principal", 404), ("outsider", 404)])
def test_nobody_else_decides(client, request, rivals, name, who, status):
    client.force_login(request.getfixturevalue(who))

    response = client.post(reverse(name, args=[rivals[0].pk]), {"reason": "Nej", "question": "Vem?"})

    assert response.status_code == status
    assert state(rivals[0]) == RequestState.REQUESTED


def test_the_link_in_the_mail_leads_to_the_decision_after_log_in(client, asker, rivals):
    asker.set_password("fyra-malarstader")
    asker.save()
    EmailAddress.objects.create(user=asker, email=asker.email, verified=True, primary=True)
    address = rivals[0].get_absolute_url()

    to_log_in = client.get(address)
    assert to_log_in["Location"].startswith("/konto/login/?next=")
    response = client.post(
        to_log_in["Location"], {"login": asker.email, "password": "fyra-malarstader", "next": address}, follow=True
    )

    assert response.redirect_chain[-1][0] == address
    assert "Ditt beslut" in words(response)


# A series


def test_dates_with_a_tick_are_approved_and_the_others_declined(decider, home, neighbour, owner):
    (pk,) = put_in_series(home, neighbour, owner)
    dates = list(Booking.objects.exclude(series=None).order_by("during"))
    address = reverse("series_decide", args=[pk])
    page = decider.get(address)
    assert "får avslag om du godkänner det här datumet" in words(page)

    given = {"shown": hidden(page, "shown"), "approve": [str(dates[0].pk), str(dates[1].pk)]}
    refused = decider.post(address, given)
    assert "Skriv varför" in words(refused)
    assert refused.content.decode().count(" checked") == 2
    done = decider.post(address, given | {"reason": "Service den veckan."}, follow=True)

    assert "Två datum är godkända. Ett datum får avslag." in words(done)
    assert [state(one) for one in dates] == [RequestState.APPROVED, RequestState.APPROVED, RequestState.DECLINED]
    assert state(Booking.objects.get(series=None)) == RequestState.DECLINED


# Blocking


def test_what_is_displaced_is_shown_first_and_then_done(decider, rivals, van):
    address = reverse("resource_block", args=[van.pk])
    day = f"{in_days(7, 9):%Y-%m-%d}"
    given = {"first_day": day, "begins": "8", "last_day": day, "ends": "10.30", "reason": "Service"}

    shown = decider.post(address, given)
    assert "Tre bokningar och förfrågningar är i vägen" in words(shown)
    assert not Blocking.objects.exists()
    decider.post(address, given | {"seen": hidden(shown, "seen"), "bekraftat": "1"})

    assert Blocking.objects.get().during.upper == in_days(7, 10).replace(minute=30)
    assert {state(one) for one in rivals} == {RequestState.CANCELLED}


def test_a_booking_in_between_is_shown_before_it_is_displaced(decider, rivals, van, home, owner):
    address = reverse("resource_block", args=[van.pk])
    day = f"{in_days(7, 9):%Y-%m-%d}"
    given = {"first_day": day, "begins": "8", "last_day": day, "ends": "24", "reason": "Service"}
    shown = decider.post(address, given)
    ask(home, owner, van, hour=15)

    response = decider.post(address, given | {"seen": hidden(shown, "seen"), "bekraftat": "1"})

    assert "Fyra bokningar och förfrågningar är i vägen" in words(response)
    assert not Blocking.objects.exists()


def test_a_free_time_is_blocked_at_once_and_ended_early(decider, van):
    first, last = f"{in_days(7, 9):%Y-%m-%d}", f"{in_days(9, 9):%Y-%m-%d}"
    given = {"first_day": first, "begins": "8", "last_day": last, "ends": "24", "reason": "Service"}

    decider.post(reverse("resource_block", args=[van.pk]), given)
    blocking = Blocking.objects.get()
    assert blocking.during.upper == in_days(10, 0)
    decider.post(reverse("blocking_end", args=[blocking.pk]))

    assert not Claim.objects.exists()


def test_odd_times_are_answered_with_what_to_do(decider, van):
    given = {"first_day": "0001-01-01", "begins": "25", "last_day": "9999-12-31", "ends": "nio", "reason": ""}

    response = decider.post(reverse("resource_block", args=[van.pk]), given)

    assert response.status_code == 200
    assert words(response).count("Skriv tiden i timmar och minuter, till exempel 9.30.") >= 2


# The waiting list


def test_standing_in_line_from_a_refusal_keeps_the_time(client, owner, home, neighbour, van):
    van.approval = "automatic"
    van.save()
    ask(home, owner, van)
    client.force_login(owner)
    day = f"{in_days(7, 9):%Y-%m-%d}"

    page = client.get(reverse("wait", args=[van.pk]), {"fran": f"{day}T09:00", "till": f"{day}T11:00"})
    assert [page.context["form"][name].value() for name in ("first_day", "begins", "ends")] == [
        in_days(7, 9).date(), "9.00", "11.00",
    ]  # fmt: skip
    given = {"first_day": day, "begins": "9.00", "last_day": day, "ends": "11.00", "purpose": "Match"}
    response = client.post(reverse("wait", args=[van.pk]), given, follow=True)

    assert "Du står i en kö" in words(response)
    assert Waiting.objects.get().purpose == "Match"


def test_one_waits_for_those_whom_the_owner_lets_ask(client, two_homes, home, neighbour, van):
    client.force_login(two_homes)
    both = client.get(reverse("wait", args=[van.pk])).context["form"]
    van.askers = "owner"
    van.save()

    form = client.get(reverse("wait", args=[van.pk])).context["form"]

    assert {str(body) for body in both.bodies.values()} == {str(home.body), str(neighbour.body)}
    assert [str(body) for body in form.bodies.values()] == [str(neighbour.body)]


def test_there_is_a_way_on_when_the_time_is_free(client, owner, van):
    client.force_login(owner)
    day = f"{in_days(7, 9):%Y-%m-%d}"

    given = {"first_day": day, "begins": "9", "last_day": day, "ends": "11", "purpose": "Match"}
    response = client.post(reverse("wait", args=[van.pk]), given)

    assert f"/resurser/{van.pk}/boka/?fran={day}T09%3A00&amp;till={day}T11%3A00" in response.content.decode()
    assert not Waiting.objects.exists()


@pytest.mark.parametrize("rows", [1, 3])
def test_ones_places_cost_the_same_however_many(client, django_assert_num_queries, owner, home, neighbour, rows):
    for row in range(rows):
        van = ResourceFactory(municipality=neighbour, category=CategoryFactory(), name=f"Minibuss {row}")
        ask(home, owner, van)
        Waiting.objects.create(
            resource=van, booked_for=home.body, asked_by=owner, during=(in_days(7, 9), in_days(7, 11)), purpose="Match"
        )
    client.force_login(owner)

    with django_assert_num_queries(PLACES_QUERIES):
        response = client.get("/resurser/vantelista/")

    assert len(response.context["places"]) == rows


def test_an_offer_is_taken_with_the_licence_confirmed(client, owner, home, neighbour):
    place = in_line(home, neighbour, owner, freed=True)
    place.resource.permits = "B-körkort"
    place.resource.save()
    offer = WaitingOffer.objects.get(waiting=place)
    client.force_login(owner)
    address = reverse("offer_accept", args=[offer.pk])

    assert "Bekräfta att föraren har det som krävs." in words(client.post(address, {}))
    response = client.post(address, {"licence_confirmed": "on"})

    booking = Booking.objects.get(request_state=RequestState.APPROVED)
    assert response["Location"] == booking.get_absolute_url()
    assert "Erbjudandet är taget" in words(client.get(address))


def test_an_offer_of_ones_own_is_no_request(client, owner, asker, home, neighbour, van):
    van.approval = "automatic"
    van.save()
    booking = ask(home, owner, van)
    place = wait_for(
        van, starts_at=in_days(7, 9), ends_at=in_days(7, 11), purpose="Match", by=asker, on_behalf_of=neighbour.body
    )
    van.approval = "by_owner"
    van.save()
    cancel_booking(booking, by=owner, on_behalf_of=home.body)
    address = reverse("offer_accept", args=[place.offers.get().pk])
    client.force_login(asker)

    page = words(client.get(address))

    assert "Ta tiden" in page
    assert "Det du skickar är en förfrågan" not in page
    client.post(address)
    assert Booking.objects.get(booked_for=neighbour.body).request_state == RequestState.APPROVED


@pytest.mark.parametrize(("who", "status"), [("asker", 404), ("committee", 403), ("principal", 404), ("outsider", 404)])
def test_an_offer_is_for_those_it_is_made_to(client, request, owner, home, neighbour, who, status):
    place = in_line(home, neighbour, owner, freed=True)
    offer = WaitingOffer.objects.get(waiting=place)
    client.force_login(request.getfixturevalue(who))

    assert client.post(reverse("offer_accept", args=[offer.pk])).status_code == status
    assert client.post(reverse("waiting_leave", args=[place.pk])).status_code == status

    assert Waiting.objects.get(pk=place.pk).state == WaitState.OFFERED


def test_what_the_asker_may_not_do_writes_nothing(client, owner, van, home):
    client.force_login(owner)
    day = f"{in_days(7, 9):%Y-%m-%d}"

    response = client.post(
        reverse("resource_block", args=[van.pk]),
        {"first_day": day, "begins": "8", "last_day": day, "ends": "24", "reason": "Service"},
    )

    assert (response.status_code, Blocking.objects.exists()) == (403, False)


def test_two_homes_see_what_waits_in_either(client, two_homes, van, home, neighbour):
    request_booking(
        van, starts_at=in_days(7, 9), ends_at=in_days(7, 11), purpose="Studiebesök",
        by=two_homes, on_behalf_of=home.body,
    )  # fmt: skip
    client.force_login(two_homes)

    # Whoever also keeps the van asks nobody.
    assert Booking.objects.get().request_state == RequestState.APPROVED
    assert "Ingen förfrågan väntar på ditt beslut" in words(client.get("/resurser/att-besluta/"))
