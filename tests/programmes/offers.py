"""Schools that say what they offer, for tests that need no real programmes."""

from organisations.models import Municipality, Provider, School
from programmes.models import OfferingReport, Orientation, Programme
from tests.factories import OfferingFactory, OfferingReportFactory, ProviderFactory, SchoolFactory


def own_school(municipality: Municipality, **facts) -> School:
    """A school that the municipality runs."""
    provider = Provider.objects.filter(municipality=municipality).first()
    provider = provider or ProviderFactory(kind="municipal", municipality=municipality)
    return SchoolFactory(municipality=municipality, provider=provider, **facts)


def independent_school(municipality: Municipality, **facts) -> School:
    return SchoolFactory(municipality=municipality, provider=ProviderFactory(kind="independent"), **facts)


def report(school: School, *offered: Programme | Orientation, denied=(), complete=True, **facts) -> OfferingReport:
    """A school's report of 2022/23: what it offers, and what it says that it does not."""
    made = OfferingReportFactory(school=school, complete=complete, provider=school.provider, **facts)
    for what in offered:
        say(made, what)
    for what in denied:
        say(made, what, offered=False)
    return made


def say(report: OfferingReport, what: Programme | Orientation, **facts) -> None:
    if isinstance(what, Orientation):
        OfferingFactory(report=report, programme=what.programme, orientation=what, **facts)
    else:
        OfferingFactory(report=report, programme=what, **facts)
