"""The pages on which one shares: what is asked, what is kept when somebody was faster, and where one comes next."""

from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from collab4m.clock import today
from collab4m.school_year import SchoolYear
from collab4m.templatetags.shell import in_text
from organisations.operations import change_school_year
from resources.models import Approval, Deputy, Feature, Resource, Rivalry, Takes, Unit
from resources.operations import Opening, change_resource, openings_of, request_booking, set_opening, set_price
from resources.operations.sharing import name_deputy
from tests.factories import CategoryFactory, ProviderFactory, ResourceFactory, SiteFactory
from tests.resources import sharing_pages as pages


@pytest.fixture
def who(home, owner):
    return {"by": owner, "on_behalf_of": home.body}


@pytest.fixture
def bus(home, buses):
    return ResourceFactory(name="Buss 1", municipality=home, category=buses, capacity=9)


@pytest.fixture
def hook(db):
    return Feature.objects.create(name_sv="Dragkrok", slug="dragkrok", kind="vehicle")


@pytest.fixture
def page(client, owner):
    client.force_login(owner)

    def send(path, data=None, **more):
        answer = client.get(path) if data is None else client.post(path, data | more)
        return answer, answer.content.decode()

    return send


NEW = {"name": "Buss 1", "how": "en", "capacity": "9"}
RULES = {
    "when": "tider", "turnaround_minutes": "30", "lead_minutes": "24", "longest_minutes": "1,5", "cancel_hours": "2",
    "askers": "owner", "approval": "automatic", "decide_hours": "24", "rivalry": "compete",
}  # fmt: skip


# What it is


def test_sharing_begins_with_the_category_and_ends_with_what_is_left(page, buses, hook, home):
    Feature.objects.create(name_sv="Projektor", slug="projektor", kind="premises")
    _first, asked = page("/resurser/ny/")
    assert "?kategori=minibuss" in asked
    _second, form = page("/resurser/ny/?kategori=minibuss")
    assert ("Dragkrok" in form, "Projektor" in form) == (True, False)

    answer, _text = page("/resurser/ny/?kategori=minibuss", NEW, features=[hook.pk], permits="B96", confirmed="on")

    bus = Resource.objects.get()
    assert answer.url == f"/resurser/{bus.pk}/delad/"
    assert (bus.owner, bus.kind, bus.capacity) == (home.body, "vehicle", 9)
    assert (list(bus.features.all()), bus.permits) == ([hook], "B96")
    _left, text = page(answer.url)
    assert "Buss 1 delas nu" in text
    assert "inget pris satt" in text
    assert f"/resurser/{bus.pk}/oppettider/" in text


def test_a_category_that_does_not_exist_asks_for_one(page, buses):
    for said in ("finns-inte", "Å", ""):
        answer, text = page(f"/resurser/ny/?{urlencode({'kategori': said})}")
        assert (answer.status_code, "Vad vill du dela?" in text) == (200, True)


def test_pieces_by_number_or_by_name_never_both(page, buses):
    some = NEW | {"how": "exemplar", "name": "iPad"}
    page("/resurser/ny/?kategori=minibuss", some, pieces="3")
    assert list(Unit.objects.order_by("pk").values_list("name", flat=True)) == ["iPad 1", "iPad 2", "iPad 3"]
    assert Resource.objects.get().takes == Takes.SOME

    some["name"] = "Kamera"
    for more in ({}, {"pieces": "2", "names": "A\nB"}, {"names": "A\na"}, {"names": "x" * 101}, {"pieces": "999"}):
        answer, text = page("/resurser/ny/?kategori=minibuss", some, **more)
        assert (answer.status_code, "Fel: " in text) == (200, True)
    page("/resurser/ny/?kategori=minibuss", some, names=" Kamera röd \r\n\r\nKamera blå")

    assert set(Unit.objects.filter(resources__name="Kamera").values_list("name", flat=True)) == {
        "Kamera röd",
        "Kamera blå",
    }


@pytest.mark.parametrize("run", ["iPad 1–30", "iPad 1-30", "iPad 1\niPad 2 – 30"])
def test_pieces_in_a_run(page, buses, run):
    page("/resurser/ny/?kategori=minibuss", {"name": "Plattor", "how": "exemplar", "names": run})

    names = list(Unit.objects.order_by("pk").values_list("name", flat=True))
    assert (len(names), names[0], names[-1]) == (30, "iPad 1", "iPad 30")


