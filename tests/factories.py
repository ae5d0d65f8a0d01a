"""Rows for tests. Factories hold no surprises; a situation gets a named trait."""

from datetime import date

import factory
from factory.django import DjangoModelFactory

from agreements.models import PriceList, PriceRow
from collab4m.school_year import SchoolYear
from organisations.models import Board, CollaborationArea, Membership, Municipality, Provider, Role, School, Site, User
from programmes.models import Offering, OfferingReport, Orientation, Programme, PupilFlow, Succession
from records.models import Part, span
from reports.models import Report
from resources.models import Category, Resource, ResourceUnit, Unit
from resources.operations import open_up
from tests.writing.models import Paper


class AreaFactory(DjangoModelFactory):
    class Meta:
        model = CollaborationArea

    slug = factory.Sequence(lambda n: f"omrade-{n}")
    name = factory.Sequence(lambda n: f"Område {n}")
    short_name = factory.Sequence(lambda n: f"O{n}")


class MunicipalityFactory(DjangoModelFactory):
    class Meta:
        model = Municipality

    code = factory.Sequence(lambda n: f"{3000 + n % 7000}")  # above every real code, which tests use by name
    name = factory.Sequence(lambda n: f"Kommun {n}")
    full_name = factory.LazyAttribute(lambda m: f"{m.name}s kommun")


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    area = factory.SubFactory(AreaFactory)
    municipality = factory.SubFactory(MunicipalityFactory)
    position = factory.Sequence(lambda n: n + 1)
    mark = factory.LazyAttribute(lambda m: m.municipality.name[:2])


class ProviderFactory(DjangoModelFactory):
    class Meta:
        model = Provider

    name = factory.Sequence(lambda n: f"Huvudman {n}")


class SchoolFactory(DjangoModelFactory):
    class Meta:
        model = School

    name = factory.Sequence(lambda n: f"Skola {n}")
    municipality = factory.SubFactory(MunicipalityFactory)


class SiteFactory(DjangoModelFactory):
    class Meta:
        model = Site

    name = factory.Sequence(lambda n: f"Plats {n}")
    municipality = factory.SubFactory(MunicipalityFactory)


class BoardFactory(DjangoModelFactory):
    class Meta:
        model = Board

    name = factory.Sequence(lambda n: f"Nämnd {n}")
    municipality = factory.SubFactory(MunicipalityFactory)


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@kommun.example")
    name = factory.Sequence(lambda n: f"Handläggare {n}")
    password = factory.django.Password("fyra-malarstader")


class RoleFactory(DjangoModelFactory):
    class Meta:
        model = Role

    user = factory.SubFactory(UserFactory)
    kind = "administrator"
    valid = factory.LazyFunction(lambda: span(date(2022, 7, 1), None))


class ProgrammeFactory(DjangoModelFactory):
    class Meta:
        model = Programme

    code = factory.Sequence(lambda n: f"PR{n}")
    name_sv = factory.LazyAttribute(lambda p: f"Program {p.code}")
    kind = "vocational"
    curriculum = "gy11"
    family = factory.LazyAttribute(lambda p: p.code)


class OrientationFactory(DjangoModelFactory):
    class Meta:
        model = Orientation

    programme = factory.SubFactory(ProgrammeFactory)
    name_sv = factory.Sequence(lambda n: f"Inriktning {n}")


class SuccessionFactory(DjangoModelFactory):
    class Meta:
        model = Succession

    kind = "replaced"


class OfferingReportFactory(DjangoModelFactory):
    class Meta:
        model = OfferingReport

    school = factory.SubFactory(SchoolFactory)
    school_year = SchoolYear(2022)


class OfferingFactory(DjangoModelFactory):
    class Meta:
        model = Offering

    report = factory.SubFactory(OfferingReportFactory)
    programme = factory.SubFactory(ProgrammeFactory)


class PupilFlowFactory(DjangoModelFactory):
    class Meta:
        model = PupilFlow

    home = factory.SubFactory(MunicipalityFactory)
    provider_municipality = factory.SubFactory(MunicipalityFactory)
    programme = factory.SubFactory(ProgrammeFactory)
    school_year = SchoolYear(2022)
    semester = "HT"
    pupils = 20


class PaperFactory(DjangoModelFactory):
    class Meta:
        model = Paper

    area = factory.SubFactory(AreaFactory)
    title = "Återredovisning"


class PartFactory(DjangoModelFactory):
    class Meta:
        model = Part

    subject = factory.SubFactory(PaperFactory)
    key = factory.Sequence(lambda n: f"del-{n}")
    heading = "Sammanfattning"


class ReportFactory(DjangoModelFactory):
    class Meta:
        model = Report

    area = factory.SubFactory(AreaFactory)
    title = factory.Sequence(lambda n: f"Återredovisning {n}")
    school_year = SchoolYear(2022)
    due = date(2022, 9, 1)


class PriceListFactory(DjangoModelFactory):
    """The national list of 2022; of a municipality with `kind` and `municipality`."""

    class Meta:
        model = PriceList

    kind = "national_list"
    year = 2022
    title = factory.Sequence(lambda n: f"Prislista {n}")


class PriceRowFactory(DjangoModelFactory):
    class Meta:
        model = PriceRow

    price_list = factory.SubFactory(PriceListFactory)
    programme = factory.SubFactory(ProgrammeFactory)
    sek_per_pupil_year = 100_000


class CategoryFactory(DjangoModelFactory):
    class Meta:
        model = Category

    name_sv = factory.Sequence(lambda n: f"Kategori {n}")
    slug = factory.Sequence(lambda n: f"kategori-{n}")
    kind = "vehicle"


class ResourceFactory(DjangoModelFactory):
    """A resource of a municipality that is never closed, with one unit of its own unless `units` are handed in."""

    class Meta:
        model = Resource
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Resurs {n}")
    owner = factory.LazyAttribute(lambda r: r.municipality.body)
    municipality = factory.SubFactory(MunicipalityFactory)
    category = factory.SubFactory(CategoryFactory)
    kind = factory.LazyAttribute(lambda r: r.category.kind)
    approval = "automatic"

    @factory.post_generation
    def units(self, create, units, **kwargs):
        for unit in units or [Unit.objects.create(owner=self.owner, name=self.name)]:
            ResourceUnit.objects.create(resource=self, unit=unit)
        open_up(self)
