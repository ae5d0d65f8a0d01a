"""The demonstration's resources: what there is to look at, marked, and gone without a trace."""

from datetime import date, time, timedelta

import pytest

from collab4m.clock import today
from organisations.models import Municipality
from resources.demo import load_demo, remove_demo
from resources.models import Blocking, Booking, Claim, Feature, RequestState, Resource, Series, Waiting
from resources.operations import Need, local, open_spans, search_resources
from tests.organisations.test_demo import everything, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(demonstration, db):
    """The demonstration, as the module has loaded it; what a test changes is undone after it."""


def resource(name):
    return Resource.objects.get(name=f"{name} (exempel)")


def test_all_is_marked_and_of_every_town(demo):
    assert set(Resource.objects.values_list("example", flat=True)) == {True}
    assert set(Booking.objects.values_list("example", flat=True)) == {True}
    assert all(one.name.endswith("(exempel)") for one in Resource.objects.all())
    assert set(Resource.objects.values_list("municipality__name", flat=True)) == {
        "Enköping", "Eskilstuna", "Strängnäs", "Västerås",
    }  # fmt: skip
    assert set(Resource.objects.values_list("kind", flat=True)) == {"vehicle", "premises", "equipment"}


def test_the_minibus_of_strangnas_is_lent_at_once_on_every_day(demo):
    bus = resource("Minibuss A")

    assert (bus.owner, bus.capacity, bus.approval, bus.askers) == (
        Municipality.objects.get(name="Strängnäs").body, 9, "automatic", "area",
    )  # fmt: skip
    assert [feature.name_sv for feature in bus.features.all()] == ["Dragkrok"]
    christmas = date(2026, 12, 25)
    assert open_spans(bus.open_rules.all(), [], christmas, christmas) == [
        (local(christmas, time(0)), local(date(2026, 12, 26), time(0)))
    ]


def test_a_hall_has_its_halves_a_kit_its_items_and_a_pool_its_pieces(demo):
    halves = {*resource("Sporthall, norra halvan").units.all(), *resource("Sporthall, södra halvan").units.all()}

    assert set(resource("Sporthall").units.all()) == halves
    assert len(halves) == 2
    assert resource("Filmpaket").units.count() == 4
    assert [str(unit) for unit in resource("Surfplattor").units.order_by("pk")][::29] == ["iPad 1", "iPad 30"]


def test_there_is_something_in_every_state(demo):
    states = set(Booking.objects.values_list("request_state", flat=True))

    assert states == {
        RequestState.APPROVED, RequestState.REQUESTED, RequestState.INFO_NEEDED, RequestState.DECLINED,
    }  # fmt: skip
    assert (Blocking.objects.count(), Waiting.objects.count(), Series.objects.count()) == (1, 1, 1)
    assert not resource("Lastbil med släp").bookings.filter(request_state="requested", claims__isnull=False).exists()
    assert Claim.objects.exists()


def test_a_minibus_with_a_tow_bar_on_three_tuesdays_is_found_in_several_towns(demo):
    tuesdays = [day for day in _coming(28) if day.isoweekday() == 2][:3]
    need = Need(
        capacity=9,
        features=[Feature.objects.get(slug="dragkrok")],
        times=tuple((local(day, time(9)), local(day, time(14))) for day in tuesdays),
        from_municipality=Municipality.objects.get(name="Strängnäs"),
    )

    found = search_resources(person("rektor.strangnas"), need)

    assert (found[0].pk, found[0].fits) == (resource("Minibuss A").pk, True)
    towns = Resource.objects.filter(pk__in=[one.pk for one in found]).values_list("municipality__name", flat=True)
    assert set(towns) == {"Strängnäs", "Eskilstuna", "Västerås"}


def _coming(days):
    first = today() + timedelta(days=1)
    return [first + timedelta(days=step) for step in range(days)]


def test_it_can_be_loaded_on_any_day_of_the_week(demo, monkeypatch):
    alone = Booking.objects.filter(series=None)
    number = alone.count()

    for days in range(1, 7):
        remove_demo()
        monkeypatch.setattr("resources.demo.today", lambda days=days: today() + timedelta(days=days))
        load_demo()
        assert alone.count() == number


def test_load_demo_a_second_time_adds_nothing(demo):
    before = everything()

    assert load_demo() == 0

    assert everything() == before
