"""Calculations, the yearly clock and the library of clauses as pages and for programs: who may, and what comes back."""

from __future__ import annotations

import pytest

from agreements.models import Calculation, Clause, ClauseVersion, ClockDay
from agreements.operations import add_clause, attach_calculation, change_calculation, make_calculation, write_clause
from organisations.models import TravelTime
from tests.agreements.stories import draft, signed
from tests.agreements.test_calculating import WHOLE, rows_with
from tests.factories import AreaFactory, OrientationFactory, PriceListFactory, PriceRowFactory, ProgrammeFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def programme(db):
    return ProgrammeFactory(code="BA", name_sv="Bygg- och anläggningsprogrammet")


@pytest.fixture
def acting(owner, home):
    return {"by": owner, "on_behalf_of": home.body}


@pytest.fixture
def calculation(home, neighbour, programme, acting):
    rows = [{"key": key, "value": value, "source": "Budget 2023"} for key, value in WHOLE.items()]
    return make_calculation(
        title="Bygg hemma", municipality=home, provider=neighbour, programme=programme, assumptions=rows, **acting
    )


def read(client, address, status=200):
    answer = client.get(address)
    assert answer.status_code == status, address
    return " ".join(answer.content.decode().split())


def typed(**changed):
    """The calculation's form as a browser sends it."""
    return {"title": "Bygg hemma", "edit": "0", **WHOLE, **changed}


# Calculations


def test_the_result_is_told_in_the_heading_with_every_assumption_and_its_source(client, calculation, owner):
    client.force_login(owner)

    page = read(client, calculation.get_absolute_url())

    assert "<h1>Att starta hemma kostar 59\xa0430\xa0kr mindre per elev och läsår</h1>".replace("\xa0", " ") in (
        page.replace("\xa0", " ").replace("&nbsp;", " ")
    )
    assert "Från 9 elever i ett intag kostar det inte mer att starta hemma" in page
    assert page.count("Budget 2023") == len(WHOLE)
    assert "Platsens pris är" in page
    assert "Det är inte angivet" not in page
    assert "<svg" in page
    assert "style=" not in page[page.index('class="c-drawing"') : page.index("</svg>")]


def test_what_is_missing_is_named_and_the_rest_is_shown(client, calculation, owner, acting):
    change_calculation(calculation, edit=0, title="X", assumptions=rows_with(calculation, teachers=""), **acting)
    client.force_login(owner)

    page = read(client, calculation.get_absolute_url())

    assert "Det går inte att räkna än vad som kostar minst" in page
    assert "Går inte att räkna: Lärare för en grupp saknas" in page
    assert "160 680" in page.replace("\xa0", " ").replace("&nbsp;", " ")
    assert "<figure>" not in page


def test_a_new_one_begins_with_what_is_known(client, owner, home, neighbour, programme):
    prices = PriceListFactory(kind="own_list", municipality=neighbour, year=2023, title="Prislista", incl_meals=True)
    PriceRowFactory(price_list=prices, programme=programme, sek_per_pupil_year=150_000)
    TravelTime.objects.create(origin=home, destination=neighbour, mode="rail", minutes=25, verified=True)
    client.force_login(owner)

    form = client.get("/avtal/kalkyl/ny/?program=BA&kommun=0381&hos=1980").context["form"]

    filled = {name: field.initial or form.initial.get(name) for name, field in form.fields.items()}
    assert {name: value for name, value in filled.items() if value and "kalla" not in name} == {
        "title": "Bygg- och anläggningsprogrammet, Enköping", "years": "3", "price": "150000",
        "price_kind": "own_list", "price_meals": "yes", "travel_minutes": "25",
    }  # fmt: skip
    assert filled["price-kalla"] == "Prislista 2023 (ej kontrollerad)"


def test_without_a_programme_one_is_asked_what_to_compare(client, owner, home, neighbour, programme):
    client.force_login(owner)

    page = read(client, "/avtal/kalkyl/ny/?hos=1980")
    assert "Vad vill du jämföra?" in page
    assert '<option value="1980" selected>' in page
    assert 'role="alert"' not in page

    wrong = OrientationFactory()
    page = read(client, f"/avtal/kalkyl/ny/?program=BA&kommun=0381&inriktning={wrong.pk}")
    assert "Välj en inriktning på programmet." in page


