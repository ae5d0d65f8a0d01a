"""The reference facts: loaded any number of times, never over what people have made, never deleted."""

import csv
import shutil
import time
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from collab4m.clock import today
from organisations.models import (
    Board,
    Body,
    CollaborationArea,
    GlossaryEntry,
    Membership,
    Municipality,
    Provider,
    School,
    Site,
    TravelTime,
)
from organisations.operations import BadReference, change_board, load_reference
from organisations.operations.reference import REFERENCE, TABLES
from records.histories import lines_of
from records.models import CameIn, Event, Source
from tests.factories import BoardFactory, MembershipFactory, MunicipalityFactory, RoleFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english():
    with override("en"):
        yield


@pytest.fixture
def folder(tmp_path):
    """A copy of the reference files that a test may change."""
    for file in REFERENCE.glob("*.csv"):
        shutil.copy(file, tmp_path)
    return tmp_path


def rewrite(folder, file, change):
    """Let `change` alter the rows (dictionaries) of a file; None takes a row away."""
    path = folder / f"{file}.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        rows = [changed for row in reader if (changed := change(dict(row))) is not None]
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, reader.fieldnames)
        writer.writeheader()
        writer.writerows(rows)


def without(key, value):
    return lambda row: None if row[key] == value else row


def counted(loaded, file):
    one = next(one for one in loaded if one.file == file)
    return {"created": one.created, "changed": one.changed, "ended": one.ended, "left": one.left}


NOTHING = {"created": 0, "changed": 0, "ended": 0, "left": 0}


def test_load_reference_brings_every_municipality_in_a_moment():
    began = time.process_time()
    load_reference()

    assert time.process_time() - began < 2
    assert Municipality.objects.count() == 290
    assert set(Municipality.objects.exclude(full_name="").values_list("full_name", flat=True)) == {
        "Västerås stad",
        "Eskilstuna kommun",
        "Enköpings kommun",
        "Strängnäs kommun",
    }
    assert Municipality.objects.get(code="1980").county == "Västmanlands län"
    assert Body.objects.filter(kind="school").count() == School.objects.count() == 22


def test_load_reference_a_second_time_writes_nothing():
    load_reference()

    with CaptureQueriesContext(
        connection,
    ) as queries:
        loaded = load_reference()

    written = [query["sql"] for query in queries if query["sql"].split()[0] not in ("SELECT", "SAVEPOINT", "RELEASE")]
    assert written == []
    assert {one.file: counted(loaded, one.file) for one in loaded} == {table.file: NOTHING for table in TABLES}


def test_the_area_has_its_members_in_the_agreed_order():
    load_reference()

    area = CollaborationArea.objects.get(slug="4m")
    members = Membership.objects.on().filter(area=area).in_agreed_order()
    assert [(one.municipality.name, one.mark) for one in members] == [
        ("Västerås", "Vä"),
        ("Eskilstuna", "Es"),
        ("Enköping", "En"),
        ("Strängnäs", "St"),
    ]


def test_two_boards_are_called_the_same_and_are_told_apart():
    load_reference()

    assert sorted(str(board) for board in Board.objects.filter(name="utbildnings- och arbetsmarknadsnämnden")) == [
        "utbildnings- och arbetsmarknadsnämnden, Enköping",
        "utbildnings- och arbetsmarknadsnämnden, Västerås",
    ]


def test_what_is_not_known_stays_empty():
    load_reference()

    known = TravelTime.objects.exclude(minutes=None).values_list(
        "origin__name", "destination__name", "mode", "verified"
    )
    assert set(known) == {
        ("Västerås", "Eskilstuna", "rail", False),
        ("Strängnäs", "Stockholm", "rail", True),
        ("Eskilstuna", "Stockholm", "rail", True),
    }
    assert [board.case_number_pattern for board in Board.objects.exclude(municipality__code="1980")] == ["", "", ""]
    assert Board.objects.get(municipality__code="0486").administration == ""
    assert set(School.objects.filter(verified=False).values_list("name", flat=True)) == {
        "Zetterbergsgymnasiet",
        "Grillska gymnasiet",
        "Sjögrenska gymnasiet",
    }


def test_the_seen_case_numbers_fit_the_pattern():
    load_reference()

    board = Board.objects.get(municipality__code="1980")
    assert all(board.accepts_case_number(number) for number in ("2015/1536-UAN-041", "2011/187-UAN-666"))


def test_schools_that_closed_have_ended_and_their_sites_are_known():
    load_reference()

    ended = School.objects.exclude(pk__in=School.objects.on().values("pk"))
    assert {school.name: school.last_day for school in ended} == {
        "Wijkmanska gymnasiet": date(2021, 6, 30),
        "Carlforsskas Ekonomi- och handelsskola (CEH)": date(2022, 6, 30),
    }
    assert list(Site.objects.get(name="Westerlundska gymnasiet").schools.values_list("name", flat=True)) == [
        "Westerlundska gymnasiet"
    ]