def test_a_hyphen_between_two_numbers_that_follow_is_part_of_the_name(page, buses):
    page("/resurser/ny/?kategori=minibuss", {"name": "Salar", "how": "exemplar", "names": "Sal 1-2"})

    assert Unit.objects.get().name == "Sal 1-2"


@pytest.mark.parametrize("run", ["iPad 1–999", "\n".join(["A 1–9999"] * 2000)])
def test_too_many_pieces_at_once(page, buses, run):
    _answer, text = page("/resurser/ny/?kategori=minibuss", {"name": "Plattor", "how": "exemplar", "names": run})

    assert "högst 200 exemplar" in text


@pytest.mark.parametrize("said", [{"names": "A\nB"}, {"pieces": "3"}])
def test_pieces_of_what_is_booked_whole_are_not_lost_in_silence(page, buses, said):
    _answer, text = page("/resurser/ny/?kategori=minibuss", NEW | said)

    assert "Välj ovanför att den bokas i exemplar" in text
    assert not Resource.objects.exists()


def test_a_whole_of_parts(page, buses, home):
    left, right = (ResourceFactory(name=name, municipality=home, category=buses) for name in ("Vänster", "Höger"))
    whole = NEW | {"how": "helhet", "name": "Hela hallen"}
    _answer, text = page("/resurser/ny/?kategori=minibuss", whole, parts=[left.pk])
    assert "Välj minst två delar." in text

    page("/resurser/ny/?kategori=minibuss", whole, parts=[left.pk, right.pk])

    assert set(Resource.objects.get(name="Hela hallen").units.all()) == {left.units.get(), right.units.get()}


def test_parts_are_of_the_same_kind_and_owner(page, buses, bus, van, home):
    hall = CategoryFactory(name_sv="Sporthall", slug="sporthall", kind="premises")
    ResourceFactory(name="Norra halvan", municipality=home, category=hall)

    _answer, form = page("/resurser/ny/?kategori=sporthall")

    assert ("Norra halvan</" in form, "Buss 1" in form, van.name in form) == (True, False, False)


@pytest.mark.parametrize(
    ("kind", "word"), [("vehicle", "vem som tankar"), ("premises", "vem som låser"), ("equipment", "vem som laddar")]
)
def test_examples_are_of_the_kind_that_is_shared(page, db, kind, word):
    CategoryFactory(name_sv="Sak", slug="sak", kind=kind)

    _answer, form = page("/resurser/ny/?kategori=sak")

    assert word in form
    assert ("Minibuss A" in form, "C-körkort" in form) == (kind == "vehicle", kind == "vehicle")


def test_permits_need_a_tick_and_nothing_typed_is_lost(page, buses):
    _answer, text = page("/resurser/ny/?kategori=minibuss", NEW, permits="C-körkort", terms="Tanka själv")

    assert "Kryssa i att du har kontrollerat" in text
    assert "C-körkort" in text
    assert "Tanka själv" in text
    assert not Resource.objects.exists()


def test_with_two_homes_one_says_whose_it_is(client, two_homes, buses, neighbour, home):
    client.force_login(two_homes)
    there = SiteFactory(name="Garaget", municipality=home)
    missing = client.post("/resurser/ny/?kategori=minibuss", NEW).content.decode()
    wrong = client.post("/resurser/ny/?kategori=minibuss", NEW | {"owner": neighbour.pk, "site": there.pk})

    client.post("/resurser/ny/?kategori=minibuss", NEW | {"owner": neighbour.pk})

    assert "Välj vems den är." in missing
    assert "Platsen ligger i en annan kommun" in wrong.content.decode()
    assert Resource.objects.get().owner == neighbour.body


def test_a_name_that_is_taken_is_told_at_the_name(page, bus):
    _answer, text = page("/resurser/ny/?kategori=minibuss", NEW)

    assert "Ägaren har redan en resurs med det namnet" in text
    assert Resource.objects.count() == 1


def test_a_change_is_saved_with_its_features(page, bus, hook, buses):
    truck = CategoryFactory(name_sv="Lastbil", slug="lastbil")
    facts = {"name": "Buss 2", "category": truck.pk, "capacity": "", "seen": "0", "features": [hook.pk]}

    answer, _text = page(f"/resurser/{bus.pk}/andra/", facts, description="Röd", terms="", permits="")

    bus.refresh_from_db()
    assert answer.url == bus.get_absolute_url()
    assert (bus.name, bus.category, bus.capacity, bus.description) == ("Buss 2", truck, None, "Röd")
    assert list(bus.features.all()) == [hook]