@pytest.mark.parametrize(
    "query",
    [
        "program=FINNS-INTE", "program=BA&kommun=1980", "program=BA&hos=2180", "program=BA&hos=0381",
        "program=BA&kommun=%C3%B6", "program=BA&inriktning=99999999999999999999", "program=BA&inriktning=x",
        "program=BA&hos=x",
    ],
)  # fmt: skip
def test_an_address_that_fits_nothing_asks_again(client, owner, elsewhere, neighbour, programme, query):
    client.force_login(owner)

    assert "Vad vill du jämföra?" in read(client, f"/avtal/kalkyl/ny/?{query}")


def test_a_new_one_is_saved_and_shown(client, owner, home, neighbour, programme):
    client.force_login(owner)

    answer = client.post("/avtal/kalkyl/ny/?program=BA&kommun=0381&hos=1980", typed(price="150 000,50"))

    made = Calculation.objects.get()
    assert (answer.status_code, answer.url) == (302, made.get_absolute_url())
    assert (made.municipality, made.provider, made.programme) == (home, neighbour, programme)
    assert {row["key"]: row["value"] for row in made.assumptions}["price"] == "150000.50"


def test_what_is_wrong_is_told_at_its_field_and_nothing_typed_is_lost(client, calculation, owner):
    client.force_login(owner)

    answer = client.post(f"{calculation.get_absolute_url()}andra/", typed(price="dyrt", pupils="18"))
    page = answer.content.decode()

    assert "Skriv ”Pris för en plats” med siffror, till exempel 12." in page
    assert 'value="dyrt"' in page
    assert 'value="18"' in page
    calculation.refresh_from_db()
    assert calculation.edit == 0


def test_a_conflict_shows_both_and_the_next_save_goes_through(client, calculation, owner, acting):
    address = f"{calculation.get_absolute_url()}andra/"
    change_calculation(calculation, edit=0, title="Bygg", assumptions=rows_with(calculation, price="1"), **acting)
    client.force_login(owner)

    answer = client.post(address, typed(price="2"))
    page = answer.content.decode()
    assert "Nu står det ”1”." in page
    assert "Nu står det ”Bygg”." in page
    assert 'value="2"' in page
    assert answer.context["form"]["edit"].value() == "1"

    assert client.post(address, typed(price="2", edit="1")).status_code == 302
    calculation.refresh_from_db()
    assert (calculation.title, calculation.edit) == ("Bygg hemma", 2)


def test_it_is_attached_and_detached_on_its_page(client, calculation, area, home, neighbour, owner, asker):
    agreement = draft(area, [home, neighbour], owner)
    client.force_login(owner)
    address = calculation.get_absolute_url()

    client.post(f"{address}avtal/", {"agreement": "999999"})
    assert Calculation.objects.get().agreement is None
    client.post(f"{address}avtal/", {"agreement": agreement.pk})
    assert Calculation.objects.get().agreement == agreement

    client.force_login(asker)
    page = read(client, address)
    assert agreement.get_absolute_url() in page
    assert "/andra/" not in page
    assert client.post(f"{address}utan-avtal/").status_code == 403

    client.force_login(owner)
    client.post(f"{address}utan-avtal/")
    assert Calculation.objects.get().agreement is None


