"""An inventory in a file: every fault by line and column, shown before anything is saved, and all or nothing."""

import html
import io
import re
from datetime import time
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from openpyxl import load_workbook

from collab4m.clock import today
from collab4m.tables import as_csv, as_xlsx
from organisations.models import Site
from programmes.operations import FileRefused
from records.models import Event
from resources.models import Category, Feature, Resource
from resources.operations import (
    INVENTORY_COLUMNS,
    InventoryChanged,
    Opening,
    import_inventory,
    inventory_headings,
    inventory_rows,
    load_reference,
    openings_of,
    plan_inventory,
    plan_seen,
    read_inventory,
    set_opening,
    set_price,
    share_resource,
    shared_by,
)
from tests.factories import ProviderFactory, SchoolFactory, UserFactory

pytestmark = pytest.mark.django_db

PAGE = "/resurser/las-in/"


@pytest.fixture(autouse=True)
def _reference(db):
    load_reference()


@pytest.fixture(autouse=True)
def _in_swedish():
    with translation.override("sv"):
        yield


def read(text):
    return read_inventory("lista.csv", text.encode())


def planned(text, owner, home):
    return plan_inventory(read(text), owner=home.body, by=owner)


def take_in(text, owner, home):
    inventory = text if not isinstance(text, str) else read(text)
    plan = plan_inventory(inventory, owner=home.body, by=owner)
    return import_inventory(inventory, seen=plan_seen(plan), by=owner, on_behalf_of=home.body)


def faults(text, owner, home):
    with pytest.raises(FileRefused) as refused:
        planned(text, owner, home)
    return [(one.line, one.column, one.heading) for one in refused.value.problems]


WHOLE = (
    "namn;slag;kategori;beskrivning;platser;egenskaper;plats;exemplar;tar;omställning;framförhållning;längst;"
    "vem får fråga;godkänns;villkor;krav;pris;prisenhet;moms;svarstid;avbokning;flera frågar\r\n"
)


def test_all_columns_say_what_they_mean(owner, home):
    Site.objects.create(municipality=home, name="Westerlundska")
    take_in(
        WHOLE + 'Minibuss;fordon;Minibuss;"Vit buss\nmed krok";9;Dragkrok, automatlåda;westerlundska;;alla;30 min;2 h;'
        "3 dygn;området;direkt;Tankas före återlämning;;400,50;dygn;utan;24;1 dygn;konkurrerar\r\n",
        owner, home,
    )  # fmt: skip

    bus = Resource.objects.get()
    assert (bus.owner, bus.kind, bus.category.slug, bus.capacity, bus.site.name) == (
        home.body, "vehicle", "minibuss", 9, "Westerlundska",
    )  # fmt: skip
    assert bus.description == "Vit buss\nmed krok"
    assert {feature.slug for feature in bus.features.all()} == {"dragkrok", "automatlada"}
    assert (bus.turnaround_minutes, bus.lead_minutes, bus.longest_minutes) == (30, 120, 3 * 24 * 60)
    assert (bus.decide_hours, bus.cancel_hours) == (24, 24)
    assert (bus.takes, bus.askers, bus.approval, bus.rivalry) == ("all", "area", "automatic", "compete")
    price = bus.price_rules.get()
    assert (price.sek, price.unit, price.vat, price.first_day) == (Decimal("400.50"), "day", "without", today())
    assert [unit.name for unit in bus.units.all()] == ["Minibuss"]
    assert bus.came_in == "import"


def test_pieces_are_named_or_counted_and_a_whole_has_its_parts(owner, home):
    take_in(
        "namn;kategori;exemplar;tar;består av\r\n"
        "Plattor;Surfplattor;iPad 1–30;antal;\r\n"
        "Norra halvan;Sporthall;;;\r\n"
        "Södra halvan;Sporthall;;;\r\n"
        'Hallen;Sporthall;;;"Norra halvan; Södra halvan"\r\n',
        owner, home,
    )  # fmt: skip

    tablets = Resource.objects.get(name="Plattor")
    assert [unit.name for unit in tablets.units.order_by("pk")][::29] == ["iPad 1", "iPad 30"]
    hall = Resource.objects.get(name="Hallen")
    assert {unit.name for unit in hall.units.all()} == {"Norra halvan", "Södra halvan"}


