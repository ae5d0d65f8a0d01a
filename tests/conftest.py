"""The cast, met by every endpoint: owner may decide, asker may see, outsider may not know, and one with two homes.

And what they book: a van of the neighbour's that is lent at once.
"""

import io
from datetime import timedelta

import pgtrigger
import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, transaction
from django.test import TransactionTestCase
from django.utils import translation
from django.utils.timezone import localtime
from hypothesis import HealthCheck, settings

from collab4m.clock import now
from organisations.models import RoleKind, User
from records import storage
from records.models import Attachment
from tests.factories import (
    AreaFactory,
    CategoryFactory,
    MembershipFactory,
    MunicipalityFactory,
    ResourceFactory,
    RoleFactory,
    SchoolFactory,
    UserFactory,
)

GROWN = 500_000  # bytes: so full of dead rows, also of tests that rolled back, that reading it takes long
KEPT = ("django_migrations", "django_content_type", "auth_permission")  # what migrating made


def filled_tables(cursor, size=0):
    """The tables with rows, also of transactions that are still open, and some that have had rows lately."""
    cursor.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND pg_relation_size(oid) > %s AND relname <> ALL (%s) ORDER BY oid",
        [size, list(KEPT)],
    )
    return [name for (name,) in cursor.fetchall()]


def empty_the_filled_tables(_case):
    """Leave no row behind. Django truncates every table, which takes long, and makes content types anew."""
    with transaction.atomic(), pgtrigger.ignore(), connection.cursor() as cursor:
        if grown := filled_tables(cursor, GROWN):
            cursor.execute(f"TRUNCATE {', '.join(grown)} CASCADE")
        if tables := filled_tables(cursor):
            # Waits, as truncating would, for what a browser's last request or a rival's thread still writes.
            cursor.execute(f"LOCK TABLE {', '.join(tables)} IN EXCLUSIVE MODE")
            cursor.execute("; ".join(f"DELETE FROM {table}" for table in tables))


TransactionTestCase._fixture_teardown = empty_the_filled_tables

# A busy machine makes no example wrong; and the same examples each time: a run that fails can be run again.
settings.register_profile(
    "patient", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def swedish():
    """Every test begins in Swedish: the language of an earlier test's last request stays with the thread."""
    translation.activate("sv")


@pytest.fixture(autouse=True)
def warm_content_types(request):
    """Queries are counted as in a process that has served pages before: Django keeps content types from then on."""
    if "django_assert_num_queries" in request.fixturenames:
        request.getfixturevalue("db")
        ContentType.objects.get_for_models(*apps.get_models())


@pytest.fixture
def area(db):
    return AreaFactory(name="Fyra Mälarstäder", short_name="4M", slug="4m")


@pytest.fixture
def home(area):
    """The municipality of `owner`."""
    return MembershipFactory(
        area=area, municipality=MunicipalityFactory(name="Enköping", code="0381"), mark="En"
    ).municipality


@pytest.fixture
def neighbour(area):
    """The municipality of `asker`, in the same area."""
    return MembershipFactory(
        area=area, municipality=MunicipalityFactory(name="Västerås", code="1980"), mark="V"
    ).municipality


@pytest.fixture
def elsewhere(db):
    """A municipality in another area."""
    return MembershipFactory(municipality=MunicipalityFactory(name="Gävle", code="2180")).municipality


@pytest.fixture
def school(home):
    return SchoolFactory(name="Westerlundska gymnasiet", municipality=home)


@pytest.fixture
def owner(home) -> User:
    return RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body).user


@pytest.fixture
def asker(neighbour) -> User:
    return RoleFactory(kind=RoleKind.ADMINISTRATOR, body=neighbour.body).user


@pytest.fixture
def outsider(elsewhere) -> User:
    return RoleFactory(kind=RoleKind.ADMINISTRATOR, body=elsewhere.body).user


@pytest.fixture
def two_homes(home, neighbour) -> User:
    user = UserFactory()
    RoleFactory(user=user, kind=RoleKind.ADMINISTRATOR, body=home.body)
    RoleFactory(user=user, kind=RoleKind.ADMINISTRATOR, body=neighbour.body)
    return user


@pytest.fixture
def principal(school) -> User:
    return RoleFactory(kind=RoleKind.PRINCIPAL, body=school.body).user


@pytest.fixture
def committee(home) -> User:
    return RoleFactory(kind=RoleKind.COMMITTEE, body=home.body).user


@pytest.fixture
def council_member(area) -> User:
    return RoleFactory(kind=RoleKind.COUNCIL_MEMBER, area=area).user


@pytest.fixture
def system_administrator(db) -> User:
    return RoleFactory(kind=RoleKind.SYSTEM_ADMINISTRATOR).user


@pytest.fixture
def roleless(db) -> User:
    return UserFactory()


@pytest.fixture
def at():
    """A moment a week from now, at an hour of a day: at(9), at(9, day=1)."""
    midnight = localtime(now()).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=7)

    def moment(hour, day=0, minute=0):
        return midnight + timedelta(days=day, hours=hour, minutes=minute)

    return moment


@pytest.fixture
def buses(db):
    return CategoryFactory(name_sv="Minibuss", slug="minibuss")


@pytest.fixture
def van(neighbour, buses, asker, owner):
    return ResourceFactory(name="Minibuss A", municipality=neighbour, category=buses, capacity=9)


@pytest.fixture(scope="session")
def as_demonstrated(django_db_setup, django_db_blocker):
    """Reference facts and demonstration, loaded once for the whole run: the rows of each table, and the files."""
    rows = {}
    with django_db_blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
        call_command("load_reference")
        call_command("load_demo")
        for table in filled_tables(cursor):
            rows[table] = io.StringIO()
            cursor.copy_expert(f"COPY {table} TO STDOUT", rows[table])
        files = [storage.read(digest) for digest in Attachment.objects.values_list("sha256", flat=True)]
        transaction.set_rollback(True)
    return rows, files


@pytest.fixture
def demonstration(as_demonstrated, db):
    """Reference facts and demonstration, put in as rows in a fraction of the time that loading them takes."""
    rows, files = as_demonstrated
    with pgtrigger.ignore(), connection.cursor() as cursor:  # what the triggers wrote is among the rows
        cursor.execute("SELECT")  # tells the server which triggers to ignore, as COPY by itself does not
        for table, lines in rows.items():
            lines.seek(0)
            cursor.copy_expert(f"COPY {table} FROM STDIN", lines)
    for file in files:  # a test may have removed them
        storage.keep(file)
