"""The library of clauses: numbered wordings that never change, the portal's own and the area's."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from agreements.models import Clause, ClauseVersion
from agreements.operations import (
    SECTIONS_WITH_CLAUSES,
    ClauseChanged,
    ClauseExists,
    ClauseNotYours,
    ClauseRefused,
    ClauseShipped,
    add_clause,
    bring_back_clause,
    clauses_for,
    load_clauses,
    retire_clause,
    write_clause,
)
from agreements.operations.placeholders import PLACEHOLDER
from agreements.operations.reference import REFERENCE
from organisations.operations import BadReference
from records.models import Event
from tests.factories import AreaFactory, MembershipFactory, RoleFactory

HEAD = "key,section,name,text\n"


@pytest.fixture
def acting(owner, home):
    return {"by": owner, "on_behalf_of": home.body}


@pytest.fixture
def clause(area, acting):
    return add_clause(area, section="resor", name="Egna resor", text="Varje kommun för sig.", **acting).clause


@pytest.fixture
def shipped(db):
    clause = Clause.objects.create(section="resor", name="Resor omfattas inte", reference_key="resor-inte")
    ClauseVersion.objects.create(clause=clause, number=1, text="Omfattas inte.")
    return clause


def wordings(clause):
    return list(clause.versions.order_by("number").values_list("number", "text"))


def test_a_clause_begins_with_its_first_wording(clause, area, owner, home):
    version = clause.versions.get()

    assert (clause.area, clause.section, clause.name) == (area, "resor", "Egna resor")
    assert (version.number, version.text, version.by, version.on_behalf_of_id) == (
        1, "Varje kommun för sig.", owner, home.pk,
    )  # fmt: skip
    assert Event.objects.about(clause).get().name == "clause.added"


def test_a_new_wording_gets_the_next_number_and_the_old_one_stays(clause, asker, neighbour):
    write_clause(clause, text="Hemkommunen svarar.", base=1, by=asker, on_behalf_of=neighbour.body)

    assert wordings(clause) == [(1, "Varje kommun för sig."), (2, "Hemkommunen svarar.")]


def test_a_wording_on_top_of_anothers_is_refused_with_that(clause, acting):
    write_clause(clause, text="A", base=1, **acting)

    with pytest.raises(ClauseChanged) as told:
        write_clause(clause, text="B", base=1, **acting)

    assert (told.value.latest.number, told.value.latest.text) == (2, "A")
    assert len(wordings(clause)) == 2


def test_the_same_text_is_no_new_version(clause, acting):
    with pytest.raises(ClauseRefused):
        write_clause(clause, text=" Varje kommun för sig. ", base=1, **acting)


def test_the_portals_clauses_are_not_changed_by_an_area(shipped, acting):
    with pytest.raises(ClauseShipped):
        write_clause(shipped, text="B", **acting)
    with pytest.raises(ClauseShipped):
        retire_clause(shipped, **acting)
    assert wordings(shipped) == [(1, "Omfattas inte.")]


def test_clauses_are_changed_by_administrators_of_members(
    clause, area, outsider, elsewhere, committee, home, owner, neighbour
):
    for by, body in ((outsider, elsewhere), (outsider, home), (committee, home), (owner, neighbour)):
        who = {"by": by, "on_behalf_of": body.body}
        with pytest.raises(ClauseNotYours):
            write_clause(clause, text="C", **who)
        with pytest.raises(ClauseNotYours):
            retire_clause(clause, **who)
        with pytest.raises(ClauseNotYours):
            add_clause(area, section="resor", name="D", text="D", **who)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"section": "parter"}, "section"),
        ({"section": "hittepå"}, "section"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"text": ""}, "text"),
        ({"text": "x" * 5001}, "text"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(area, acting, wrong, field):
    with pytest.raises(ClauseRefused) as told:
        add_clause(area, **{"section": "resor", "name": "N", "text": "T", **wrong}, **acting)
    assert told.value.field == field


def test_a_name_stands_once_in_a_section_of_an_area(clause, area, home, acting):
    with pytest.raises(ClauseExists):
        add_clause(area, section="resor", name="Egna  resor", text="T", **acting)

    add_clause(area, section="tvist", name="Egna resor", text="T", **acting)
    other = MembershipFactory(area=AreaFactory(), municipality=home).area
    add_clause(other, section="resor", name="Egna resor", text="T", **acting)


def test_the_latest_wordings_are_chosen_from_the_areas_own_first(clause, shipped, area, acting):
    write_clause(clause, text="Ny lydelse.", **acting)
    add_clause(area, section="tvist", name="T", text="T", **acting)
    hidden = add_clause(area, section="resor", name="Gammal", text="G", **acting).clause
    retire_clause(hidden, **acting)

    def names():
        return [(one.clause.name, one.number) for one in clauses_for(area, "resor")]

    assert names() == [("Egna resor", 2), ("Resor omfattas inte", 1)]
    bring_back_clause(hidden, **acting)
    assert names() == [("Egna resor", 2), ("Gammal", 1), ("Resor omfattas inte", 1)]
    assert [one.clause.name for one in clauses_for(AreaFactory(), "resor")] == ["Resor omfattas inte"]


def test_an_areas_own_are_seen_by_those_in_the_area(
    clause, shipped, owner, committee, council_member, outsider, roleless
):
    def seen(user):
        return set(Clause.objects.visible_to(user))

    for user in (owner, committee, council_member):
        assert seen(user) == {clause, shipped}
    for user in (outsider, roleless):
        assert seen(user) == {shipped}


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_who_write_at_once_each_gets_a_number_or_an_answer(clause, acting, home, neighbour):
    users = [RoleFactory(kind="administrator", body=home.body).user for _nth in range(4)]
    start, answers = threading.Barrier(4), []

    def write(user):
        try:
            start.wait()
            answers.append(write_clause(clause, text=f"Av {user.pk}", base=1, by=user, on_behalf_of=home.body).number)
        except ClauseChanged as told:
            answers.append(told.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, answers)) == ["2", "changed_meanwhile", "changed_meanwhile", "changed_meanwhile"]
    assert [number for number, _text in wordings(clause)] == [1, 2]


# Those that come with the portal


def test_every_section_has_clauses_and_open_words_are_in_brackets(db):
    load_clauses(REFERENCE)
    rows = list(ClauseVersion.objects.select_related("clause"))
    by_section = {}
    for row in rows:
        by_section.setdefault(row.clause.section, []).append(row)

    assert set(by_section) == {section.key for section in SECTIONS_WITH_CLAUSES}
    assert all(1 <= len(found) <= 3 for found in by_section.values())
    for section in ("resor", "introduktion", "idrott"):
        assert any("omfattas inte" in row.clause.name for row in by_section[section])
    for row in rows:
        outside = PLACEHOLDER.sub("", row.text)
        assert "[" not in outside
        assert "§" not in outside
        assert not any(sign.isdigit() for sign in outside)


@pytest.mark.django_db
def test_loading_again_changes_nothing_and_a_new_text_is_a_new_version(tmp_path):
    (tmp_path / "clauses.csv").write_text(HEAD + "a,resor,A,Ett\nb,tvist,B,Två\n", encoding="utf-8")
    load_clauses(tmp_path)
    again = load_clauses(tmp_path)
    assert (again.rows, again.created, again.changed, again.ended) == (2, 0, 0, 0)

    (tmp_path / "clauses.csv").write_text(HEAD + "a,resor,A,Nytt\n", encoding="utf-8")
    told = load_clauses(tmp_path)

    assert (told.created, told.changed, told.ended) == (0, 1, 1)
    assert wordings(Clause.objects.get(reference_key="a")) == [(1, "Ett"), (2, "Nytt")]
    assert Clause.objects.get(reference_key="b").is_retired


@pytest.mark.django_db
@pytest.mark.parametrize(
    "lines",
    ["a,resor,A\n", "a,hittepå,A,Ett\n", "a,resor,A,Ett\na,tvist,B,Två\n", ",resor,A,Ett\n", "a,resor,A,\n"],
)
def test_a_file_that_cannot_be_used_says_where(tmp_path, lines):
    (tmp_path / "clauses.csv").write_text(HEAD + lines, encoding="utf-8")

    with pytest.raises(BadReference):
        load_clauses(tmp_path)
    assert not Clause.objects.exists()