def test_a_category_of_another_kind_cannot_be_chosen(page, bus):
    hall = CategoryFactory(name_sv="Idrottshall", kind="premises")

    answer, text = page(f"/resurser/{bus.pk}/andra/", {"name": "Buss 1", "category": hall.pk, "seen": "0"})

    assert (answer.status_code, "Fel: " in text) == (200, True)


def test_a_conflict_keeps_what_was_typed_and_tells_what_stands(page, bus, who):
    change_resource(bus, facts={"capacity": 7, "terms": "Tvätta"}, features=None, seen=0, **who)
    facts = {"name": "Buss röd", "category": bus.category_id, "capacity": "8", "seen": "0"}

    answer, text = page(f"/resurser/{bus.pk}/andra/", facts)

    bus.refresh_from_db()
    assert (answer.status_code, bus.name, bus.capacity) == (200, "Buss 1", 7)
    assert "Buss röd" in text
    assert "Platser: nu står det ”7”." in text
    assert "Villkor: nu står det ”Tvätta”." in text
    assert 'name="seen" value="1"' in text
    again, _text = page(f"/resurser/{bus.pk}/andra/", facts | {"seen": "1"})
    bus.refresh_from_db()
    assert (again.status_code, bus.capacity, bus.terms) == (302, 8, "")


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 30, "²"])
def test_an_edit_that_never_was_is_a_conflict(page, bus, seen):
    answer, text = page(f"/resurser/{bus.pk}/andra/", {"name": "B", "category": bus.category_id, "seen": seen})

    bus.refresh_from_db()
    assert (answer.status_code, bus.name, "Fel: " in text) == (200, "Buss 1", True)


# When it can be booked


def test_times_and_rules_are_saved_as_written(page, bus):
    answer, _text = page(
        f"/resurser/{bus.pk}/oppettider/",
        RULES,
        seen="0", times_0="8–12, 13.30-24", breaks_0="on", times_6="0–24", red_6="on", times_7="12–13", weekday_7="1",
    )  # fmt: skip

    assert answer.url == bus.get_absolute_url()
    bus.refresh_from_db()
    said = [
        (one.weekday, f"{one.opens:%H%M}-{one.closes:%H%M}", one.in_breaks, one.on_red_days) for one in openings_of(bus)
    ]
    assert said == [
        (1, "0800-1200", True, False),
        (1, "1200-1300", False, False),
        (1, "1330-0000", True, False),
        (7, "0000-0000", False, True),
    ]
    assert (bus.turnaround_minutes, bus.lead_minutes, bus.longest_minutes, bus.cancel_hours) == (30, 1440, 90, 2)
    assert (bus.askers, bus.approval, bus.rivalry) == ("owner", Approval.AUTOMATIC, Rivalry.COMPETE)
    _again, text = page(f"/resurser/{bus.pk}/oppettider/")
    assert 'value="8–12, 13.30–24"' in text
    assert 'value="1,5"' in text


@pytest.mark.parametrize("minutes", [20, 50, 95, 1, 59, 10081])
def test_minutes_that_are_no_whole_hours_come_back_unchanged(page, bus, minutes):
    Resource.objects.filter(pk=bus.pk).update(lead_minutes=minutes)
    form = page(f"/resurser/{bus.pk}/oppettider/")[0].context["form"]

    page(
        f"/resurser/{bus.pk}/oppettider/",
        RULES | {"when": "alltid", "lead_minutes": form["lead_minutes"].value()},
        seen="0",
    )

    bus.refresh_from_db()
    assert bus.lead_minutes == minutes


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"times_0": "åtta"}, "går inte att läsa"),
        ({"times_0": "8–25"}, "går inte att läsa"),
        ({"times_0": "8.75–10"}, "går inte att läsa"),
        ({"times_0": "8–8"}, "Hela dygnet skrivs 0–24"),
        ({"times_0": "8–12, 11–13"}, "Två av tiderna överlappar"),
        ({"times_0": "8–12", "times_7": "11–13", "weekday_7": "1"}, "Måndag: två av tiderna överlappar"),
        ({"times_7": "11–13"}, "Välj vilken dag tiderna gäller"),
        ({}, "Skriv minst en tid i tabellen"),
        ({"times_0": "8–9", "lead_minutes": "snart"}, "Skriv timmar med siffror"),
        ({"times_0": "8–9", "longest_minutes": "1e309"}, "Skriv högst"),
        ({"times_0": "8–9", "longest_minutes": "99999"}, "Skriv högst"),
        ({"times_0": "8–9", "longest_minutes": "0"}, "minst fem minuter"),
        ({"times_0": "8–9", "decide_hours": "0"}, "1 till"),
        ({"times_0": "8–9", "when": ""}, "Välj när den kan bokas"),
    ],
)
def test_times_that_cannot_be_told_what_to_do_about(page, bus, more, told):
    answer, text = page(f"/resurser/{bus.pk}/oppettider/", RULES | {"times_7": "", "seen": "0"} | more)

    assert answer.status_code == 200
    assert told in text
    assert openings_of(bus) == []