def test_a_whole_goes_out_and_in_unchanged_in_whatever_order_its_parts_were_shared(owner, home):
    rows = "namn;kategori;består av\r\nSödra;Sporthall;\r\nNorra;Sporthall;\r\n"
    take_in(rows + 'Hallen;Sporthall;"Södra; Norra"\r\n', owner, home)
    Resource.objects.filter(name="Södra").update(description="Ny")  # PostgreSQL now finds it last

    exported = as_csv(inventory_headings(), [row[:-1] for row in inventory_rows(shared_by(owner))])
    plan = plan_inventory(read_inventory("resurser.csv", exported), owner=home.body, by=owner)

    assert [one.state for one in plan] == ["unchanged"] * 3
    assert [one.state for one in planned(rows + 'Hallen;Sporthall;"Södra; Norra"\r\n', owner, home)] == [
        "unchanged", "unchanged", "unchanged",
    ]  # fmt: skip


def test_a_row_that_stands_twice_has_its_other_faults_named_too(owner, home):
    found = faults("namn;kategori;platser\r\nA;Minibuss;9\r\nA;Rymdskepp;nio\r\n", owner, home)

    assert found == [(3, "1", "namn"), (3, "2", "kategori"), (3, "3", "platser")]


def test_a_price_is_shown_in_words(owner, home):
    (bus,) = planned("namn;kategori;pris;prisenhet;moms\r\nA;Minibuss;400,50;dag;utan\r\n", owner, home)

    assert "400,50 kr per dag, utan moms" in [after for _label, _before, after in bus.shown]


@pytest.mark.parametrize("said", ["10000000", "9" * 60])
def test_a_price_that_is_too_large_is_a_fault(owner, home, said):
    assert faults(f"namn;kategori;pris;prisenhet;moms\r\nA;Minibuss;{said};dag;utan\r\n", owner, home) == [
        (2, "3", "pris")
    ]


def test_every_fault_is_named_with_its_line_and_column(owner, home):
    found = faults(
        "namn;kategori;platser;egenskaper;plats;godkänns;pris;prisenhet;ägare;längst\r\n"
        ";Minibuss;;;;;;;;\r\n"
        "A;Rymdskepp;många;Vingar;Månen;kanske;-5;;;evigt\r\n"
        "B;Minibuss;;;;;100;;;\r\n"
        "C;Minibuss;;;;;;;Annan kommun;\r\n"
        "D;Minibuss;;;;;;;;\r\n"
        "D;Minibuss;;;;;;;;\r\n",
        owner, home,
    )  # fmt: skip

    assert found == [
        (2, "1", "namn"),
        (3, "2", "kategori"),
        (3, "3", "platser"),
        (3, "4", "egenskaper"),
        (3, "5", "plats"),
        (3, "6", "godkänns"),
        (3, "7", "pris"),
        (3, "10", "längst"),
        (4, "8", "prisenhet"),
        (5, "9", "ägare"),
        (7, "1", "namn"),
    ]
    assert not Resource.objects.exists()


@pytest.mark.parametrize(
    ("row", "heading"),
    [
        ("A;lokal;Minibuss;;;;", "slag"),
        ("A;;Minibuss;99999;;;", "platser"),
        ("A;;Minibuss;;500 dygn;;", "omställning"),
        ("A;;Minibuss;;;90 min;", "svarstid"),
        ('A;;Minibuss;;;;"x; x"', "exemplar"),
        (f"A;;Minibuss;;;;{'x' * 101}", "exemplar"),
        (f"{'A' * 101};;Minibuss;;;;", "namn"),
    ],
)
def test_what_cannot_be_is_a_fault(owner, home, row, heading):
    head = "namn;slag;kategori;platser;omställning;svarstid;exemplar\r\n"

    assert [fault[2] for fault in faults(head + row + "\r\n", owner, home)] == [heading]


def test_what_an_operation_refuses_is_a_fault_too_and_nothing_is_saved(owner, home):
    with pytest.raises(FileRefused) as refused:
        take_in("namn;kategori;omställning\r\nA;Minibuss;\r\nB;Minibuss;30 dygn\r\n", owner, home)

    assert [(one.line, one.heading) for one in refused.value.problems] == [(3, "omställning")]
    assert not Resource.objects.exists()


@pytest.mark.parametrize("content", [b"", b"namn\r\nA\r\n", b"%PDF-1.7", b"namn;kategori\r\n", b"\0\1\2"])
def test_a_file_without_what_is_needed_is_refused(content):
    with pytest.raises(FileRefused):
        read_inventory("lista.csv", content)


# Changing