def test_every_source_is_used_and_every_word_has_a_meaning():
    load_reference()

    used = {
        source
        for table in TABLES
        if table.model is not Source
        for source in table.model._default_manager.values_list("source__key", flat=True)
    }
    assert set(Source.objects.values_list("key", flat=True)) == used - {None}
    assert not GlossaryEntry.objects.filter(meaning="").exists()


def test_a_changed_row_is_changed_and_counted(folder):
    load_reference(folder)
    rewrite(
        folder,
        "boards",
        lambda row: row | {"administration": "skolförvaltningen"} if row["key"] == "enkoping-uan" else row,
    )

    loaded = load_reference(folder)

    assert counted(loaded, "boards") == NOTHING | {"changed": 1}
    assert Board.objects.get(reference_key="enkoping-uan").administration == "skolförvaltningen"


def test_two_members_may_change_places(folder):
    load_reference(folder)
    rewrite(
        folder,
        "memberships",
        lambda row: row | {"position": {"1": "2", "2": "1"}.get(row["position"], row["position"])},
    )

    loaded = load_reference(folder)

    assert counted(loaded, "memberships") == NOTHING | {"changed": 2}


def test_a_row_that_disappears_ends_today_and_comes_back_with_its_file(folder):
    load_reference(folder)
    whole = (folder / "schools.csv").read_text(encoding="utf-8")
    rewrite(folder, "schools", without("key", "okna"))

    loaded = load_reference(folder)

    school = School.objects.get(reference_key="okna")
    assert counted(loaded, "schools") == NOTHING | {"ended": 1}
    assert school.valid.upper == today()
    assert school.last_day == today() - timedelta(days=1)
    assert counted(load_reference(folder), "schools") == NOTHING
    (folder / "schools.csv").write_text(whole, encoding="utf-8")
    assert counted(load_reference(folder), "schools") == NOTHING | {"changed": 1}
    school.refresh_from_db()
    assert school.last_day is None


def told(row):
    events = list(Event.objects.about(row).order_by("pk"))
    assert all(line.sentence for line in lines_of(events))
    assert {event.by for event in events} == {None}
    return [(event.name, event.data["name"], event.changes) for event in events]


def test_history_tells_what_the_files_brought_changed_ended_and_brought_back(folder):
    load_reference(folder)
    whole = (folder / "boards.csv").read_text(encoding="utf-8")
    rewrite(folder, "boards", lambda row: row | {"administration": "kontoret"} if row["key"] == "enkoping-uan" else row)
    load_reference(folder)
    rewrite(folder, "boards", without("key", "enkoping-uan"))
    load_reference(folder)
    (folder / "boards.csv").write_text(whole, encoding="utf-8")
    load_reference(folder)

    board = Board.objects.get(reference_key="enkoping-uan")
    last = f"{today() - timedelta(days=1)}"
    name = "utbildnings- och arbetsmarknadsnämnden, Enköping"
    assert told(board) == [
        ("reference.created", name, {}),
        ("reference.changed", name, {"administration": [board.administration, "kontoret"]}),
        ("reference.ended", name, {"valid": ["2019-01-01–", f"2019-01-01–{last}"]}),
        (
            "reference.returned",
            name,
            {"administration": ["kontoret", board.administration], "valid": [f"2019-01-01–{last}", "2019-01-01–"]},
        ),
    ]
    for model in (CollaborationArea, Municipality, Provider, Site, School):
        assert [event[0] for event in told(model.objects.first())] == ["reference.created"]


def test_history_tells_that_a_school_got_another_site(folder):
    load_reference(folder)
    rewrite(folder, "schools", lambda row: row | {"sites": ""} if row["key"] == "westerlundska" else row)

    load_reference(folder)

    school = School.objects.get(reference_key="westerlundska")
    assert told(school)[1:] == [("reference.changed", school.name, {"sites": ["Westerlundska gymnasiet", ""]})]


def test_a_travel_time_that_somebody_made_the_other_way_round_is_not_made_again():
    origin, destination = MunicipalityFactory(code="1980"), MunicipalityFactory(code="0484")
    TravelTime.objects.create(origin=destination, destination=origin, mode="rail", minutes=40)

    loaded = load_reference()

    assert counted(loaded, "travel_times")["left"] == 1


def test_what_disappears_before_it_began_never_holds(folder):
    rewrite(folder, "boards", lambda row: row | {"first_day": "2999-01-01"} if row["key"] == "strangnas-bun" else row)
    load_reference(folder)
    rewrite(folder, "boards", without("key", "strangnas-bun"))

    load_reference(folder)

    assert not Board.objects.get(reference_key="strangnas-bun").holds_on(date(2999, 6, 1))


def test_what_people_have_taken_over_is_left_alone(folder, system_administrator):
    load_reference(folder)
    board = Board.objects.get(reference_key="enkoping-uan")
    change_board(board, administration="skolförvaltningen", by=system_administrator)
    rewrite(folder, "boards", without("key", "enkoping-uan"))

    loaded = load_reference(folder)

    board.refresh_from_db()
    assert (board.administration, board.last_day) == ("skolförvaltningen", None)
    assert counted(loaded, "boards") == NOTHING
    assert counted(load_reference(), "boards") == NOTHING | {"left": 1}


