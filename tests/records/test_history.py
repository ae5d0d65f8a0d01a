"""History: append-only, in the reader's language, only for those who see the subject."""

import re
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.db import InternalError, NotSupportedError, ProgrammingError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.template.loader import get_template
from django.utils import translation

from organisations.models import Municipality
from organisations.operations import create_board
from records.histories import lines_of, sentence
from records.models import Event, span
from records.operations import ask_question, differences, propose_correction, record
from records.values import as_text, readable
from tests.factories import BoardFactory, MunicipalityFactory, SchoolFactory, SiteFactory

REFUSED = (InternalError, NotSupportedError, ProgrammingError)


def test_record_keeps_who_for_whom_and_what(owner, home):
    event = record(
        "fact.corrected", home, by=owner, on_behalf_of=home, changes={"county": ["", "Uppsala"]}, from_body="A"
    )

    assert Event.objects.about(home).get() == event
    assert (event.by, event.on_behalf_of_id, event.data) == (owner, home.pk, {"from_body": "A"})


def test_history_of_a_municipality_and_its_body_is_the_same(owner, home):
    event = record("fact.corrected", home.body, by=owner, from_body="A")

    assert list(Event.objects.about(home)) == [event]
    assert list(Event.objects.about(home.body)) == [event]


@pytest.mark.parametrize(
    "attack",
    [
        lambda event: Event.objects.filter(pk=event.pk).update(name="x"),
        lambda event: Event.objects.all().delete(),
        lambda event: Event.objects.bulk_update([event], ["name"]),
        lambda event: event.save(),
        lambda event: connection.cursor().execute("UPDATE records_event SET name = 'x'"),
        lambda event: connection.cursor().execute("DELETE FROM records_event"),
    ],
)
def test_history_cannot_be_changed_or_taken_away(owner, home, attack):
    event = record("fact.corrected", home, by=owner, from_body="A")

    with pytest.raises(REFUSED), transaction.atomic():
        attack(event)

    assert Event.objects.get().name == "fact.corrected"


def test_history_is_not_in_the_admin():
    assert not admin.site.is_registered(Event)


def test_differences_tells_only_what_differs(home):
    school = SchoolFactory(name="Edströmska", municipality=home, valid=span(date(2022, 7, 1), None))

    changes = differences(
        school, {"name": "Edströmska gymnasiet", "status": "", "last_day": date(2023, 6, 30), "example": True}
    )

    assert changes == {
        "name": ["Edströmska", "Edströmska gymnasiet"],
        "last_day": ["", "2023-06-30"],
        "example": ["false", "true"],
    }


def test_differences_of_relations_are_names(home, neighbour):
    school = SchoolFactory(municipality=home)

    assert differences(school, {"municipality": neighbour, "sites": []}) == {"municipality": ["Enköping", "Västerås"]}


def recorded_names() -> set[str]:
    """Every event name in the code: what `record(` is given, also where two names stand in one expression."""
    names = set()
    for app in ("collab4m", "organisations", "records"):
        for file in (settings.BASE_DIR / app).rglob("*.py"):
            for call in re.finditer(r"\brecord\(\s*([^,]*),", file.read_text(encoding="utf-8")):
                names |= set(re.findall(r'"([a-z_]+\.[a-z_.]+)"', call[1]))
    return names


def test_every_event_in_the_code_has_a_sentence_in_both_languages(owner, home):
    names = recorded_names()
    assert {"question.asked", "question.added_to", "fact.corrected"} <= names

    for name in sorted(names):
        source = Path(get_template(f"records/history/{name}.html").origin.name).read_text(encoding="utf-8")
        assert source.startswith("{#"), f"{name}: the first line says which data the sentence needs"
        assert "blocktranslate" in source or "translate" in source, name
        keys = set(re.findall(r"data\.(\w+)", source))
        data = {key: "2026-11-27" if key.endswith("_day") else f"«{key}»" for key in keys}
        event = Event(name=name, subject=home, by=owner, on_behalf_of=home.body, data=data)
        told = {}
        for language in ("sv", "en"):
            with translation.override(language):
                told[language] = str(sentence(event))
        assert told["sv"], name
        assert told["en"], name
        assert told["sv"] != told["en"], f"{name} has no Swedish"


def test_sentences_escape_what_people_wrote(owner, home):
    event = record("question.closed", home, by=owner, title="<script>")

    assert "&lt;script&gt;" in sentence(event)


def test_changes_are_told_with_the_fields_own_words(owner, home):
    school = SchoolFactory(municipality=home)
    record(
        "fact.corrected",
        school,
        by=owner,
        changes={"status": ["", "planerad"], "example": ["false", "true"]},
        from_body="A",
    )

    with translation.override("en"):
        (line,) = lines_of(Event.objects.about(school))

    assert [(change.label, change.before, change.after) for change in line.changes] == [
        ("Status", "not stated", "planerad"),
        ("Example", "no", "yes"),
    ]


def test_history_page_tells_in_the_readers_language(client, owner, home):
    record(
        "fact.corrected", home, by=owner, on_behalf_of=home, changes={"county": ["", "Uppsala"]}, from_body="Västerås"
    )
    owner.language = "en"
    owner.save()
    client.force_login(owner)

    page = client.get(f"/historik/organisations/municipality/{home.pk}/").content.decode()

    assert "County was corrected after a proposal from Västerås." in page
    assert f"{owner.name} for Enköping" in page
    assert "was <del>not stated</del>, is now <ins>Uppsala</ins>" in page