def test_a_row_says_what_is_new_changed_and_unchanged(owner, home):
    take_in("namn;kategori;platser\r\nA;Minibuss;9\r\nB;Minibuss;8\r\n", owner, home)

    plan = planned("namn;kategori;platser\r\nA;Minibuss;9\r\nB;Minibuss;9\r\nC;Minibuss;\r\n", owner, home)

    assert [(one.name, one.state) for one in plan] == [("A", "unchanged"), ("B", "changed"), ("C", "new")]
    assert [(before, after) for _label, before, after in plan[1].changes] == [("8", "9")]


def test_a_column_that_is_not_there_changes_nothing(owner, home):
    take_in("namn;kategori;platser;villkor;pris;prisenhet\r\nA;Minibuss;9;Tanka;100;dygn\r\n", owner, home)

    take_in("namn;kategori;platser\r\nA;Minibuss;8\r\n", owner, home)

    bus = Resource.objects.get()
    assert (bus.capacity, bus.terms, bus.price_rules.count()) == (8, "Tanka", 1)
    assert Event.objects.filter(name="resource.changed", subject_id=bus.pk).count() == 1


def test_pieces_are_added_but_never_taken_away(owner, home):
    head = "namn;kategori;exemplar;tar\r\n"
    take_in(head + 'Plattor;Surfplattor;"Ett; Två";antal\r\n', owner, home)

    take_in(head + 'Plattor;Surfplattor;"Ett; Två; Tre";antal\r\n', owner, home)

    assert [unit.name for unit in Resource.objects.get().units.order_by("pk")] == ["Ett", "Två", "Tre"]
    assert [one[2] for one in faults(head + "Plattor;Surfplattor;Ett;antal\r\n", owner, home)] == ["exemplar"]


def test_nothing_is_saved_when_something_changed_since_it_was_shown(owner, home):
    take_in("namn;kategori;platser\r\nA;Minibuss;9\r\n", owner, home)
    inventory = read("namn;kategori;platser\r\nA;Minibuss;8\r\n")
    seen = plan_seen(plan_inventory(inventory, owner=home.body, by=owner))
    Resource.objects.update(capacity=7)

    with pytest.raises(InventoryChanged):
        import_inventory(inventory, seen=seen, by=owner, on_behalf_of=home.body)

    assert Resource.objects.get().capacity == 7


# Out and in again


def _shared(owner, home):
    """What is hard to write down: lines, formulas, semicolons, parts, pieces and prices."""
    category = Category.objects.get(slug="sporthall")
    facts = {"category": category, "kind": "premises"}
    site = Site.objects.create(municipality=home, name="Westerlundska")
    north, south = (
        share_resource(owner=home.body, facts={"name": f"{where} halvan", **facts}, by=owner)
        for where in ("Norra", "Södra")
    )
    share_resource(
        owner=home.body, facts={"name": "Hallen", **facts}, parts=[north, south], units=["Läktare"], by=owner
    )
    odd = share_resource(
        owner=home.body,
        facts={
            "name": "=SUMMA(A1)", "description": "-1 rad\r\n\r\n@två  rader; \"citat\"", "terms": "+46", "capacity": 9,
            "site": site, "turnaround_minutes": 90, "lead_minutes": 24 * 60, "longest_minutes": 61, "cancel_hours": 25,
            "takes": "some", "permits": "'citat'", **facts,
        },
        features=Feature.objects.filter(slug__in=["scen", "laktare"]),
        units=["Sal 1-2", "Sal, 3"],
        by=owner,
    )  # fmt: skip
    who = {"by": owner, "on_behalf_of": home.body}
    set_price(odd, unit="hour", sek=Decimal("1137.50"), vat="with", first_day=today(), **who)
    often = [Opening(day, time(8), time(12), day == 2) for day in range(1, 6)]
    odd_times = [Opening(6, time(22, 30), time(), in_breaks=True, on_red_days=True), Opening(7, time(22), time(6))]
    set_opening(north, openings=[*often, Opening(1, time(13, 15), time(16), on_red_days=True), *odd_times], **who)
    set_opening(south, openings=[Opening(day, time(), time(), True, True) for day in range(1, 8)], **who)
    set_price(north, unit="occasion", sek=Decimal(0), vat="ask", first_day=today(), **who)


