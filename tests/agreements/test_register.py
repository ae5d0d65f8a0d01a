"""The register: who sees what, how it is chosen, and where each agreement is in its time."""

from __future__ import annotations

import csv
import random
import re
from datetime import date, timedelta

import pytest
from django.contrib.contenttypes.models import ContentType

from agreements.models import Agreement, Notice, NoticeEnds, Party, Revision, RevisionKind, RevisionState
from agreements.operations import (
    Phase,
    Span,
    Stage,
    Validity,
    entries_of,
    give_notice,
    in_phase,
    span_in,
    start_revision,
    validities_of,
    wait_of,
    waits_of,
    with_validity,
    withdraw_revision,
)
from agreements.outline import KEYS, PRICE, SCOPE, VALIDITY
from collab4m.clock import now, today
from collab4m.school_year import SchoolYear
from records.models import Version
from tests.agreements.stories import (
    administrator_of,
    approved,
    building,
    decide,
    draft,
    fill_in,
    on_referral,
    party_of,
    revision_of,
    sign_for,
    signed,
    to_decision,
)
from tests.factories import ProgrammeFactory

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 25)


def some_version(agreement: Agreement) -> Version:
    return Version.objects.create(
        subject_type=ContentType.objects.get_for_model(Agreement),
        subject_id=agreement.pk,
        number=1,
        schema="document/1",
        content={"title": "Avtal"},
        content_sha256="0" * 64,
    )


def any_day(chance: random.Random) -> date:
    """Around DAY, and often just on it or beside it."""
    return DAY + timedelta(days=chance.choice([-1, 0, 1, chance.randint(-900, 900)]))


def many(area, home, neighbour, owner, number: int) -> list[Agreement]:
    """Agreements with signed revisions, notice and heirs in every order, as no operation would make them one by one."""
    chance = random.Random(20261125)
    made: list[Agreement] = []
    for sequence in range(1, number + 1):
        earlier = chance.choice(made) if made and chance.random() < 0.3 else None
        agreement = Agreement.objects.create(
            area=area, year=2026, sequence=sequence, title=f"Avtal {sequence}", started_by=home.body, replaces=earlier
        )
        for place, one in enumerate((home, neighbour)):
            Party.objects.create(agreement=agreement, municipality=one, position=place, signing_order=place + 1)
        version = some_version(agreement)
        signed_at = now() - timedelta(days=chance.randint(1, 900))
        for ordinal in range(1, chance.randint(1, 4) + 1):
            first = any_day(chance)
            last = first + timedelta(days=chance.randint(0, 900)) if chance.random() < 0.6 else None
            signed_at += timedelta(days=chance.choice([0, 0, 30]))
            if chance.random() < 0.75:
                state = {"state": RevisionState.SIGNED, "signed_at": signed_at, "version": version}
            else:
                state = {"state": chance.choice([RevisionState.WITHDRAWN, RevisionState.REJECTED])}
            if state["state"] != RevisionState.SIGNED and ordinal == 1:
                Revision.objects.create(agreement=agreement, ordinal=1, sections=list(KEYS), **state)
                break
            Revision.objects.create(
                agreement=agreement,
                ordinal=ordinal,
                kind=RevisionKind.AMENDMENT if ordinal > 1 else RevisionKind.ORIGINAL,
                sections=list(KEYS) if ordinal == 1 else chance.choice([[VALIDITY], [SCOPE, PRICE], [PRICE, VALIDITY]]),
                first_day=first,
                last_day=last,
                is_open_ended=last is None,
                **state,
            )
        for one in (home, neighbour):
            if chance.random() < 0.3:
                Notice.objects.create(
                    agreement=agreement,
                    given_by=one,
                    given_on=DAY,
                    received_on=DAY,
                    months=12,
                    effect="day",
                    ends=chance.choice(NoticeEnds.values),
                    effective_on=any_day(chance),
                    by=owner,
                    on_behalf_of=home.body,
                    withdrawn_at=now() if chance.random() < 0.3 else None,
                )
        made.append(agreement)
    return made


def test_the_database_computes_what_validities_of_computes(area, home, neighbour, owner):
    made = many(area, home, neighbour, owner, 250)
    wanted = validities_of(made)

    found = {row.pk: row for row in with_validity(Agreement.objects.all())}
    assert {pk: (row.begins_on, row.ends_on) for pk, row in found.items()} == {
        pk: (validity.first_day, validity.last_day) for pk, validity in wanted.items()
    }
    for phase in Phase:
        chosen = in_phase(with_validity(Agreement.objects.all()), phase, DAY)
        assert set(chosen.values_list("pk", flat=True)) == {
            pk for pk, validity in wanted.items() if validity.phase(DAY) == phase
        }
        assert len(chosen) > 5


@pytest.fixture
def agreement(area, home, neighbour, owner, asker):
    return draft(area, [home, neighbour], owner, programme=building())