@pytest.mark.parametrize(
    ("who", "before", "attached", "change"),
    [
        ("owner", 200, 200, 200), ("two_homes", 200, 200, 200), ("asker", 404, 200, 403), ("outsider", 404, 404, 404),
        ("principal", 404, 404, 404), ("committee", 404, 404, 404), ("council_member", 404, 404, 404),
        ("system_administrator", 404, 404, 404),
    ],
)  # fmt: skip
def test_only_those_concerned_know_of_it(
    client, request, calculation, area, home, neighbour, acting, who, before, attached, change
):
    client.force_login(request.getfixturevalue(who))
    addresses = (calculation.get_absolute_url(), f"/api/v1/calculations/{calculation.pk}/")
    for address in addresses:
        assert client.get(address).status_code == before

    attach_calculation(calculation, draft(area, [home, neighbour]), **acting)
    for address in addresses:
        assert client.get(address).status_code == attached
    assert client.get(f"{calculation.get_absolute_url()}andra/").status_code == change
    assert ("Bygg hemma" in read(client, "/avtal/kalkyl/")) is (attached == 200)
    assert bool(client.get("/api/v1/calculations/").json()["results"]) is (attached == 200)


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_for_any_number(client, calculation, owner, acting, count, django_assert_num_queries):
    for nth in range(count - 1):
        make_calculation(
            title=f"Kalkyl {nth}", municipality=calculation.municipality, programme=ProgrammeFactory(), **acting
        )
    client.force_login(owner)
    client.get("/avtal/kalkyl/")

    with django_assert_num_queries(5):
        client.get("/avtal/kalkyl/")


# For programs


def test_calculations_are_made_and_changed_by_programs(client, owner, home, neighbour, programme):
    client.force_login(owner)
    rows = [{"key": key, "value": value, "source": "Budget"} for key, value in WHOLE.items()]
    said = {"title": "Bygg", "municipality": "0381", "provider": "1980", "programme": "BA", "assumptions": rows}

    made = client.post("/api/v1/calculations/", said, content_type="application/json")

    assert made.status_code == 201
    told = made.json()
    assert told["results"]["home_each"] == {"value": "101250.00", "missing": []}
    assert (told["edit"], told["programme"], told["provider"]["code"]) == (0, "BA", "1980")

    address = f"/api/v1/calculations/{told['id']}/"
    wanted = {"title": "Bygg", "edit": 0, "assumptions": [{"key": "price", "value": "1", "source": ""}]}
    changed = client.put(address, wanted, content_type="application/json")
    assert changed.json()["results"]["home_each"]["missing"][0] == "pupils"
    assert changed.json()["edit"] == 1

    again = client.put(address, {**wanted, "title": "Annat"}, content_type="application/json")
    assert (again.status_code, again.json()["code"], again.json()["stands"]["edit"]) == (409, "changed_meanwhile", 1)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"municipality": "1980"}, 409),
        ({"provider": "0381"}, 409),
        ({"programme": "XX"}, 400),
        ({"assumptions": [{"key": "price", "value": "dyrt"}]}, 409),
        ({"assumptions": [{"key": "hittepå", "value": "1"}]}, 400),
        ({"assumptions": [{"key": "price", "value": "1"}, {"key": "price", "value": "2"}]}, 409),
        ({"assumptions": "inga"}, 400),
        ({"title": ""}, 400),
        ({"orientation": 1e400}, 400),
    ],
)
def test_programs_are_told_what_is_wrong(client, owner, home, neighbour, programme, changed, status):
    client.force_login(owner)
    said = {"title": "Bygg", "municipality": "0381", "programme": "BA", **changed}

    assert client.post("/api/v1/calculations/", said, content_type="application/json").status_code == status
    assert not Calculation.objects.exists()


# The clock


@pytest.fixture
def day(area):
    return ClockDay.objects.create(area=area, event="annex", month=12, day=15)


def test_the_clock_shows_the_school_year_asked_for(client, day, committee, area):
    ClockDay.objects.create(area=area, event="final_admission", month=7, day=2, year=2022)
    client.force_login(committee)

    page = read(client, "/avtal/arshjul/?lasar=2022-23")
    assert "Två dagar som avtalen styrs av, 2022/23" in page
    assert "15 december" in page
    assert "/avtal/arshjul/ny/" not in page

    assert "En dag som avtalen styrs av, 2023/24" in (later := read(client, "/avtal/arshjul/?lasar=2023-24"))
    assert "Senast känt:" in later
    for wrong in ("lasar=x", "lasar=1999-00", "omrade=finns-inte", "omrade=%C3%B6"):
        read(client, f"/avtal/arshjul/?{wrong}", 404)


