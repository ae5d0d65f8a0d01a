"""What the schools of the national data set offer and where pupils go: three school years, the same in every area."""

from itertools import permutations

from collab4m.school_year import SchoolYear
from organisations.models import Municipality, School, SemesterKind
from organisations.operations import load_reference
from programmes.models import Offering, OfferingReport, Orientation, Programme, PupilFlow
from programmes.operations import NATIONAL
from programmes.operations.reference import REFERENCE, TABLES

YEARS = [SchoolYear(starts) for starts in (2020, 2021, 2022)]
PROGRAMMES_AT_A_SCHOOL = 9
FLOWS_TO_A_NEIGHBOUR = 6


def load_catalogue() -> None:
    """The real programmes, orientations and successions."""
    tables = [table for table in TABLES if table.file != "offering_facts"]
    load_reference(REFERENCE, tables, history=False)


def load_offers(members: list[Municipality]) -> None:
    """Reports of all schools of an area's members but one in seven, which is silent, and flows between all members.

    Everything follows from a member's place in the area and a school's in its municipality.
    """
    for year in YEARS:
        programmes = list(Programme.objects.for_intake(year).filter(kind__in=NATIONAL).order_by("code"))
        orientations = list(Orientation.objects.for_intake(year).order_by("pk"))
        reports, offerings = [], []
        for place, municipality in enumerate(members):
            for nth, school in enumerate(municipality.schools.select_related("provider").order_by("pk")):
                if (place + nth) % 7 == 6:
                    continue
                report = _report(school, year, complete=(place + nth) % 5 != 4)
                reports.append(report)
                for step in range(PROGRAMMES_AT_A_SCHOOL):
                    programme = programmes[(5 * place + 4 * nth + 2 * step) % len(programmes)]
                    offerings += _intakes(report, programme, orientations)
        OfferingReport.objects.bulk_create(reports)
        Offering.objects.bulk_create(offerings)
        PupilFlow.objects.bulk_create(
            PupilFlow(
                home=home,
                provider_municipality=other,
                programme=programmes[(3 * nth + place) % len(programmes)],
                school_year=year,
                semester=semester,
                pupils=nth * 7 % 23,
            )
            for (place, home), (_place, other) in permutations(enumerate(members), 2)
            for nth in range(FLOWS_TO_A_NEIGHBOUR)
            for semester in SemesterKind.values
        )


def _report(school: School, year: SchoolYear, *, complete: bool) -> OfferingReport:
    return OfferingReport(
        school=school,
        provider=school.provider,
        school_year=year,
        complete=complete,
        on_behalf_of=school.municipality.body,
    )


def _intakes(report: OfferingReport, programme: Programme, orientations: list[Orientation]) -> list[Offering]:
    """The programme as a whole where it has no orientations, else all of those but the last, with figures."""
    figures = {"seats": 32, "first_choice_applicants": 35, "admitted": 32}
    parts = [one for one in orientations if one.programme_id == programme.pk]
    if not parts:
        return [Offering(report=report, programme=programme, **figures)]
    return [Offering(report=report, programme=programme, orientation=one, **figures) for one in parts[:-1] or parts]
