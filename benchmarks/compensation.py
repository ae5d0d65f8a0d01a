"""Statements of compensation in a base of national size: one pair, and all pairs of an area of 26 by the job."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice, permutations
from random import Random
from time import perf_counter

from django.db import connection
from django.test.utils import CaptureQueriesContext, setup_databases, teardown_databases

from agreements.models import PriceKind, PriceList, PriceRow, Statement
from agreements.operations import make_statement, order_statements
from agreements.operations.compensation import STATEMENTS
from benchmarks.national import load
from collab4m.school_year import SchoolYear
from organisations.models import Membership, Municipality, RoleKind, SemesterKind, User
from programmes.models import Programme, PupilFlow
from programmes.operations import NATIONAL
from records.models import Job, JobState
from records.operations import work_off_jobs

MUNICIPALITIES = 290
FLOWS = 200_000
PROGRAMMES_OF_A_PAIR = 16
YEARS = [SchoolYear(2021), SchoolYear(2022)]
YEAR, SEMESTER = SchoolYear(2022), SemesterKind.AUTUMN
BATCH = 10_000
MOST_SECONDS_A_PAIR = 1
PAIRS_TIMED = 20
SEED = 4


def load_prices(year: int = YEAR.starts) -> None:
    """A self-cost list of every municipality, in two editions, and the national list with and without meals."""
    random = Random(SEED)
    programmes = list(Programme.objects.filter(kind__in=NATIONAL).order_by("code"))
    lists = [
        PriceList(
            kind=PriceKind.SELF_COST, municipality=municipality, year=year, number=number,
            title=f"Självkostnad {municipality.code}", incl_meals=True, incl_vat=False,
        )
        for municipality in Municipality.objects.order_by("code")
        for number in (1, 2)
    ]  # fmt: skip
    lists += [
        PriceList(kind=PriceKind.NATIONAL_LIST, year=year, title="Riksprislistan", incl_meals=meals, incl_vat=True)
        for meals in (True, False)
    ]
    PriceList.objects.bulk_create(lists)
    PriceRow.objects.bulk_create(
        (
            PriceRow(
                price_list=price_list,
                programme=programme,
                sek_per_pupil_year=Decimal(random.randrange(8_000_000, 22_000_000)) / 100,
            )
            for price_list in lists
            for programme in programmes
        ),
        batch_size=BATCH,
    )


def load_flows() -> int:
    """Flows between municipalities until there are FLOWS rows in all; how many they are."""
    there = PupilFlow.objects.count()
    rows = _flows()
    while there < FLOWS:
        made = PupilFlow.objects.bulk_create(islice(rows, min(BATCH, FLOWS - there)), ignore_conflicts=True)
        if not made:
            break
        there = PupilFlow.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return there


def _flows() -> Iterator[PupilFlow]:
    """The same every time: first between neighbours by code, then ever farther apart."""
    random = Random(SEED)
    programmes = list(Programme.objects.for_intake(YEAR).filter(kind__in=NATIONAL).order_by("code"))
    places = list(Municipality.objects.order_by("code"))
    pairs = sorted(permutations(range(len(places)), 2), key=lambda pair: (abs(pair[0] - pair[1]), pair))
    for home, other in pairs:
        for programme in random.sample(programmes, min(PROGRAMMES_OF_A_PAIR, len(programmes))):
            for year in YEARS:
                for semester in SemesterKind.values:
                    yield PupilFlow(
                        home=places[home],
                        provider_municipality=places[other],
                        programme=programme,
                        school_year=year,
                        semester=semester,
                        pupils=random.randrange(1, 40),
                    )


def measure_compensation() -> None:
    """Time a pair, made for the first time and anew, and an area of 26 from the order to the last pair."""
    config = setup_databases(verbosity=0, interactive=False)
    try:
        cast = load(MUNICIPALITIES)
        load_prices()
        flows = load_flows()
        print(f"\nStatements of compensation, base of {MUNICIPALITIES} municipalities and {flows} flow rows")
        print(f"{'':<34} {'pairs':>6} {'lines':>6} {'seconds':>8} {'SQL':>6}")
        _pairs(cast[26])
        _area(cast[26])
    finally:
        teardown_databases(config, verbosity=0)


def _home_of(user: User) -> Municipality:
    return Municipality.objects.get(pk__in=user.bodies_where(RoleKind.ADMINISTRATOR))


def _pairs(user: User) -> None:
    home = _home_of(user)
    body = home.body
    area = home.memberships.get().area
    members = Membership.objects.filter(area=area).exclude(municipality=home).select_related("municipality")
    others = [member.municipality for member in members.order_by("position")][:PAIRS_TIMED]
    for told in ("a pair, made", "a pair, made anew"):
        slowest, queries = 0.0, 0
        for other in others:
            with CaptureQueriesContext(connection) as captured:
                start = perf_counter()
                statement = make_statement(home, other, YEAR, SEMESTER, by=user, on_behalf_of=body)
                slowest = max(slowest, perf_counter() - start)
            queries = max(queries, len(captured))
        print(f"{told + ', the slowest':<34} {1:6} {statement.lines.count():6} {slowest:8.3f} {queries:6}")
        if slowest > MOST_SECONDS_A_PAIR:
            raise SystemExit(f"A pair took {slowest:.2f} s; the aim is at most {MOST_SECONDS_A_PAIR} s.")


def _area(user: User) -> None:
    home = _home_of(user)
    area = home.memberships.get().area
    start = perf_counter()
    order_statements(area, YEAR, SEMESTER, by=user, on_behalf_of=home.body)
    ordered_s = perf_counter() - start
    work_off_jobs()
    done_s = perf_counter() - start
    job = Job.objects.get(kind=STATEMENTS)
    if job.state != JobState.DONE:
        raise SystemExit(f"The statements were not made: {job.error}")
    statements = Statement.objects.filter(school_year=YEAR, semester=SEMESTER)
    lines = sum(statement.lines.count() for statement in statements)
    print(f"{'the order':<34} {'':6} {'':6} {ordered_s:8.3f}")
    print(f"{'an area of 26, by the job':<34} {statements.count():6} {lines:6} {done_s:8.1f}")
