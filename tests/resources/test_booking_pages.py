"""The pages where one asks and follows up: shown before it is sent, sent once, nothing typed lost, nothing dropped."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils.timezone import localtime

from resources.models import Approval, Booking, PriceRule, RequestState, Resource, Takes, Unit
from resources.operations import approve_booking, cancel_booking, change_time, prices_of, request_booking
from resources.templatetags.booking_words import price_how
from tests.factories import ResourceFactory
from tests.resources.booking_stories import a_van, asked, asked_back, asked_in_series, in_days


def filled(starts_at, ends_at, **more):
    """The form as typed."""
    begins, ends = localtime(starts_at), localtime(ends_at)
    return {
        "first_day": f"{begins:%Y-%m-%d}", "begins": f"{begins:%H.%M}", "last_day": f"{ends:%Y-%m-%d}",
        "ends": f"{ends:%H.%M}", "purpose": "Studiebesök på bageriet", "pupils": "8",
    } | more  # fmt: skip


def hidden(response, *names):
    html = response.content.decode()
    return {name: re.search(rf'name="{name}" value="([^"]*)"', html)[1] for name in names}


@pytest.fixture
def look(client):
    def looked(van, given):
        return client.post(f"/resurser/{van.pk}/boka/", given | {"steg": "visa"})

    return looked


@pytest.fixture
def send(client, look):
    """Look, and confirm what the page showed, with what is ticked."""

    def sent(van, given, **ticked):
        page = look(van, given)
        return client.post(
            f"/resurser/{van.pk}/boka/", given | {"steg": "boka"} | hidden(page, "nyckel", "visat") | ticked
        )

    return sent


def test_the_price_is_shown_before_it_is_sent_and_stands_on_the_booking(client, look, send, van, owner, at):
    PriceRule.objects.create(resource=van, number=1, unit="hour", sek=150, valid=(at(0).date() - timedelta(9), None))
    client.force_login(owner)
    given = filled(at(9), at(11))

    page = look(van, given)

    assert "150 kr per timme" in client.get(f"/resurser/{van.pk}/boka/").content.decode()
    assert "300 kr" in page.content.decode()
    assert Booking.objects.count() == 0
    answer = send(van, given)
    booking = Booking.objects.get()
    assert answer.url == booking.get_absolute_url()
    assert (booking.price_sek, booking.pupils, booking.request_state) == (300, 8, RequestState.APPROVED)


@pytest.mark.parametrize(
    ("unit", "minutes", "words"),
    [
        ("hour", 20, "0,33 timme à 150 kr"),
        ("hour", 60, "1 timme à 150 kr"),
        ("hour", 90, "1,5 timmar à 150 kr"),
        ("hour", 600, "10 timmar à 150 kr"),
        ("day", 90, "1 dag à 150 kr"),
        ("occasion", 90, ""),
    ],
)
def test_how_a_price_came_about_is_told_in_plain_figures(van, at, unit, minutes, words):
    PriceRule.objects.create(resource=van, number=1, unit=unit, sek=150, valid=(at(0).date() - timedelta(9), None))

    (price,) = prices_of(van, [(at(9), at(9, minute=minutes))])

    assert price_how(price) == words


def test_a_price_that_changes_meanwhile_is_shown_again(client, look, van, owner, at):
    rule = PriceRule.objects.create(
        resource=van, number=1, unit="hour", sek=150, valid=(at(0).date() - timedelta(9), None)
    )
    client.force_login(owner)
    given = filled(at(9), at(11))
    page = look(van, given)
    PriceRule.objects.filter(pk=rule.pk).update(sek=200)

    again = client.post(f"/resurser/{van.pk}/boka/", given | {"steg": "boka"} | hidden(page, "nyckel", "visat"))

    assert again.context["has_changed"]
    assert "400 kr" in again.content.decode()
    assert Booking.objects.count() == 0


def test_a_double_click_makes_one(client, look, van, owner, at):
    client.force_login(owner)
    given = filled(at(9), at(11))
    page = look(van, given)
    confirmed = given | {"steg": "boka"} | hidden(page, "nyckel", "visat")

    answers = [client.post(f"/resurser/{van.pk}/boka/", confirmed) for _click in range(3)]

    booking = Booking.objects.get()
    assert {answer.url for answer in answers} == {booking.get_absolute_url()}


def test_a_refusal_offers_links_that_keep_what_was_typed(client, look, van, owner, asker, neighbour, at):
    request_booking(van, starts_at=at(9), ends_at=at(11), purpose="Eget", by=asker, on_behalf_of=neighbour.body)
    client.force_login(owner)

    page = look(van, filled(at(9), at(11), cost_place="4711"))

    offers = page.context["only"].offers
    assert offers
    kept = parse_qs(urlsplit(offers[0].address).query)
    assert kept["syfte"] == ["Studiebesök på bageriet"]
    assert (kept["elever"], kept["kostnad"]) == (["8"], ["4711"])
    assert page.context["wait_address"].startswith(f"/resurser/{van.pk}/vantelista/?fran=")
    for address in (offers[0].address, page.context["wait_address"]):
        form = client.get(address).context["form"]
        assert (form["purpose"].value(), form["cost_place"].value()) == ("Studiebesök på bageriet", "4711")


def test_a_series_says_what_is_left_out_and_takes_substitutes_as_shown(
    client, look, van, owner, asker, neighbour, at, buses
):
    twin = ResourceFactory(name="Minibuss B", municipality=neighbour, category=buses, capacity=9)
    for weeks in (1, 3):
        starts_at = at(9, day=7 * weeks)
        request_booking(
            van, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1), purpose="Eget", by=asker,
            on_behalf_of=neighbour.body,
        )  # fmt: skip
    client.force_login(owner)
    given = filled(at(9), at(11), until=f"{at(9, day=28):%Y-%m-%d}", every_weeks="1")
    page = look(van, given)
    plan = page.context["plan"]
    assert (len(plan.rows), plan.free, len(plan.left_out)) == (5, 3, 2)
    assert "3 av 5" in page.content.decode()
    offer = next(one for one in plan.rows[1].offers if one.other.resource == twin)
    ticks = {
        "datum": [row.day.isoformat() for row in plan.rows if row.is_free],
        f"istallet-{plan.rows[1].day}": offer.value,
    }

    changed = client.post(
        f"/resurser/{van.pk}/boka/", given | {"steg": "boka"} | hidden(page, "nyckel", "visat") | ticks
    )

    assert changed.context["has_changed"]
    assert "4 av 5" in changed.content.decode()
    assert Booking.objects.filter(booked_for=owner.bodies_today()[0]).count() == 0
    Resource.objects.filter(pk=twin.pk).update(approval=Approval.BY_OWNER)
    done = client.post(
        f"/resurser/{van.pk}/boka/", given | {"steg": "boka"} | hidden(changed, "nyckel", "visat") | ticks, follow=True
    )
    assert "Tre datum är bokade. Ett datum väntar nu på svar." in done.text
    made = Booking.objects.filter(series__isnull=False)
    assert sorted(one.resource.name for one in made) == ["Minibuss A"] * 3 + ["Minibuss B"]


def test_counting_again_sends_nothing(client, look, van, owner, at):
    client.force_login(owner)
    given = filled(at(9), at(11), until=f"{at(9, day=7):%Y-%m-%d}")
    page = look(van, given)
    html = page.content.decode()
    kept = {"datum": [row.day.isoformat() for row in page.context["plan"].rows]}

    counted = re.search(r'name="steg" value="(\w+)">Räkna om', html)[1]
    again = client.post(f"/resurser/{van.pk}/boka/", given | {"steg": counted} | hidden(page, "nyckel", "visat") | kept)

    assert "2 av 2" in again.content.decode()
    assert Booking.objects.count() == 0


def test_no_more_pieces_than_there_are_can_be_asked_for(client, look, buses, home, owner, at):
    tablets = ResourceFactory(name="Surfplattor", municipality=home, category=buses, capacity=None, takes=Takes.SOME)
    tablets.units.add(*Unit.objects.bulk_create(Unit(owner=home.body, name=f"iPad {number}") for number in range(2)))
    client.force_login(owner)

    page = look(tablets, filled(at(9), at(11), quantity=9))

    assert "quantity" in page.context["form"].errors
    assert "Surfplattor" in page.context["form"].errors["quantity"][0]


def test_no_date_left_is_said_and_nothing_is_sent(client, look, van, owner, at):
    client.force_login(owner)
    given = filled(at(9), at(11), until=f"{at(9, day=7):%Y-%m-%d}")
    page = look(van, given)

    answer = client.post(f"/resurser/{van.pk}/boka/", given | {"steg": "boka"} | hidden(page, "nyckel", "visat"))

    assert answer.context["nothing_left"]
    assert Booking.objects.count() == 0


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"ends": "8.00"}, "ends"),
        ({"first_day": "2020-01-01", "last_day": ""}, "begins"),
        ({"first_day": "2036-11-01", "last_day": "2036-11-01"}, "ends"),
        ({"first_day": "x"}, "first_day"),
        ({"pupils": "10"}, "pupils"),
        ({"pupils": "9" * 30}, "pupils"),
        ({"purpose": ""}, "purpose"),
        ({"until": "2020-01-01"}, "until"),
        ({"until": "2099-01-01"}, "until"),
        ({"weekdays": ["1"]}, "until"),
        ({"until": "2027-01-31", "every_weeks": "99"}, "every_weeks"),
    ],
)
def test_what_cannot_be_asked_for_is_said_at_its_field_and_nothing_typed_is_lost(
    client, look, van, owner, at, more, field
):
    client.force_login(owner)

    page = look(van, filled(at(9), at(11)) | {"cost_place": "4711"} | more)

    form = page.context["form"]
    assert list(form.errors) == [field]
    assert form["cost_place"].value() == "4711"
    assert "4711" in page.content.decode()


def test_a_pool_asks_how_many_and_a_copy_asks_for_a_new_time(client, send, neighbour, buses, owner, home, at):
    units = [Unit.objects.create(owner=neighbour.body, name=f"iPad {number}") for number in range(5)]
    tablets = ResourceFactory(municipality=neighbour, category=buses, takes=Takes.SOME, units=units)
    client.force_login(owner)
    send(tablets, filled(at(9), at(11), quantity="3"))
    booking = Booking.objects.get()

    form = client.get(f"/resurser/{tablets.pk}/boka/?kopia={booking.pk}").context["form"]

    assert booking.quantity == 3
    assert (form["purpose"].value(), form["quantity"].value()) == ("Studiebesök på bageriet", 3)
    assert form["first_day"].value() is None


def test_somebody_elses_booking_is_not_copied(client, van, outsider, asker, neighbour, home, owner, at):
    booking = request_booking(
        van, starts_at=at(9), ends_at=at(11), purpose="Hemligt", by=asker, on_behalf_of=neighbour.body
    )
    client.force_login(owner)

    form = client.get(f"/resurser/{van.pk}/boka/?kopia={booking.pk}").context["form"]

    assert form["purpose"].value() is None


@pytest.mark.parametrize(
    "query",
    [
        "?fran=x&till=y",
        "?fran=0001-01-01T00:00&till=9999-12-31T23:59",
        "?sista=x&varje=x",
        "?kopia=99999999999999999999",
        "?antal=-1&program=x&elever=x&for=x",
    ],
)
def test_nonsense_in_the_address_only_means_nothing_is_filled_in(client, van, owner, query):
    client.force_login(owner)

    assert client.get(f"/resurser/{van.pk}/boka/{query}").status_code == 200


@pytest.mark.parametrize("number", ["9" * 5000, "-1", "två"])
def test_nonsense_about_how_many_shows_the_time_for_one(client, neighbour, buses, owner, asker, at, number):
    units = [Unit.objects.create(owner=neighbour.body, name=f"iPad {nth}") for nth in range(2)]
    tablets = ResourceFactory(municipality=neighbour, category=buses, takes=Takes.SOME, units=units)
    client.force_login(owner)
    when = f"fran={at(9):%Y-%m-%dT%H:%M}&till={at(11):%Y-%m-%dT%H:%M}"

    page = client.get(f"/resurser/{tablets.pk}/boka/?{when}&antal={number}")

    assert (page.status_code, page.context["glimpse"].is_free, page.context["glimpse_quantity"]) == (200, True, 1)


# The list and the page


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_as_much_of_the_database_for_many_as_for_one(
    client, van, home, owner, rows, django_assert_num_queries
):
    for day in range(rows):
        asked(home, owner, van, day=7 + day)
    client.force_login(owner)
    client.get("/resurser/bokningar/")

    with django_assert_num_queries(11):
        page = client.get("/resurser/bokningar/")

    assert len(page.context["rows"]) == rows


@pytest.mark.parametrize("dates", [2, 4])
def test_a_page_asks_as_much_of_the_database_for_a_long_series_as_for_a_short(
    client, van, home, owner, dates, django_assert_num_queries
):
    made = asked_in_series(home, owner, van, dates=dates)
    client.force_login(owner)
    client.get(made[1].get_absolute_url())

    with django_assert_num_queries(11):
        page = client.get(made[1].get_absolute_url())

    assert (page.text.count("Det som har hänt"), page.text.count("/historik/")) == (1, 1)
    assert len(page.context["siblings"]) == dates


def test_the_list_is_chosen_by_time_state_and_whose(client, van, home, owner, asker, neighbour):
    ours = asked(home, owner, van)
    theirs = request_booking(
        ResourceFactory(municipality=home, category=van.category), starts_at=in_days(8, 9), ends_at=in_days(8, 10),
        purpose="Prov", by=asker, on_behalf_of=neighbour.body,
    )  # fmt: skip
    client.force_login(owner)

    def found(query):
        return client.get(f"/resurser/bokningar/{query}").context["rows"]

    assert found("") == [ours, theirs]
    assert found("?vilka=vara") == [ours]
    assert found("?vilka=hos-oss") == [theirs]
    assert found("?lage=declined") == []
    assert found("?tid=tidigare") == []
    assert found("?tid=x&lage=x&vilka=9&organ=x&sida=-1") == [ours, theirs]


def test_another_time_is_shown_first_and_says_what_holds(client, van, home, owner, asker, neighbour, at):
    van.approval = Approval.BY_OWNER
    van.save()
    booking = approve_booking(asked(home, owner, van), by=asker, on_behalf_of=neighbour.body)
    client.force_login(owner)
    address = f"{booking.get_absolute_url()}andra/"
    span = {name: value for name, value in filled(at(13), at(15)).items() if name not in ("purpose", "pupils")}

    form = client.get(address).content.decode()
    shown = client.post(address, span | {"steg": "visa"})
    booking.refresh_from_db()
    unchanged = booking.starts_at
    client.post(address, span | {"steg": "flytta"})

    assert "Den gamla tiden gäller tills ägaren har svarat" in form
    assert shown.context["free"] == 1
    assert unchanged == at(9)
    booking.refresh_from_db()
    assert (booking.starts_at, booking.kept.lower) == (at(13), at(9))
    client.post(f"{booking.get_absolute_url()}behall/")
    booking.refresh_from_db()
    assert (booking.starts_at, booking.kept) == (at(9), None)


def test_the_following_of_a_series_are_cancelled_after_it_is_said_what_happens(client, van, home, owner):
    made = asked_in_series(home, owner, van, dates=3)
    client.force_login(owner)
    address = f"{made[1].get_absolute_url()}avboka/"

    refused = client.post(address, {"scope": "following"})
    client.post(address, {"scope": "following", "understood": "on"})

    assert list(refused.context["form"].errors) == ["understood"]
    assert [one.request_state for one in Booking.objects.order_by("pk")] == ["approved", "cancelled", "cancelled"]


def test_the_owners_question_is_answered_on_the_page(client, home, owner, neighbour, asker):
    booking = asked_back(home, owner, neighbour, asker)
    client.force_login(owner)
    page = client.get(booking.get_absolute_url()).content.decode()

    client.post(f"{booking.get_absolute_url()}svara/", {"answer": "Läraren."})

    booking.refresh_from_db()
    assert "Vem kör?" in page
    assert booking.request_state == RequestState.REQUESTED
    page = client.get(booking.get_absolute_url()).content.decode()
    assert "Ägaren frågade" in page
    assert '<p lang="sv">Läraren.</p>' in page


def approved_with_a_note(home, owner, neighbour, asker):
    booking = asked(home, owner, a_van(neighbour))
    return approve_booking(booking, note="Nyckeln hänger i receptionen.", by=asker, on_behalf_of=neighbour.body)


def test_a_note_is_not_a_question_when_another_time_is_asked_for(client, home, owner, neighbour, asker, at):
    booking = approved_with_a_note(home, owner, neighbour, asker)
    client.force_login(owner)
    change_time(booking, starts_at=at(9), ends_at=at(12), by=owner, on_behalf_of=home.body)

    page = client.get(booking.get_absolute_url()).content.decode()

    assert "Från ägaren, om den gamla tiden" in page
    assert "Ägaren frågade" not in page
    assert re.search(r"Annan tid: \w+ [^:]* kl\. 9–12 i stället för \w+ [^:]* kl\. 9–11\.", page)


def test_history_names_a_booking_by_the_clock_in_sweden(van, home, owner):
    booking = asked(home, owner, van)
    booking.refresh_from_db()

    assert str(booking) == f"Minibuss A, {in_days(7, 9):%Y-%m-%d} 09.00"


def test_a_note_is_not_why_it_was_cancelled(client, home, owner, neighbour, asker):
    booking = approved_with_a_note(home, owner, neighbour, asker)
    client.force_login(owner)
    cancel_booking(booking, by=owner, on_behalf_of=home.body)

    page = client.get(booking.get_absolute_url()).content.decode()

    assert "Nyckeln hänger i receptionen." not in page
    assert f"{booking.pk}.ics" not in page


def test_that_an_answer_is_waited_for_is_the_heading_of_the_whole_list_only(client, home, owner, neighbour, asker):
    asked_back(home, owner, neighbour, asker)
    client.force_login(owner)

    def page(query):
        return client.get(f"/resurser/bokningar/{query}").content.decode()

    assert "väntar på ditt svar" in page("")
    assert "väntar på ditt svar" not in page("?tid=tidigare")
    assert "väntar på ditt svar" not in page("?lage=declined")


def test_a_substitute_in_a_series_moves_at_its_own_price(client, van, buses, home, owner, neighbour):
    PriceRule.objects.create(resource=van, number=1, unit="occasion", sek=150, valid=(in_days(-9, 0).date(), None))
    twin = ResourceFactory(name="Minibuss B", municipality=neighbour, category=buses, capacity=9)
    PriceRule.objects.create(resource=twin, number=1, unit="occasion", sek=700, valid=(in_days(-9, 0).date(), None))
    first, second = asked_in_series(home, owner, van, dates=2)
    Booking.objects.filter(pk=second.pk).update(resource=twin)
    client.force_login(owner)
    day = f"{in_days(8, 9):%Y-%m-%d}"

    shown = client.post(
        f"{first.get_absolute_url()}andra/",
        {"first_day": day, "begins": "9", "last_day": day, "ends": "11", "scope": "all", "steg": "visa"},
    )

    assert [price.sek for _moved, _one, price in shown.context["rows"]] == [150, 700]


def test_it_is_told_which_of_a_series_have_a_new_time_and_which_wait_for_it(client, van, buses, home, owner, neighbour):
    twin = ResourceFactory(name="Minibuss B", municipality=neighbour, category=buses, approval=Approval.BY_OWNER)
    first, second = asked_in_series(home, owner, van, dates=2)
    Booking.objects.filter(pk=second.pk).update(resource=twin)
    client.force_login(owner)
    day = f"{in_days(8, 9):%Y-%m-%d}"

    moved = client.post(
        f"{first.get_absolute_url()}andra/",
        {"first_day": day, "begins": "9", "last_day": day, "ends": "11", "scope": "all", "steg": "flytta"},
        follow=True,
    )

    assert "En förfrågan om ny tid är skickad. En bokning har en ny tid." in moved.text


def test_a_request_that_is_withdrawn_is_called_no_booking(client, home, owner, neighbour, asker):
    booking = asked(home, owner, a_van(neighbour))
    client.force_login(owner)

    gone = client.post(f"{booking.get_absolute_url()}avboka/", {"understood": "on"}, follow=True)

    assert "En förfrågan är tillbakadragen." in gone.text


def test_what_it_is_for_is_changed_on_the_page(client, van, home, owner):
    booking = asked(home, owner, van)
    client.force_login(owner)
    address = f"{booking.get_absolute_url()}andra/"

    refused = client.post(address, {"steg": "vad", "purpose": "APL", "pupils": "10"})
    client.post(address, {"steg": "vad", "purpose": "APL", "pupils": "5"})

    assert list(refused.context["what_form"].errors) == ["pupils"]
    booking.refresh_from_db()
    assert (booking.purpose, booking.pupils) == ("APL", 5)