@pytest.mark.parametrize("write", [as_csv, as_xlsx])
@pytest.mark.parametrize("language", ["sv", "en"])
def test_what_goes_out_comes_in_again_unchanged(owner, home, write, language):
    _shared(owner, home)
    with translation.override(language):
        content = write([*inventory_headings(), "Exempel"], inventory_rows(shared_by(owner)))

    inventory = read_inventory("resurser.csv" if write is as_csv else "resurser.xlsx", content)
    plan = plan_inventory(inventory, owner=home.body, by=owner)

    assert {one.name: one.changes for one in plan} == {
        "=SUMMA(A1)": [], "Hallen": [], "Norra halvan": [], "Södra halvan": [],
    }  # fmt: skip
    assert {one.state for one in plan} == {"unchanged"}


def test_what_goes_out_of_one_body_makes_the_same_in_another(owner, home, asker, neighbour):
    _shared(owner, home)
    Site.objects.create(municipality=neighbour, name="Westerlundska")
    rows = [_of_nobody(row) for row in inventory_rows(shared_by(owner))]
    hall = next(row for row in rows if row[0] == "Hallen")
    rows = [row for row in rows if row is not hall] + [hall]

    take_in(read_inventory("resurser.csv", as_csv([*inventory_headings(), "Exempel"], rows)), asker, neighbour)

    copied = [_of_nobody(row) for row in inventory_rows(shared_by(asker))]
    assert sorted(copied, key=str) == sorted(rows, key=str)


def _of_nobody(row):
    names = [column.name for column in INVENTORY_COLUMNS]
    said = dict(zip(names, row, strict=False)) | {"owner": ""}
    return [*said.values(), row[-1]]


# Opening times

MONDAY, SATURDAY, SUNDAY = 1, 6, 7
SCHOOL_DAYS = [Opening(day, time(8), time(16)) for day in range(1, 6)]


@pytest.mark.parametrize(
    ("said", "openings"),
    [
        ("mån–fre 8–16", SCHOOL_DAYS),
        ("Måndag - fredag 08.00-16.00", SCHOOL_DAYS),
        ("mon–thu, fri 8–16", SCHOOL_DAYS),
        ("mån–tors 8–16, fre 8–16", SCHOOL_DAYS),
        ("mån, tis, ons, tors och fre: 8:00–16:00", SCHOOL_DAYS),
        ("lör 10–14 även på lov", [Opening(SATURDAY, time(10), time(14), in_breaks=True)]),
        ("sun 0–24 also on red days", [Opening(SUNDAY, time(), time(), on_red_days=True)]),
        (
            "mån 8–12 och 13–16, även på lov och röda dagar",
            [Opening(MONDAY, time(8), time(12), True, True), Opening(MONDAY, time(13), time(16), True, True)],
        ),
        ("mån 8–12; mån 13–16 även på lov", [Opening(1, time(8), time(12)), Opening(1, time(13), time(16), True)]),
        ("alltid", []),
    ],
)
def test_opening_times_are_read_as_people_write_them(owner, home, said, openings):
    take_in(f'namn;kategori;öppettider\r\nA;Minibuss;"{said}"\r\n', owner, home)

    assert openings_of(Resource.objects.get()) == openings


@pytest.mark.parametrize(
    "said",
    [
        "8–16", "mån", "mån–fre", "mån 8", "mån 8–25", "mån 8–8", "mån 8–12, 11–13", "mån 8–12; mån 11–13 även på lov",
        "fre–mån 8–16", "må 8–16", "xyz 8–16", "mån 8–16 ibland", "mån–tis–ons 8–16", "mån 8–16 lov 17", "ibland",
        "; x",
    ],
)  # fmt: skip
def test_opening_times_that_cannot_be_read_are_a_fault(owner, home, said):
    assert faults(f'namn;kategori;öppet\r\nA;Minibuss;"{said}"\r\n', owner, home) == [(2, "3", "öppet")]


def test_opening_times_are_changed_or_left_as_they_are(owner, home):
    take_in("namn;kategori;öppet\r\nA;Minibuss;mån–fre 8–16\r\n", owner, home)

    assert planned("namn;kategori;öppet\r\nA;Minibuss;\r\n", owner, home)[0].state == "unchanged"
    (plan,) = planned("namn;kategori;öppet\r\nA;Minibuss;lör 10–14 även på lov\r\n", owner, home)
    assert [(before, after) for _label, before, after in plan.changes] == [("mån–fre 8–16", "lör 10–14 även på lov")]
    take_in("namn;kategori;öppet\r\nA;Minibuss;alltid\r\n", owner, home)

    assert openings_of(Resource.objects.get()) == []
    assert Event.objects.filter(name="resource.opening_changed").count() == 2