def test_days_are_added_changed_and_removed_by_members_administrators(client, area, owner, day):
    client.force_login(owner)

    said = {"event": "rechoice", "day": "22", "month": "4", "year": "2027", "lead_days": "14"}
    assert client.post("/avtal/arshjul/ny/", said).status_code == 302
    assert client.post(f"/avtal/arshjul/{day.pk}/andra/", {"day": "16", "month": "12"}).status_code == 302
    day.refresh_from_db()
    assert day.day == 16
    assert client.post(f"/avtal/arshjul/{day.pk}/ta-bort/").status_code == 302
    assert [one.event for one in ClockDay.objects.all()] == ["rechoice"]
    assert "togs bort från årshjulet" in read(client, f"/historik/organisations/collaborationarea/{area.pk}/")


def test_a_day_that_is_not_there_is_told_at_its_field(client, owner, area):
    client.force_login(owner)

    page = client.post("/avtal/arshjul/ny/", {"event": "rechoice", "day": "31", "month": "4"}).content.decode()

    assert "Skriv en dag från 1 till 30." in page
    assert 'value="31"' in page


def test_a_conflict_on_the_clock_shows_what_stands(client, owner, day):
    client.force_login(owner)
    address = f"/avtal/arshjul/{day.pk}/andra/"
    seen = client.get(address).context["form"]["seen"].value()
    client.post(address, {"day": "16", "month": "12", "seen": seen})

    answer = client.post(address, {"day": "17", "month": "12", "seen": seen})

    assert "Dag: nu står det ”16”." in answer.content.decode()
    again = answer.context["form"]["seen"].value()
    assert client.post(address, {"day": "17", "month": "12", "seen": again}).status_code == 302


@pytest.mark.parametrize("count", [1, 3])
def test_the_clock_costs_the_same_for_any_number(
    client, area, owner, home, neighbour, count, django_assert_num_queries
):
    for event in ["annex", "rechoice", "price_list"][:count]:
        ClockDay.objects.create(area=area, event=event, month=12, day=15)
    for nth in range(count):
        signed(draft(area, [home, neighbour], programme=ProgrammeFactory(), title=f"Avtal {nth}"))
    client.force_login(owner)
    client.get("/avtal/arshjul/")

    with django_assert_num_queries(16):
        client.get("/avtal/arshjul/")


# Clauses


@pytest.fixture
def clause(area, acting):
    return add_clause(area, section="resor", name="Egna resor", text="Varje kommun för sig.", **acting).clause


@pytest.fixture
def shipped(db):
    clause = Clause.objects.create(section="tvist", name="Samtal först", reference_key="tvist")
    ClauseVersion.objects.create(clause=clause, number=1, text="De talar med varandra.")
    return clause


def test_the_library_stands_by_section(client, clause, shipped, committee):
    client.force_login(committee)

    sections = client.get("/avtal/klausuler/").context["sections"]

    found = {section.key: [one.name for one in rows] for section, rows in sections if rows}
    assert found == {"resor": ["Egna resor"], "tvist": ["Samtal först"]}


def test_a_clause_is_added_and_gets_a_new_version(client, area, owner):
    client.force_login(owner)
    answer = client.post("/avtal/klausuler/ny/", {"section": "resor", "name": "Egna", "text": "Ett."})
    clause = Clause.objects.get()
    assert answer.url == clause.get_absolute_url() == f"/avtal/klausuler/{clause.pk}/"

    client.post(f"{answer.url}ny-version/", {"text": "Två.", "base": "1"})
    page = read(client, answer.url)
    assert page.index("Två.") < page.index("Ett.")
    client.post(f"{answer.url}utga/")
    assert "Används inte längre" in read(client, answer.url)
    client.post(f"{answer.url}ateranvand/")
    assert not Clause.objects.get().is_retired


