"""Every figure in what is made final is the one that pages and API gave at that moment."""

from collections import Counter

import pytest

from organisations.models import CollaborationArea, Provider, ProviderKind
from programmes.operations import flows_of, offer_of
from records.documents.content import ContentRefused, blocks_of, figures, sections_of
from records.operations import freeze, next_version
from reports.models import Report
from reports.operations import content_of
from tests.organisations.test_demo import person

pytestmark = pytest.mark.django_db

CODES = ["1980", "0484", "0381", "0486"]
FIGURES = ["seats", "first_choice_applicants", "admitted", "workplace_learning_capacity"]
NEAR, NOBODY, UNKNOWN = STATES = ["neighbour_offers", "nobody_offers", "not_reported"]


@pytest.fixture
def report(client, demonstration):
    """The demonstration's report, read by a board's member."""
    client.force_login(person("namnd.enkoping"))
    return Report.objects.get()


def rows_of(client, address):
    """All rows of a list in the API."""
    rows, page = [], 1
    while True:
        answer = client.get(f"/api/v1/{address}&page_size=200&page={page}").json()
        rows += answer["results"]
        if answer["next"] is None:
            return rows
        page += 1


def gaps_by_api(client):
    return {
        code: rows_of(client, f"programme-gaps/?municipality={code}&school_year=2022/23&kind=national")
        for code in CODES
    }


def states(gaps, *, orientations):
    found = Counter(gap["state"] for gap in gaps if bool(gap["orientation"]) is orientations)
    return [found[state] for state in STATES]


def sums_by_api(client, programmes):
    """What each school has of each national programme, added up over orientations; only what somebody has said."""
    sums = {}
    for row in rows_of(client, "offerings/?area=4m&school_year=2022/23"):
        if row["offered"] and row["programme"]["code"] in programmes:
            own = sums.setdefault((row["school"]["name"], row["programme"]["name_sv"]), {})
            for name in FIGURES:
                if row[name] is not None:
                    own[name] = own.get(name, 0) + row[name]
    return sums


def numbers(inline):
    return [figure["value"] for _path, figure in figures(inline)]