def test_no_spreadsheet_takes_a_text_for_a_formula(client, owner, home):
    _shared(owner, home)
    client.force_login(owner)

    lines = client.get("/resurser/fil/csv/").content.decode("utf-8-sig").split("\r\n")
    assert any(line.startswith("'=SUMMA(A1)") for line in lines)
    sheet = load_workbook(io.BytesIO(client.get("/resurser/fil/xlsx/").content)).active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}


def test_the_file_holds_only_what_ones_own_bodies_share(owner, home, asker, neighbour, outsider):
    take_in("namn;kategori\r\nA;Minibuss\r\n", owner, home)
    take_in("namn;kategori\r\nB;Minibuss\r\n", asker, neighbour)

    assert [one.name for one in shared_by(owner)] == ["A"]
    assert [one.name for one in shared_by(asker)] == ["B"]
    assert shared_by(outsider) == shared_by(UserFactory()) == []


@pytest.mark.parametrize("number", [1, 3])
def test_the_file_asks_as_much_for_one_resource_as_for_three(owner, home, number, django_assert_num_queries):
    take_in("namn;kategori\r\n" + "".join(f"Buss {n};Minibuss\r\n" for n in range(number)), owner, home)
    list(shared_by(owner))

    with django_assert_num_queries(5):
        assert len(list(inventory_rows(shared_by(owner)))) == number


def test_a_row_may_name_a_school_that_the_municipality_runs(owner, home):
    school = SchoolFactory(municipality=home, provider=ProviderFactory(municipality=home))

    take_in(f"namn;kategori;ägare\r\nA;Minibuss;{school.name}\r\n", owner, home)

    assert Resource.objects.get().owner == school.body


# Pages


@pytest.fixture
def official(client, owner):
    """The administrator of Enköping, who reads English so that the texts stand here as in the code."""
    owner.language = "en"
    owner.save()
    client.force_login(owner)
    return client


def sent(client, content, name="lista.csv"):
    return client.post(PAGE, {"file": SimpleUploadedFile(name, content.encode()), "steg": "las"})


def hidden(response, name):
    return html.unescape(re.search(rf'name="{name}" value="([^"]+)"', response.content.decode())[1])


def test_a_file_is_shown_before_anything_is_saved_and_then_taken_in(official):
    shown = sent(official, "namn;kategori;platser\r\nMinibuss;Minibuss;9\r\n")
    assert "New: 1. Changed: 0. Unchanged: 0." in shown.content.decode()
    assert not Resource.objects.exists()

    data = {"steg": "spara", "paket": hidden(shown, "paket"), "sett": hidden(shown, "sett")}
    answer = official.post(PAGE, data, follow=True)

    assert "The inventory is taken in: 1 new and 0 changed." in answer.content.decode()
    assert Resource.objects.get().capacity == 9
    again = official.post(PAGE, data)
    assert "Something has changed since the rows were shown." in again.content.decode()
    assert Resource.objects.count() == 1


def test_rows_that_name_no_owner_are_the_municipalitys_unless_one_chooses(official, home):
    SchoolFactory(municipality=home, provider=ProviderFactory(municipality=home))

    page = official.get(PAGE).content.decode()

    assert [re.search(r'value="(\d+)"', tag)[1] for tag in re.findall(r"<input[^>]*checked[^>]*>", page)] == [
        str(home.body.pk)
    ]


def test_faults_are_shown_in_a_table(official):
    answer = sent(official, "namn;kategori;platser\r\nMinibuss;Minibuss;många\r\n")

    page = answer.content.decode()
    assert "One thing to correct in the file" in page
    assert "Line 2" in page
    assert "<small>platser</small>" in page


def test_a_packet_from_somebody_else_is_not_taken(official, client, asker):
    shown = sent(official, "namn;kategori\r\nMinibuss;Minibuss\r\n")
    packet = hidden(shown, "paket")
    client.force_login(asker)

    for said in (packet, packet[:-3], "", "nonsense"):
        answer = client.post(PAGE, {"steg": "spara", "paket": said, "sett": ""})
        assert answer.url == PAGE
    assert not Resource.objects.exists()


def test_the_template_has_the_headings_that_are_read(official):
    template = official.get("/resurser/las-in/mall/csv/").content.decode("utf-8-sig").strip()

    assert template.startswith("Name;Owner;Kind;Category;")
    assert read(template + "\r\nA" + ";" * 3 + "Minibuss" + ";" * (template.count(";") - 3)).rows[0][1]["name"] == "A"