def test_many_wait_as_one_does(area, home, neighbour, owner, asker):
    programme = building()
    made = [draft(area, [home, neighbour], owner, programme=programme, title=f"Avtal {n}") for n in range(7)]
    for one in made[1:]:
        fill_in(one)
    on_referral(made[2])
    sha256 = to_decision(made[3])
    sha256 = to_decision(made[4])
    decide(made[4], neighbour, sha256)
    sha256 = approved(made[5])
    sha256 = approved(made[6])
    sign_for(made[6], home, sha256)
    revisions = [revision_of(one) for one in made]

    waits = waits_of(revisions)

    assert [waits[one.pk] for one in revisions] == [wait_of(one) for one in revisions]
    assert {wait.what for wait in waits.values()} == {"draft", "answer", "decision", "signature"}


@pytest.mark.parametrize(
    ("validity", "year", "expected"),
    [
        (Validity(), 2026, Span.NONE),
        (Validity(date(2022, 7, 1)), 2026, Span.IN_FORCE),
        (Validity(date(2022, 7, 1)), 2031, Span.IN_FORCE),
        (Validity(date(2022, 7, 1)), 2021, Span.NONE),
        (Validity(date(2027, 7, 1)), 2026, Span.NONE),
        (Validity(date(2027, 7, 1)), 2027, Span.UPCOMING),
        (Validity(date(2022, 7, 1), date(2027, 6, 30)), 2025, Span.IN_FORCE),
        (Validity(date(2022, 7, 1), date(2027, 6, 30)), 2026, Span.ENDING),
        (Validity(date(2022, 7, 1), date(2027, 6, 30)), 2027, Span.NONE),
        (Validity(date(2022, 7, 1), date(2026, 6, 30)), 2025, Span.ENDED),
        (Validity(date(2022, 7, 1), date(2026, 6, 30)), 2026, Span.NONE),
        (Validity(date(2027, 7, 1), date(2027, 6, 30)), 2027, Span.NONE),
    ],
)
def test_a_cell_of_the_timeline(validity, year, expected):
    assert span_in(validity, SchoolYear(year), DAY) == expected


# Choosing


@pytest.fixture
def three(area, home, neighbour, owner, asker):
    """Signed since 2022, on referral, and a draft of the neighbour's."""
    programme = building()
    in_force = signed(draft(area, [home, neighbour], owner, programme=programme, title="Bygg"))
    sent = draft(area, [home, neighbour], owner, programme=ProgrammeFactory(code="EE"), title="El")
    on_referral(sent)
    begun = draft(area, [neighbour, home], asker, programme=ProgrammeFactory(code="NB"), title="Djur")
    return in_force, sent, begun


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("owner", {"Bygg", "El", "Djur"}),
        ("asker", {"Bygg", "El", "Djur"}),
        ("committee", {"Bygg", "El"}),
        ("principal", {"Bygg"}),
        ("council_member", {"Bygg"}),
        ("outsider", set()),
        ("roleless", set()),
        ("system_administrator", set()),
    ],
)
def test_signed_ones_are_read_in_the_area_and_drafts_by_their_parties(client, request, three, who, seen):
    client.force_login(request.getfixturevalue(who))

    response = client.get("/avtal/")

    assert {entry.agreement.title for entry in response.context["entries"]} == seen


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=bygg", ["Bygg"]),
        ("q=2022/17", ["Bygg"]),
        ("q=vasteras", ["Djur", "El", "Bygg"]),
        ("q=ee", ["El"]),
        ("q=husbygg", ["Bygg"]),
        ("q=bygg+vasteras", ["Bygg"]),
        ("q=bygg+finns+inte", []),
        ("q=%00%25_", []),
        ("lage=pagar", ["Djur", "El"]),
        ("lage=galler", ["Bygg"]),
        ("lage=kommande", []),
        ("lage=upphor", []),
        ("lage=upphort", []),
        ("lage=stannat", []),
        ("lage=okant", ["Djur", "El", "Bygg"]),
        ("part=1980&program=NB", ["Djur"]),
        ("part=9999&program=XX&omrade=inget&slag=x&stallning=y&sida=999", ["Djur", "El", "Bygg"]),
        ("stallning=primary", []),
        ("slag=education&omrade=4m", ["Djur", "El", "Bygg"]),
    ],
)
def test_the_list_is_searched_and_filtered(client, three, owner, query, found):
    client.force_login(owner)

    response = client.get(f"/avtal/?{query}")

    assert response.status_code == 200 or query == "q=%00%25_"
    if response.status_code == 200:
        assert [entry.agreement.title for entry in response.context["entries"]] == found


def test_a_number_finds_its_agreement(client, three, owner):
    client.force_login(owner)
    number = three[1].number

    found = client.get(f"/avtal/?q={number}").context["entries"]

    assert [entry.agreement for entry in found] == [three[1]]