def test_always_is_a_choice_that_takes_the_times_away(page, bus, who):
    weekday = [Opening(1, pages.time(8), pages.time(16))]
    set_opening(bus, openings=weekday, **who)

    page(f"/resurser/{bus.pk}/oppettider/", RULES | {"when": "alltid", "times_0": "8–16", "seen": "1"})

    assert openings_of(bus) == []


def test_a_new_resource_has_not_chosen_when(page, bus):
    form = page(f"/resurser/{bus.pk}/oppettider/")[0].context["form"]
    assert form["when"].value() is None

    page(f"/resurser/{bus.pk}/oppettider/", RULES | {"when": "alltid", "seen": "0"})

    form = page(f"/resurser/{bus.pk}/oppettider/")[0].context["form"]
    assert form["when"].value() == "alltid"


def test_a_conflict_on_times_shows_those_that_stand(page, bus, who):
    set_opening(bus, openings=[Opening(2, pages.time(9), pages.time(15), True)], facts={"cancel_hours": 5}, **who)

    _answer, text = page(f"/resurser/{bus.pk}/oppettider/", RULES | {"seen": "0", "times_0": "8–16"})

    assert "Tisdag: 9–15, även på lov" in text
    assert "timmar före: nu står det ”5”." in text
    assert 'value="8–16"' in text
    assert [one.weekday for one in openings_of(bus)] == [2]


def test_the_year_stands_beside(page, bus, home, owner):
    _answer, text = page(f"/resurser/{bus.pk}/oppettider/")
    assert "Inga lov är inlagda för Enköping" in text
    day = today() + timedelta(days=20)
    change_school_year(home, SchoolYear.of(day), semesters={}, breaks=[("sportlov", day, day)], by=owner)

    _answer, text = page(f"/resurser/{bus.pk}/oppettider/")

    assert "Sportlov" in text
    assert "Nyårsdagen" in text


# What it costs


PRICE = {"unit": "day", "sek": "1 450,50", "vat": "without", "seen": "0"}


def test_a_price_is_set_and_the_earlier_are_listed(page, bus, who):
    _answer, text = page(f"/resurser/{bus.pk}/pris/")
    assert "Inget pris är satt för Buss 1" in text

    page(f"/resurser/{bus.pk}/pris/", PRICE | {"first_day": str(today())})
    _answer, text = page(f"/resurser/{bus.pk}/pris/")

    assert bus.price_rules.get().sek == Decimal("1450.50")
    assert "Buss 1 kostar" in text
    later = str(today() + timedelta(days=9))
    page(f"/resurser/{bus.pk}/pris/", PRICE | {"sek": "0", "first_day": later, "seen": "1"})
    assert list(bus.price_rules.order_by("number").values_list("sek", flat=True)) == [Decimal("1450.50"), 0]


def test_a_price_that_begins_later_falls_away_and_one_is_told(page, bus, who):
    first = today() + timedelta(days=30)
    assert "faller bort" not in page(f"/resurser/{bus.pk}/pris/")[1]
    set_price(bus, unit="day", sek=Decimal(300), vat="ask", first_day=first, **who)

    assert "faller bort" in page(f"/resurser/{bus.pk}/pris/")[1]


def test_of_several_prices_to_come_the_first_is_told(page, bus, who):
    first = today() + timedelta(days=30)
    for seen, day in enumerate((first, first + timedelta(days=30))):
        set_price(bus, unit="day", sek=Decimal(300), vat="ask", first_day=day, seen=seen, **who)

    assert f"inget pris före {in_text(first)}" in page(f"/resurser/{bus.pk}/andra/")[1]


@pytest.mark.parametrize("sek", ["", "gratis", "-1", "NaN", "1e9", "1,005", "99999999999", "²"])
def test_a_price_that_cannot_be_read(page, bus, sek):
    answer, text = page(f"/resurser/{bus.pk}/pris/", PRICE | {"sek": sek, "first_day": str(today())})

    assert (answer.status_code, "Fel: " in text, bus.price_rules.exists()) == (200, True, False)