def test_every_figure_of_the_chapter_is_the_apis_and_the_pages(client, report):
    gaps = gaps_by_api(client)
    area = CollaborationArea.objects.get()
    offer = offer_of(area, report.school_year)
    sums = sums_by_api(client, {one.code for one in offer.programmes if one.kind in ("vocational", "preparatory")})
    version = freeze(next_version(report, content_of(report), by=None))
    sections = {section["id"]: section for section, _level in sections_of(version.content)}
    tables = {block["id"]: block for block in blocks_of(version.content) if "id" in block}
    told = Counter(numbers(version.content))
    checked = Counter()

    def check(inline, expected):
        assert numbers(inline) == expected
        checked.update(expected)

    # How many programmes each municipality lacks, in the list, in the chart, on its page and in its section.
    (in_short,) = [
        block for block in sections["uppdrag-1"]["blocks"] if block["kind"] == "list" and numbers(block["items"])
    ]
    national = len(tables["utbud-matris-1"]["rows"])
    for code, item, bar in zip(CODES, in_short["items"], tables["utbud-saknas-1"]["rows"], strict=True):
        counts = states(gaps[code], orientations=False)
        page = client.get(f"/program/saknas/?kommun={code}&lasar=2022-23").context
        assert [count for _state, count in page["lead"]] == counts
        check(item, counts if counts[2] else counts[:2])
        check(bar, counts[:2])
        blocks = sections[f"utbud-{code}"]["blocks"]
        check(blocks[0], [national - sum(counts), national])
        check(blocks[-1], states(gaps[code], orientations=True))
        offers = [
            (gap["programme"]["name_sv"], offer)
            for gap in gaps[code]
            if gap["state"] == NEAR and gap["orientation"] is None
            for offer in gap["offers"]
        ]
        for row, (programme, one) in zip(tables[f"utbud-{code}-hos-granne"]["rows"], offers, strict=True):
            assert row[:3] == [programme, one["municipality"]["name"], one["school"]["name"]]
            wanted = [one["seats"], one["first_choice_applicants"], one["travel_minutes"]]
            check(row, [number for number in wanted if number is not None])

    # What nobody near offers is what every municipality lacks so.
    nowhere = set.intersection(
        *({gap["key"] for gap in gaps[code] if gap["state"] == NOBODY and not gap["orientation"]} for code in CODES)
    )
    paragraphs = [numbers(one) for one in sections["uppdrag-1"]["blocks"] if one["kind"] == "paragraph"]
    assert [len(nowhere)] in paragraphs
    checked.update([len(nowhere)])

    # Schools: more applicants than seats, and the whole list.
    both = {key: own for key, own in sums.items() if "seats" in own and "first_choice_applicants" in own}
    pressed = {key for key, own in both.items() if own["first_choice_applicants"] > own["seats"]}
    assert [len(pressed), len(both)] in paragraphs
    checked.update([len(pressed), len(both)])
    for row in tables["utbud-fler-sokande"]["rows"]:
        own = both[row[2].split(" (")[0], row[0]]
        check(row, [own["seats"], own["first_choice_applicants"]])
    assert len(tables["utbud-fler-sokande"]["rows"]) == len(pressed)
    listed = {}
    for row in tables["utbud-skolornas-utbud"]["rows"]:
        own = listed.setdefault((row[0].split(" (")[0], row[1]), {})
        for name, cell in zip(FIGURES, row[3:], strict=True):
            if numbers(cell):
                own[name] = own.get(name, 0) + sum(numbers(cell))
        checked.update(numbers(row))
    assert listed == sums

    # The matrix adds up the schools that each municipality runs itself.
    municipal = {
        school.name: school.municipality.name
        for provider in Provider.objects.filter(kind=ProviderKind.MUNICIPAL)
        for school in provider.schools.select_related("municipality")
    }
    seats = Counter()
    for (school, programme), own in sums.items():
        if school in municipal:
            seats[municipal[school], programme] += own.get("seats", 0)
    towns = [column["label"] for column in tables["utbud-matris-1"]["columns"][1:]]
    for row in tables["utbud-matris-1"]["rows"]:
        check(row, [number for town in towns if (number := seats[town, row[0]])])

    # Who has reported, and pupils between the municipalities as an outsider sees them.
    reports = rows_of(client, "offering-reports/?area=4m&school_year=2022/23")
    complete = {one["school"]["name"] for one in reports if one["complete"]}
    everybody = {one["school"]["name"] for one in reports}
    for names in (everybody & municipal.keys(), everybody - municipal.keys()):
        wanted = [len(names & complete), len(names)]
        assert wanted in paragraphs
        checked.update(wanted)
    members = [member.municipality for member in offer.members]
    balances = flows_of(members, report.school_year, "VT", reader=None).balances()
    for row, balance in zip(tables["utbud-netto"]["rows"], balances, strict=True):
        counted = [count.least for count in (balance.out, balance.into) if count.least]
        check(row, [*counted, *([balance.net] if balance.net is not None else [])])

    # Agreements signed and on their way, as the register shows them to a party's committee.
    counts = {}
    for stage in ("galler", "kommande", "pagar"):
        entries = client.get(f"/avtal/?lage={stage}").context["entries"]
        counts[stage] = [entry for entry in entries if entry.revision is None or entry.revision.sent_at]
    check(
        [block["text"] for block in sections["avtal"]["blocks"] if block["kind"] == "paragraph"],
        [len(counts["galler"]) + len(counts["kommande"]), len(counts["pagar"])],
    )

    assert told - checked == Counter()
    assert checked - told == Counter()


def test_no_figure_without_its_source_is_made_final(report):
    content = content_of(report)
    _path, figure = next(figures(content))
    del content["sources"][figure["source"]]

    with pytest.raises(ContentRefused, match=figure["source"]):
        next_version(report, content, by=None)