def test_what_came_to_nothing_is_told_apart_from_what_ended(client, three, owner, home, neighbour):
    withdraw_revision(three[2], reason="Det behövs inte.", by=owner, on_behalf_of=home.body)
    over = signed(
        draft(three[0].area, [home, neighbour], owner, programme=ProgrammeFactory(), title="Förr"),
        is_open_ended=False,
        last_day=today() - timedelta(days=1),
    )
    give_notice(
        party_of(three[0], home),
        given_on=today(),
        received_on=today(),
        by=administrator_of(home),
        on_behalf_of=home.body,
    )
    client.force_login(owner)

    stages = {
        stage: [entry.agreement.title for entry in client.get(f"/avtal/?lage={stage}").context["entries"]]
        for stage in Stage.values
    }

    assert stages == {
        "pagar": ["El"], "galler": ["Bygg"], "kommande": [], "upphor": [], "upphort": [over.title], "stannat": ["Djur"],
    }  # fmt: skip
    (entry,) = entries_of(owner, Agreement.objects.filter(pk=three[2].pk), today())
    assert entry.revision.state == RevisionState.WITHDRAWN


def test_an_unsigned_change_tells_the_rest_of_the_area_nothing(client, three, owner, home, principal):
    revision = start_revision(three[0], kind=RevisionKind.ANNEX, by=owner, on_behalf_of=home.body)
    revision.terms.update(programme=ProgrammeFactory(code="HV"))
    revision.terms.update(orientation=None)
    client.force_login(principal)

    (entry,) = client.get("/avtal/").context["entries"]
    assert (entry.revision, entry.wait.what) == (None, "")
    assert client.get("/avtal/?program=HV").context["entries"] == [entry]  # no such choice: no choice
    assert client.get("/avtal/?q=HV").context["entries"] == []


def test_the_page_says_what_waits_and_since_when(client, three, asker, neighbour):
    client.force_login(asker)

    page = " ".join(re.sub(r"<[^>]+>", " ", client.get("/avtal/").content.decode()).split())

    last = (today() + timedelta(days=21)).isoformat()
    assert "Ett avtal väntar på dig" in page
    assert f"Svar från Västerås, senast {last}" in page
    assert "från 2022-07-01, tills vidare" in page
    assert "2022/17" in page


def test_the_timeline_has_a_column_for_each_year(client, three, owner):
    client.force_login(owner)

    response = client.get("/avtal/?vy=tidslinje&lage=galler")

    years = [year.starts for year in response.context["years"]]
    this_year = SchoolYear.of(today()).starts
    assert years == list(range(this_year - 2, this_year + 6))
    ((entry, cells),) = response.context["timeline"]
    assert [span for _year, span in cells] == [Span.IN_FORCE] * 8
    assert response.content.decode().count('<td class="is-yes">') == 8


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_list_is_taken_out_as_a_file(client, three, owner, kind):
    client.force_login(owner)

    response = client.get(f"/avtal/fil/{kind}/?lage=galler")

    name = f"avtal-{today().isoformat()}.{kind}"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    if kind == "csv":
        head, row = list(csv.reader(response.content.decode("utf-8-sig").splitlines(), delimiter=";"))
        told = dict(zip(head, row, strict=True))
        assert (told["Nummer"], told["Parter"], told["Läge"]) == (three[0].number, "Enköping, Västerås", "gäller")


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(("query", "queries"), [("", 20), ("?vy=tidslinje&lage=galler", 18), ("?q=bygg&part=1980", 20)])
def test_the_register_costs_the_same_however_long_it_is(
    client, area, home, neighbour, owner, asker, rows, query, queries, django_assert_num_queries
):
    for number in range(rows):
        programme = ProgrammeFactory()
        signed(draft(area, [home, neighbour], owner, programme=programme, title=f"Bygg {number}"))
        on_referral(draft(area, [home, neighbour], owner, programme=programme, title=f"Bygg och el {number}"))
    client.force_login(owner)
    client.get("/avtal/arshjul/")

    with django_assert_num_queries(queries):
        response = client.get(f"/avtal/{query}")

    assert len(response.context["entries"]) == (rows if "galler" in query else 2 * rows)


def test_a_long_list_comes_in_pages(client, area, home, owner):
    made = Agreement.objects.bulk_create(
        Agreement(area=area, year=2026, sequence=number, title=f"Avtal {number}", started_by=home.body)
        for number in range(1, 53)
    )
    Party.objects.bulk_create(Party(agreement=one, municipality=home, signing_order=1) for one in made)
    client.force_login(owner)

    first, second = (client.get(f"/avtal/?sida={page}&slag=education") for page in (1, 2))

    assert [len(page.context["entries"]) for page in (first, second)] == [50, 2]
    assert 'href="?slag=education&amp;sida=2"' in first.content.decode()


def test_an_empty_register_says_how_one_begins(client, owner):
    client.force_login(owner)

    page = client.get("/avtal/").content.decode()

    assert 'href="/program/saknas/"' in page
    assert 'href="/avtal/nytt/"' in page