def test_a_price_on_top_of_another_tells_which(page, bus, who):
    set_price(bus, unit="hour", sek=Decimal(90), vat="ask", first_day=today(), **who)

    _answer, text = page(f"/resurser/{bus.pk}/pris/", PRICE | {"first_day": str(today())})

    assert "Pris, kronor: nu står det ”90”." in text
    assert bus.price_rules.get().sek == 90


# No longer


def test_what_stands_in_the_way_is_named_and_linked(page, bus, who, at):
    booking = request_booking(bus, starts_at=at(9), ends_at=at(10), purpose="Resa till mässan", **who)

    _answer, text = page(f"/resurser/{bus.pk}/sluta-dela/")
    page(f"/resurser/{bus.pk}/sluta-dela/", {"gor": "sluta"})

    assert "Resa till mässan" in text
    assert f'href="{booking.get_absolute_url()}"' in text
    bus.refresh_from_db()
    assert not bus.is_retired


def test_what_is_retired_is_shared_again_and_a_double_click_does_it_once(page, bus):
    for _click in range(2):
        page(f"/resurser/{bus.pk}/sluta-dela/", {"gor": "sluta"})
    bus.refresh_from_db()
    assert bus.is_retired

    for _click in range(2):
        page(f"/resurser/{bus.pk}/sluta-dela/", {"gor": "igen"})

    bus.refresh_from_db()
    assert not bus.is_retired


# Deputies


def test_a_deputy_is_named_among_colleagues_and_ended(page, home, school, principal, outsider, asker):
    school.provider = ProviderFactory(kind="municipal", municipality=home)
    school.save()
    _answer, text = page("/resurser/stallforetradare/")
    assert (principal.name in text, outsider.name in text, asker.name in text) == (True, False, False)
    days = {"first_day": str(today()), "last_day": str(today() + timedelta(days=3))}

    page("/resurser/stallforetradare/", {"user": principal.pk, "owner": home.pk} | days)
    _answer, twice = page("/resurser/stallforetradare/", {"user": principal.pk, "owner": home.pk} | days)
    page("/resurser/stallforetradare/", {"user": outsider.pk, "owner": home.pk} | days)

    deputy = Deputy.objects.get()
    assert (deputy.user, deputy.owner) == (principal, home.body)
    assert "är redan ställföreträdare för Enköping" in twice
    page(f"/resurser/stallforetradare/{deputy.pk}/avsluta/", {})
    assert not Deputy.objects.exists()


def test_a_principal_names_a_deputy_for_the_school(client, principal, owner, school):
    client.force_login(principal)
    days = {"first_day": str(today()), "last_day": str(today() + timedelta(days=3))}

    client.post("/resurser/stallforetradare/", {"user": owner.pk} | days)

    assert Deputy.objects.get().owner == school.body


def test_whoever_is_not_owner_cannot_end_a_deputy(client, asker, who, home, principal):
    deputy = name_deputy(home.body, user=principal, first_day=today(), last_day=today(), **who)
    client.force_login(asker)

    answer = client.post(f"/resurser/stallforetradare/{deputy.pk}/avsluta/")

    assert (answer.status_code, Deputy.objects.count()) == (404, 1)


# The number of queries


@pytest.mark.parametrize("number", [1, 3])
def test_deputies_cost_the_same_for_many(client, owner, home, principal, number, django_assert_num_queries):
    for one in range(number):
        day = today() + timedelta(days=one * 10)
        name_deputy(home.body, user=principal, first_day=day, last_day=day, by=owner, on_behalf_of=home.body)
    client.force_login(owner)

    with django_assert_num_queries(10):
        client.get("/resurser/stallforetradare/")


@pytest.mark.parametrize("number", [1, 3])
def test_what_stands_in_the_way_costs_the_same_for_many(client, owner, who, bus, at, number, django_assert_num_queries):
    for one in range(number):
        request_booking(bus, starts_at=at(9, day=one), ends_at=at(10, day=one), purpose="Resa", **who)
    client.force_login(owner)

    with django_assert_num_queries(6):
        client.get(f"/resurser/{bus.pk}/sluta-dela/")


@pytest.mark.parametrize("number", [1, 3])
def test_prices_cost_the_same_for_many(client, owner, who, bus, number, django_assert_num_queries):
    for one in range(number):
        first_day = today() + timedelta(days=one)
        set_price(bus, unit="day", sek=Decimal(one), vat="ask", first_day=first_day, **who)
    client.force_login(owner)

    with django_assert_num_queries(11):
        client.get(f"/resurser/{bus.pk}/pris/")