@pytest.mark.parametrize(
    "path",
    [
        "organisations/municipality/999999",
        "organisations/nothing/1",
        "nothing/nothing/1",
        "records/outgoing/1",
        "records/event/1",
        "organisations/role/1",
        "sessions/session/1",
    ],
)
def test_history_page_is_404_for_what_is_not_there_or_not_for_eyes(client, owner, path):
    client.force_login(owner)

    assert client.get(f"/historik/{path}/").status_code == 404


@pytest.mark.parametrize(("who", "status"), [("owner", 200), ("outsider", 404), ("committee", 404)])
def test_history_page_of_a_person_is_for_those_who_see_the_person(client, request, principal, owner, who, status):
    colleague = owner
    client.force_login(request.getfixturevalue(who))

    assert client.get(f"/historik/organisations/user/{colleague.pk}/").status_code == status


def test_history_of_a_subject_tells_of_questions_only_to_their_sides(client, asker, owner, outsider, home, neighbour):
    school = SchoolFactory(municipality=home)
    ask_question(school, to_body=home.body, title="Fritidsplats", text="?", by=asker, on_behalf_of=neighbour.body)
    propose_correction(school, field="name", proposed="X", reason="Y", by=asker, on_behalf_of=neighbour.body)

    told = {}
    for name, user in (("asker", asker), ("owner", owner), ("outsider", outsider)):
        told[name] = [event.name for event in Event.objects.seen_by(user, school)]

    assert told == {
        "asker": ["correction.proposed", "question.asked"],
        "owner": ["correction.proposed", "question.asked"],
        "outsider": [],
    }


def test_history_of_a_subject_says_what_was_proposed(client, asker, owner, home, neighbour):
    school = SchoolFactory(municipality=home, name="Edströmska")
    propose_correction(school, field="status", proposed="Öppen", reason="Y", by=asker, on_behalf_of=neighbour.body)
    client.force_login(owner)

    page = client.get(f"/historik/organisations/school/{school.pk}/").content.decode()

    assert "En rättelse föreslogs för Enköping: Läge för Edströmska ska vara ”Öppen”." in page


def test_history_of_something_new_lists_what_was_given(client, owner, home):
    board = create_board(
        municipality=home, name="UAN", memo_head="Tjänsteskrivelse", valid=span(date(2022, 7, 1), None),
        by=owner, on_behalf_of=home.body,
    )  # fmt: skip
    client.force_login(owner)

    (line,) = client.get(f"/historik/organisations/board/{board.pk}/").context["days"][0][1]
    page = client.get(f"/historik/organisations/board/{board.pk}/").content.decode()

    assert line.event.changes == {"memo_head": ["", "Tjänsteskrivelse"], "first_day": ["", "2022-07-01"]}
    assert "Första dag: 2022-07-01</li>" in page
    assert "<del>" not in page


@pytest.mark.parametrize("events", [1, 3])
def test_history_page_costs_the_same_whatever_it_tells(
    client, owner, asker, neighbour, home, django_assert_num_queries, events
):
    board = BoardFactory(municipality=home)
    for number in range(events):
        record(
            "fact.corrected", board, by=owner, on_behalf_of=home, changes={"name": ["a", "b"]}, from_body=str(number)
        )
        ask_question(board, to_body=home.body, title=str(number), text="?", by=asker, on_behalf_of=neighbour.body)
        propose_correction(board, field="name", proposed=str(number), reason="?", by=asker, on_behalf_of=neighbour.body)
    client.force_login(owner)
    client.get(f"/historik/organisations/board/{board.pk}/")

    with django_assert_num_queries(HISTORY_QUERIES):
        client.get(f"/historik/organisations/board/{board.pk}/")


HISTORY_QUERIES = 11


def test_history_page_is_paged(client, owner, home):
    for number in range(51):
        record("fact.corrected", home, by=owner, from_body=f"kommun-{number:02}")
    client.force_login(owner)

    first = client.get(f"/historik/organisations/municipality/{home.pk}/").content.decode()
    second = client.get(f"/historik/organisations/municipality/{home.pk}/?sida=2").content.decode()

    assert "kommun-50" in first
    assert "kommun-00" not in first
    assert "kommun-00" in second


def test_differences_tell_rows_apart_by_id_and_show_their_names(home, neighbour):
    board = BoardFactory(municipality=home)
    namesake = MunicipalityFactory(name="Enköping")
    renamed = Municipality.objects.get(pk=home.pk)
    renamed.name = "Nya Enköping"

    assert differences(board, {"municipality": namesake}) == {"municipality": ["Enköping", "Enköping"]}
    assert differences(board, {"municipality": renamed}) == {}
    assert differences(board, {"municipality": home.body}) == {}


def test_differences_tell_many_rows_apart_by_id_in_any_order(home):
    school = SchoolFactory(municipality=home)
    one, two, namesake = (SiteFactory(name=name, municipality=home) for name in ("Ett", "Två", "två "))
    school.sites.set([one, two])

    assert differences(school, {"sites": [two, one]}) == {}
    assert "sites" in differences(school, {"sites": [one, namesake]})
    assert differences(school, {"sites": []}) == {"sites": [as_text(school.sites), ""]}


def test_an_empty_time_is_not_read_as_an_open_one(home):
    board = BoardFactory(municipality=home)

    assert differences(board, {"valid": DateRange(empty=True)}) == {"valid": ["–", "empty"]}
    with translation.override("sv"):
        assert readable(type(board), "valid", as_text(DateRange(empty=True))) == "inte vid någon tid"


def test_the_same_lines_are_no_difference_whoever_ended_them():
    assert as_text("a\r\nb") == as_text("a\nb")