def test_a_conflict_in_a_clause_shows_the_other_text_and_keeps_ones_own(client, clause, owner, acting):
    write_clause(clause, text="Den andras.", base=1, **acting)
    client.force_login(owner)
    address = f"{clause.get_absolute_url()}ny-version/"

    answer = client.post(address, {"text": "Min.", "base": "1"})
    page = answer.content.decode()
    assert "Den andras." in page
    assert "Min." in page

    client.post(address, {"text": "Min.", "base": answer.context["form"]["base"].value()})
    assert list(clause.versions.order_by("number").values_list("text", flat=True))[1:] == ["Den andras.", "Min."]


@pytest.mark.parametrize(
    ("who", "own", "portal", "change"),
    [
        ("owner", 200, 200, 200), ("asker", 200, 200, 200), ("committee", 200, 200, 403), ("principal", 200, 200, 403),
        ("council_member", 200, 200, 403), ("outsider", 404, 200, 404), ("roleless", 404, 200, 404),
    ],
)  # fmt: skip
def test_those_in_the_area_read_and_administrators_change(client, request, clause, shipped, who, own, portal, change):
    client.force_login(request.getfixturevalue(who))

    assert client.get(clause.get_absolute_url()).status_code == own
    assert client.get(f"/api/v1/clauses/{clause.pk}/").status_code == own
    assert client.get(shipped.get_absolute_url()).status_code == portal
    assert client.get(f"{clause.get_absolute_url()}ny-version/").status_code == change
    assert client.get(f"{shipped.get_absolute_url()}ny-version/").status_code == 403
    posted = {200: 302}.get(change, change)
    assert client.post(f"{clause.get_absolute_url()}utga/").status_code == posted


def test_programs_read_add_and_write_clauses(client, clause, shipped, area, owner, committee):
    client.force_login(owner)
    said = {"area": "4m", "section": "idrott", "name": "Idrott", "text": "Ett."}
    made = client.post("/api/v1/clauses/", said, content_type="application/json")
    assert (made.status_code, made.json()["versions"][0]["number"]) == (201, 1)
    assert client.post("/api/v1/clauses/", said, content_type="application/json").status_code == 409

    address = f"/api/v1/clauses/{made.json()['id']}/versions/"
    later = client.post(address, {"text": "Två.", "base": 1}, content_type="application/json")
    assert [one["number"] for one in later.json()["versions"]] == [2, 1]
    late = client.post(address, {"text": "Tre.", "base": 1}, content_type="application/json")
    assert (late.status_code, late.json()["code"]) == (409, "changed_meanwhile")
    own = client.get("/api/v1/clauses/?area=4m&section=idrott").json()["results"]
    assert [one["name"] for one in own] == ["Idrott"]
    assert client.get(f"/api/v1/clauses/{shipped.pk}/").json()["area"] is None
    portal = client.post(
        f"/api/v1/clauses/{shipped.pk}/versions/", {"text": "B", "base": 1}, content_type="application/json"
    )
    assert portal.status_code == 403

    elsewhere = AreaFactory()
    said["area"] = elsewhere.slug
    assert client.post("/api/v1/clauses/", said, content_type="application/json").status_code == 403
    client.force_login(committee)
    assert client.post(address, {"text": "C", "base": 2}, content_type="application/json").status_code == 403


@pytest.mark.parametrize("count", [1, 3])
def test_the_library_costs_the_same_for_any_number(client, area, owner, acting, count, django_assert_num_queries):
    for nth in range(count):
        add_clause(area, section="resor", name=f"K {nth}", text="T", **acting)
    client.force_login(owner)
    client.get("/avtal/klausuler/")

    with django_assert_num_queries(10):
        client.get("/avtal/klausuler/")


@pytest.mark.parametrize(("address", "number"), [("/api/v1/calculations/", 11), ("/api/v1/clauses/", 12)])
@pytest.mark.parametrize("count", [1, 3])
def test_programs_lists_cost_the_same_for_any_number(
    client, area, home, owner, acting, address, number, count, django_assert_num_queries
):
    for nth in range(count):
        add_clause(area, section="resor", name=f"K {nth}", text="T", **acting)
        make_calculation(title=f"K {nth}", municipality=home, programme=ProgrammeFactory(), **acting)
    client.force_login(owner)
    client.get(address)

    with django_assert_num_queries(number):
        client.get(address)