def test_a_row_that_somebody_made_by_hand_is_not_made_again():
    home = MunicipalityFactory(name="Enköping", code="0381", came_in=CameIn.FORM)
    board = BoardFactory(municipality=home, name="Utbildnings- och arbetsmarknadsnämnden")

    loaded = load_reference()

    board.refresh_from_db()
    assert (board.reference_key, board.name) == ("enkoping-uan", "Utbildnings- och arbetsmarknadsnämnden")
    assert counted(loaded, "boards") == {"created": 3, "changed": 0, "ended": 0, "left": 1}
    assert Municipality.objects.filter(name="Enköping").count() == 1


def test_a_place_that_people_gave_to_somebody_else_is_told_as_a_clash():
    load_reference()
    area = CollaborationArea.objects.get(slug="4m")
    Membership.objects.filter(area=area, position=1).delete()
    MembershipFactory(area=area, position=1, municipality=Municipality.objects.get(code="0114"))

    with pytest.raises(BadReference, match=r"memberships\.csv.*membership_one_per_position"):
        load_reference()


@pytest.mark.parametrize(
    ("file", "change", "place"),
    [
        ("schools", {"provider": "ingen"}, "schools.csv, line 2, column provider"),
        ("schools", {"verified": "ja"}, "schools.csv, line 2, column verified"),
        ("schools", {"name": ""}, "schools.csv, line 2, column name"),
        ("schools", {"sites": "widenska ingenstans"}, "schools.csv, line 2, column sites"),
        ("schools", {"school_unit_code": "123456789"}, "schools.csv, line 2, column school_unit_code"),
        ("schools", {"first_day": "1/7 2022"}, "schools.csv, line 2, column first_day"),
        ("schools", {"first_day": "2022-07-01", "last_day": "2021-07-01"}, "schools.csv, line 2, column last_day"),
        ("schools", {"last_day": "9999-12-31"}, "schools.csv, line 2, column last_day"),
        ("schools", {"key": ""}, "schools.csv, line 2, column key"),
        ("travel_times", {"minutes": "trettio"}, "travel_times.csv, line 2, column minutes"),
        ("travel_times", {"mode": "båt"}, "travel_times.csv, line 2, column mode"),
        ("sites", {"latitude": "norr"}, "sites.csv, line 2, column latitude"),
        ("boards", {"case_number_pattern": "{dnr}"}, "boards.csv, line 3, column case_number_pattern"),
    ],
)
def test_a_bad_value_is_told_with_file_line_and_column_and_changes_nothing(folder, file, change, place):
    first = iter([True])
    rewrite(folder, file, lambda row: row | change if next(first, False) else row)

    with pytest.raises(BadReference) as refusal:
        load_reference(folder)

    assert str(refusal.value).startswith(place)
    assert not Body.objects.exists()
    assert not Source.objects.exists()


def test_a_key_that_stands_twice_names_both_lines(folder):
    rewrite(folder, "areas", lambda row: row)
    with (folder / "areas.csv").open("a", encoding="utf-8") as file:
        file.write("4m,fyra,Fyra,4,,,no\n")

    with pytest.raises(BadReference, match=r"areas\.csv, line 3, column key.*line 2"):
        load_reference(folder)


@pytest.mark.parametrize("text", ["key,name\n4m,4M\n", "", 'key,slug\n"4m'])
def test_a_file_with_other_columns_is_refused(folder, text):
    (folder / "areas.csv").write_text(text, encoding="utf-8")

    with pytest.raises(BadReference, match=r"areas\.csv, line 1"):
        load_reference(folder)


def test_a_row_with_too_many_columns_is_refused(folder):
    with (folder / "areas.csv").open("a", encoding="utf-8") as file:
        file.write("5m,5m,Fem,5M,,,no,mer\n")

    with pytest.raises(BadReference, match=r"areas\.csv, line 3"):
        load_reference(folder)


def test_a_missing_file_is_refused(folder):
    (folder / "areas.csv").unlink()

    with pytest.raises(BadReference, match=r"areas\.csv"):
        load_reference(folder)


def test_the_command_says_what_it_did(capsys):
    call_command("load_reference")

    assert (
        "municipalities: 290 rows, 290 created, 0 changed, 0 ended, 0 left as people made them"
        in capsys.readouterr().out
    )


def test_the_command_fails_in_words(monkeypatch, folder):
    (folder / "areas.csv").unlink()
    monkeypatch.setattr(
        "collab4m.management.commands.load_reference.load_organisations", lambda: load_reference(folder)
    )

    with pytest.raises(CommandError, match=r"areas\.csv"):
        call_command("load_reference")


def test_no_role_is_touched():
    role = RoleFactory(kind="system_administrator")

    load_reference()

    role.refresh_from_db()
    assert role.last_day is None
