"""What is taught where, for programs: the catalogue, the offer and its reports, pupil flows and gaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import django_filters
from django.core.exceptions import ValidationError as NotValid
from django.db.models import Prefetch, Q, QuerySet
from django.forms import CharField
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from collab4m.access import get_visible, require
from collab4m.school_year import SchoolYear
from organisations.api import (
    DATED,
    FACT,
    DatedSerializer,
    DirectoryFilter,
    DirectoryViewSet,
    FactSerializer,
    IdField,
    Input,
    MunicipalityRef,
    ProviderRef,
    caller,
    cleaned,
    within_reason,
)
from organisations.models import Body, Membership, Municipality, School, SemesterKind
from organisations.operations import acting_body
from programmes.models import (
    FIGURES,
    Answer,
    Curriculum,
    Offering,
    OfferingFact,
    OfferingReport,
    Orientation,
    Programme,
    ProgrammeKind,
    PupilFlow,
    Succession,
    SuccessionKind,
)
from programmes.operations import (
    NATIONAL,
    Cell,
    Count,
    Gap,
    GapState,
    Intake,
    IntakeRefused,
    NotYourFlow,
    ReportedMeanwhile,
    SchoolOffer,
    gaps_of,
    intakes_of,
    report_flow,
    report_offering,
    seen_of_report,
)

MOST_ROWS = 1000  # of a report: several times the whole catalogue
MOST_PUPILS = 100_000


def year_of(text: str) -> SchoolYear:
    """The school year that is written "2022/23". Raises ValueError for anything else."""
    year = SchoolYear.parse(text)
    if not 2000 <= year.starts <= 2100:
        raise ValueError(text)
    return year


YEAR_WANTED = _("Write the school year as 2022/23.")


@extend_schema_field({"type": "string", "pattern": "^[0-9]{4}/[0-9]{2}$", "example": "2022/23"})
class SchoolYearText(serializers.CharField):
    """A school year as "2022/23"."""

    def to_internal_value(self, data: Any) -> SchoolYear:  # type: ignore[override]
        try:
            return year_of(super().to_internal_value(data))
        except ValueError:
            raise ValidationError(YEAR_WANTED) from None

    def to_representation(self, value: SchoolYear) -> str:  # type: ignore[override]
        return str(value)


# What comes out


class ProgrammeRef(serializers.ModelSerializer[Programme]):
    class Meta:
        model = Programme
        fields = ("id", "code", "name_sv")


class OrientationRef(serializers.ModelSerializer[Orientation]):
    class Meta:
        model = Orientation
        fields = ("id", "code", "name_sv")


class SchoolRef(serializers.ModelSerializer[School]):
    class Meta:
        model = School
        fields = ("id", "name")


class BodyRef(serializers.ModelSerializer[Body]):
    class Meta:
        model = Body
        fields = ("id", "kind", "name")


class ProgrammeSerializer(DatedSerializer):
    """`last_day` is the last day for new starts; `family` the key under which statistics count it through changes."""

    orientations = OrientationRef(many=True, read_only=True)

    class Meta:
        model = Programme
        fields = (
            "id", "code", "name_sv", "name_en", "kind", "curriculum", "family", "outcome_sv", "outcome_en",
            "orientations", *DATED,
        )  # fmt: skip


class OrientationSerializer(DatedSerializer):
    programme = ProgrammeRef(read_only=True)

    class Meta:
        model = Orientation
        fields = ("id", "code", "name_sv", "name_en", "programme", *DATED)


class OrientationWithProgramme(OrientationRef):
    programme = ProgrammeRef(read_only=True)

    class Meta(OrientationRef.Meta):
        fields = (*OrientationRef.Meta.fields, "programme")  # type: ignore[assignment]


class SuccessionSerializer(FactSerializer):
    """What came after a programme or an orientation: one of the two on either side, the other null."""

    from_programme = ProgrammeRef(read_only=True, allow_null=True)
    from_orientation = OrientationWithProgramme(read_only=True, allow_null=True)
    to_programme = ProgrammeRef(read_only=True, allow_null=True)
    to_orientation = OrientationWithProgramme(read_only=True, allow_null=True)

    class Meta:
        model = Succession
        fields = (
            "id", "kind", "from_programme", "from_orientation", "to_programme", "to_orientation", "since", *FACT,
        )  # fmt: skip


class IntakeSerializer(FactSerializer):
    """What a report says of a programme as a whole (`orientation` null) or of one of its orientations."""

    programme = ProgrammeRef(read_only=True)
    orientation = OrientationRef(read_only=True, allow_null=True)

    class Meta:
        model = Offering
        fields: tuple[str, ...] = ("id", "programme", "orientation", "offered", *FIGURES, "as_of", *FACT)


class OfferingSerializer(IntakeSerializer):
    school_year = SchoolYearText(source="report.school_year", read_only=True)
    municipality = MunicipalityRef(source="report.school.municipality", read_only=True, allow_null=True)
    school = SchoolRef(source="report.school", read_only=True, allow_null=True)

    class Meta(IntakeSerializer.Meta):
        fields = ("report", "school_year", "municipality", "school", *IntakeSerializer.Meta.fields)


class OfferingReportSerializer(FactSerializer):
    """A school's word on its offer in a school year; without a school, a provider's word that it runs none."""

    school_year = SchoolYearText(read_only=True)
    municipality = MunicipalityRef(read_only=True, allow_null=True)
    school = SchoolRef(read_only=True, allow_null=True)
    provider = ProviderRef(read_only=True, allow_null=True)
    on_behalf_of = BodyRef(read_only=True, allow_null=True)
    seen = serializers.SerializerMethodField(help_text="Send it back when you replace the report.")
    offerings = IntakeSerializer(many=True, read_only=True)

    class Meta:
        model = OfferingReport
        fields = (
            "id", "school_year", "municipality", "school", "provider", "complete", "reported_at", "on_behalf_of",
            "seen", "offerings", *FACT,
        )  # fmt: skip

    def get_seen(self, report: OfferingReport) -> str:
        rows = [Intake.of(offering) for offering in report.offerings.all()]
        return seen_of_report(report, {row.key: row for row in rows})


class ReportedMeanwhileSerializer(serializers.Serializer[Any]):
    """A rule says no. `stands` is the report as it is now, when others have saved it since `seen`."""

    code = serializers.CharField()
    detail = serializers.CharField()
    fields = serializers.DictField(  # type: ignore[assignment]  # the name of every error's third part
        child=serializers.ListField(child=serializers.CharField())
    )
    stands = OfferingReportSerializer(required=False)


class OfferingFactSerializer(FactSerializer):
    """What an open source says was offered. It stands beside the reports and is never counted with them."""

    municipality = MunicipalityRef(read_only=True)
    school = SchoolRef(read_only=True, allow_null=True)
    programme = ProgrammeRef(read_only=True)
    orientation = OrientationRef(read_only=True, allow_null=True)

    class Meta:
        model = OfferingFact
        fields = ("id", "municipality", "school", "programme", "orientation", "year", "offered", *FACT)


class PupilFlowSerializer(FactSerializer):
    """How many pupils of `home` study the programme in `provider_municipality`."""

    home = MunicipalityRef(read_only=True)
    provider_municipality = MunicipalityRef(read_only=True)
    programme = ProgrammeRef(read_only=True)
    school_year = SchoolYearText(read_only=True)
    pupils = serializers.SerializerMethodField(help_text="Null where you may not see it.")
    masked = serializers.SerializerMethodField(help_text="Whether the number is hidden from you: it is under five.")

    class Meta:
        model = PupilFlow
        fields = (
            "id", "home", "provider_municipality", "programme", "school_year", "semester", "pupils", "masked", *FACT,
        )  # fmt: skip

    def get_pupils(self, flow: PupilFlow) -> int | None:
        return flow.shown_to(self.context["request"].user)

    def get_masked(self, flow: PupilFlow) -> bool:
        return self.get_pupils(flow) is None


class GroundSerializer(FactSerializer):
    """What an answer rests on: a report, or the last that an open source says where nobody has reported."""

    reported_at = serializers.DateTimeField(
        read_only=True, allow_null=True, default=None, help_text="Null for what is from an open source."
    )

    class Meta:
        model = OfferingReport
        fields = ("reported_at", *FACT)


class CellSerializer(serializers.Serializer[Cell]):
    answer = serializers.ChoiceField(Answer.choices)
    last_known = OfferingFactSerializer(
        source="fact", allow_null=True, help_text="What an open source last said, where nobody has answered."
    )
    sources = GroundSerializer(source="grounds", many=True)


class GapOfferSerializer(serializers.Serializer[Any]):
    """A school that offers what is missing. Figures that are added up over orientations say so."""

    municipality = MunicipalityRef()
    school = SchoolRef(source="school.school")
    provider = ProviderRef(source="school.school.provider", allow_null=True)
    seats = serializers.IntegerField(source="cell.figures.seats", allow_null=True)
    first_choice_applicants = serializers.IntegerField(source="cell.figures.first_choice_applicants", allow_null=True)
    admitted = serializers.IntegerField(source="cell.figures.admitted", allow_null=True)
    workplace_learning_capacity = serializers.IntegerField(
        source="cell.figures.workplace_learning_capacity", allow_null=True
    )
    added_up = serializers.BooleanField(source="cell.figures.is_sum")
    travel_minutes = serializers.IntegerField(
        allow_null=True, help_text="One way, by the shortest known way between the main towns."
    )
    travel_source = GroundSerializer(source="travel", allow_null=True)
    sources = GroundSerializer(source="cell.grounds", many=True)
    example = serializers.BooleanField(source="cell.example")


class WaitedForSerializer(serializers.Serializer[SchoolOffer]):
    id = serializers.IntegerField(source="school.pk")
    name = serializers.CharField(source="school.name")


class DemandSerializer(serializers.Serializer[Count]):
    """The municipality's own pupils who study the programme elsewhere, as the caller may see them."""

    pupils = serializers.IntegerField(source="number", allow_null=True, help_text="Null where a part is hidden.")
    at_least = serializers.IntegerField(source="least")
    masked = serializers.SerializerMethodField()

    def get_masked(self, count: Count) -> bool:
        return not count.is_whole


class GapSerializer(serializers.Serializer[Gap]):
    key = serializers.CharField(help_text="BA, or BA:17 for an orientation.")
    state = serializers.ChoiceField(GapState.choices)
    programme = ProgrammeRef()
    orientation = OrientationRef(allow_null=True, help_text="Null when the whole programme is missing.")
    own = CellSerializer(help_text="What the municipality's own schools say together.")
    offers = GapOfferSerializer(many=True, help_text="Schools with a public provider that offer it.")
    beside = GapOfferSerializer(many=True, help_text="Independent schools that offer it.")
    silent = MunicipalityRef(many=True, help_text="The municipalities that have not answered.")
    waits_for = WaitedForSerializer(many=True, help_text="Their schools whose answers are missing.")
    demand = serializers.SerializerMethodField(help_text="Null when nobody has said, and for orientations.")
    example = serializers.BooleanField()

    @extend_schema_field(DemandSerializer(allow_null=True))
    def get_demand(self, gap: Gap) -> Any:
        return DemandSerializer(gap.demand).data if gap.demand.parts else None


# What goes in


@extend_schema_field({"type": ["integer", "string"], "maxLength": 10})
class OrientationName(serializers.Field[Any, Any, Any, Any]):
    """An orientation by its code, or by its id where it has none."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": _("Write the orientation's code, or its id.")}

    def to_internal_value(self, data: Any) -> int | str:
        if isinstance(data, bool) or not isinstance(data, int | str):
            self.fail("invalid")
        return data


def figure() -> serializers.IntegerField:
    return serializers.IntegerField(min_value=0, max_value=32767, required=False, allow_null=True)


class IntakeInput(serializers.Serializer[Any]):
    programme = serializers.CharField(max_length=10, help_text="The programme's code, such as BA.")
    orientation = OrientationName(
        required=False, allow_null=True, help_text="Its code or id; left out or null for the programme as a whole."
    )
    offered = serializers.BooleanField(default=True)
    seats = figure()
    first_choice_applicants = figure()
    admitted = figure()
    workplace_learning_capacity = figure()
    as_of = serializers.DateField(required=False, allow_null=True, validators=[within_reason])


class ReportPatch(Input):
    """What is left out stays as it is; `offerings` replaces all rows."""

    complete = serializers.BooleanField(required=False, help_text="This is the school's whole offer.")
    offerings = IntakeInput(many=True, required=False, max_length=MOST_ROWS)  # type: ignore[call-arg]  # of the list
    verified = serializers.BooleanField(required=False, help_text="Somebody has checked it.")
    seen = serializers.CharField(max_length=64, help_text="As the report that you read has it.")

    def validate_offerings(self, rows: list[dict[str, Any]]) -> list[Intake]:
        """The rows by id; what they name must be in the catalogue."""
        programmes = dict(Programme.objects.values_list("code", "pk"))
        orientations: dict[int | str, int] = {}
        for pk, code in Orientation.objects.values_list("pk", "code"):
            orientations[pk] = pk
            if code:
                orientations[code] = pk
        wrong: dict[int, dict[str, list[Any]]] = {}
        found = []
        for number, row in enumerate(rows):
            named, part = row.pop("programme"), row.pop("orientation", None)
            if named not in programmes:
                wrong.setdefault(number, {})["programme"] = [_("There is no programme with that code.")]
            if part is not None and part not in orientations:
                wrong.setdefault(number, {})["orientation"] = [_("There is no such orientation.")]
            if number not in wrong:
                found.append(Intake(programmes[named], orientations[part] if part is not None else None, **row))
        if wrong:
            raise ValidationError(wrong)  # type: ignore[arg-type]
        return found


class ReportChange(ReportPatch):
    complete = serializers.BooleanField(help_text="This is the school's whole offer.")
    offerings = IntakeInput(many=True, max_length=MOST_ROWS)  # type: ignore[call-arg]


class ReportInput(ReportChange):
    school = IdField(queryset=School.objects.select_related("municipality", "provider"))
    school_year = SchoolYearText()
    seen = None  # type: ignore[assignment]


def by_code(queryset: QuerySet[Any], help_text: str) -> serializers.SlugRelatedField[Any]:
    return serializers.SlugRelatedField(slug_field="code", queryset=queryset, help_text=help_text)


class FlowInput(Input):
    home = by_code(Municipality.objects.all(), "The municipality code, such as 1980.")
    provider_municipality = by_code(Municipality.objects.all(), "The code of the municipality where they study.")
    programme = by_code(Programme.objects.all(), "The programme's code, such as BA.")
    school_year = SchoolYearText()
    semester = serializers.ChoiceField(SemesterKind.choices)
    pupils = serializers.IntegerField(min_value=0, max_value=MOST_PUPILS)


KINDS: dict[str, Iterable[str]] = {
    "national": NATIONAL,
    **{kind.value: [kind] for kind in ProgrammeKind},
    "all": list(ProgrammeKind),
}


class GapQuery(serializers.Serializer[Any]):
    municipality = by_code(Municipality.objects.all(), "The municipality code, such as 1980.")
    school_year = SchoolYearText()
    kind = serializers.ChoiceField([*KINDS], default="national", help_text="Which kind of programmes.")


# Filters


class SchoolYearFormField(CharField):
    def clean(self, value: Any) -> SchoolYear | None:
        text = super().clean(value)
        try:
            return year_of(text) if text else None
        except ValueError:
            raise NotValid(YEAR_WANTED) from None


class SchoolYearFilter(django_filters.CharFilter):
    field_class = SchoolYearFormField


class CatalogueFilter(DirectoryFilter):
    school_year = django_filters.CharFilter(
        method="for_intake", label="Only what new pupils may begin on in this school year, such as 2022/23."
    )

    search_fields = ("name_sv", "name_en", "code")

    def for_intake(self, queryset: Any, name: str, text: str) -> Any:
        try:
            return queryset.for_intake(year_of(text))
        except ValueError:
            raise ValidationError({name: [YEAR_WANTED]}) from None


class ProgrammeFilter(CatalogueFilter):
    code = django_filters.CharFilter(label="Programme code.")
    kind = django_filters.ChoiceFilter(choices=ProgrammeKind.choices, label="Kind of programme.")
    curriculum = django_filters.ChoiceFilter(choices=Curriculum.choices, label="Curriculum.")
    family = django_filters.CharFilter(label="Key under which statistics count it.")


class OrientationFilter(CatalogueFilter):
    programme = django_filters.CharFilter(field_name="programme__code", label="Programme code.")


class SuccessionFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=SuccessionKind.choices, label="Kind of succession.")
    programme = django_filters.CharFilter(
        method="touching", label="Code of a programme: the steps to and from it and its orientations."
    )

    def touching(self, queryset: QuerySet[Any], _name: str, code: str) -> QuerySet[Any]:
        return queryset.filter(
            Q(from_programme__code=code)
            | Q(to_programme__code=code)
            | Q(from_orientation__programme__code=code)
            | Q(to_orientation__programme__code=code)
        )


class OfferFilter(django_filters.FilterSet):
    """Where and of what."""

    area = django_filters.CharFilter(method="in_area", label="Short name of an area the municipality is in today.")
    municipality = django_filters.CharFilter(method="in_municipality", label="Municipality code.")

    def in_area(self, queryset: QuerySet[Any], _name: str, slug: str) -> QuerySet[Any]:
        # Asked first, since the planner guesses badly how few they are when it gets the question within another.
        members = list(Membership.objects.on().filter(area__slug=slug).values_list("municipality", flat=True))
        return queryset.filter(self.where("municipality__in", members))

    def in_municipality(self, queryset: QuerySet[Any], _name: str, code: str) -> QuerySet[Any]:
        return queryset.filter(self.where("municipality__code", code))

    def where(self, path: str, value: Any) -> Q:
        return Q(**{path: value})


class OfferingFilter(OfferFilter):
    school = django_filters.NumberFilter(field_name="report__school", label="Id of the school.")
    school_year = SchoolYearFilter(field_name="report__school_year", label="School year, such as 2022/23.")
    programme = django_filters.CharFilter(field_name="programme__code", label="Programme code.")
    offered = django_filters.BooleanFilter(label="Whether it is offered.")

    def where(self, path: str, value: Any) -> Q:
        return Q(**{f"report__school__{path}": value})


class OfferingReportFilter(OfferFilter):
    school = django_filters.NumberFilter(label="Id of the school.")
    school_year = SchoolYearFilter(label="School year, such as 2022/23.")
    complete = django_filters.BooleanFilter(label="Whether it is the school's whole offer.")

    def where(self, path: str, value: Any) -> Q:
        """Of a school there, or of a provider there that runs no school."""
        return Q(**{f"school__{path}": value}) | Q(school=None, **{f"provider__{path}": value})


class OfferingFactFilter(OfferFilter):
    school = django_filters.NumberFilter(label="Id of the school.")
    programme = django_filters.CharFilter(field_name="programme__code", label="Programme code.")


class PupilFlowFilter(django_filters.FilterSet):
    """Never by the number of pupils: what is hidden must not be found by asking."""

    home = django_filters.CharFilter(field_name="home__code", label="Code of the home municipality.")
    provider_municipality = django_filters.CharFilter(
        field_name="provider_municipality__code", label="Code of the municipality where they study."
    )
    programme = django_filters.CharFilter(field_name="programme__code", label="Programme code.")
    school_year = SchoolYearFilter(label="School year, such as 2022/23.")
    semester = django_filters.ChoiceFilter(choices=SemesterKind.choices, label="Semester.")


# Viewsets


class ProgrammeViewSet(DirectoryViewSet):
    """Programmes of upper-secondary school, with their orientations."""

    queryset = Programme.objects.none()
    serializer_class = ProgrammeSerializer
    filterset_class = ProgrammeFilter
    ordering_fields: ClassVar[dict[str, str]] = {"name": "name_sv", "code": "code"}

    def rows(self) -> QuerySet[Any]:
        orientations = Orientation.objects.in_swedish_order()
        return Programme.objects.select_related("source").prefetch_related(Prefetch("orientations", orientations))


class OrientationViewSet(DirectoryViewSet):
    """Orientations of programmes."""

    queryset = Orientation.objects.none()
    serializer_class = OrientationSerializer
    filterset_class = OrientationFilter
    ordering_fields: ClassVar[dict[str, str]] = {"name": "name_sv", "code": "code"}

    def rows(self) -> QuerySet[Any]:
        return Orientation.objects.select_related("source", "programme")


class SuccessionViewSet(DirectoryViewSet):
    """What came after what: the steps of a graph without circles."""

    queryset = Succession.objects.none()
    serializer_class = SuccessionSerializer
    filterset_class = SuccessionFilter
    ordering = "since"
    ordering_fields: ClassVar[dict[str, str]] = {"since": "since"}

    def rows(self) -> QuerySet[Any]:
        return Succession.objects.select_related(
            "source", "from_programme", "to_programme", "from_orientation__programme", "to_orientation__programme"
        )


class OfferingViewSet(DirectoryViewSet):
    """What schools have reported that they offer, or do not. Figures sit at a programme or at its orientations."""

    queryset = Offering.objects.none()
    serializer_class = OfferingSerializer
    filterset_class = OfferingFilter
    ordering = "-report"
    ordering_fields: ClassVar[dict[str, str]] = {
        "report": "report_id",
        "school_year": "report__school_year",
        "school": "report__school__name",
        "programme": "programme__code",
    }

    def rows(self) -> QuerySet[Any]:
        return Offering.objects.select_related("source", "report__school__municipality", "programme", "orientation")


class OfferingReportViewSet(DirectoryViewSet):
    """Schools' reports of what they offer in a school year, with their rows."""

    queryset = OfferingReport.objects.none()
    serializer_class = OfferingReportSerializer
    filterset_class = OfferingReportFilter
    ordering = "-school_year"
    ordering_fields: ClassVar[dict[str, str]] = {
        "school_year": "school_year",
        "school": "school__name",
        "reported_at": "reported_at",
    }

    def rows(self) -> QuerySet[Any]:
        offerings = Offering.objects.select_related("source", "programme", "orientation")
        return OfferingReport.objects.select_related(
            "source", "school__municipality", "school__provider", "provider__municipality", "on_behalf_of"
        ).prefetch_related(Prefetch("offerings", offerings.order_by("programme__code", "orientation__code", "pk")))

    @extend_schema(request=ReportInput, responses={201: OfferingReportSerializer, 409: ReportedMeanwhileSerializer})
    def create(self, request: Request) -> Response:
        """Report what a school offers in a school year. 409 if something else is reported already: replace that."""
        said = cleaned(ReportInput, request)
        school, year = said.pop("school"), said.pop("school_year")
        require(request.user, "programmes.report_offering", school)
        return self._report(request, school, year, said, seen=seen_of_report(None, {}), status=201)

    @extend_schema(request=ReportChange, responses={200: OfferingReportSerializer, 409: ReportedMeanwhileSerializer})
    def update(self, request: Request, pk: int) -> Response:
        """Replace a report. 409 with what stands if others have saved since you read it."""
        report = self._permitted(request, pk)
        return self._save(request, report, cleaned(ReportChange, request))

    @extend_schema(request=ReportPatch, responses={200: OfferingReportSerializer, 409: ReportedMeanwhileSerializer})
    def partial_update(self, request: Request, pk: int) -> Response:
        """Replace parts of a report. 409 with what stands if others have saved since you read it."""
        report = self._permitted(request, pk)
        stands = {
            "offerings": list(intakes_of(report).values()),
            "complete": report.complete,
            "source_note": report.source_note,
            "verified": report.verified,
        }
        return self._save(request, report, {**stands, **cleaned(ReportPatch, request)})

    def _permitted(self, request: Request, pk: int) -> OfferingReport:
        report: OfferingReport = get_visible(self.rows(), request.user, pk=pk)
        require(request.user, "programmes.report_offering", report.school)
        return report

    def _save(self, request: Request, report: OfferingReport, said: dict[str, Any]) -> Response:
        assert report.school  # without one nobody is permitted
        return self._report(request, report.school, report.school_year, said, seen=said.pop("seen"), status=200)

    def _report(
        self, request: Request, school: School, year: SchoolYear, said: dict[str, Any], *, seen: str, status: int
    ) -> Response:
        by = caller(request)
        try:
            report = report_offering(
                school,
                year,
                said["offerings"],
                complete=said["complete"],
                by=by,
                on_behalf_of=acting_body(by, school) or school.body,
                seen=seen,
                source_note=said.get("source_note", ""),
                checked=said.get("verified", False),
            )
        except IntakeRefused as refused:
            refused.field = _row_to_blame(said["offerings"], refused.key)
            raise
        except ReportedMeanwhile as meanwhile:
            return self._meanwhile(meanwhile, school, year)
        return self.answer(report, status)

    def _meanwhile(self, meanwhile: ReportedMeanwhile, school: School, year: SchoolYear) -> Response:
        answer = {
            "code": meanwhile.code,
            "detail": _("Others have saved this report since you read it. Read what stands, and send again."),
            "fields": {},
        }
        report = self.rows().filter(school=school, school_year=year).first()
        if report:
            answer["stands"] = OfferingReportSerializer(report).data
        return Response(answer, status=409)


def _row_to_blame(rows: Sequence[Intake], key: tuple[int, int | None]) -> str:
    """The last row of that key, since of two the second is one too many."""
    return next(f"offerings.{number}" for number in reversed(range(len(rows))) if rows[number].key == key)


class OfferingFactViewSet(DirectoryViewSet):
    """What open sources say was offered where."""

    queryset = OfferingFact.objects.none()
    serializer_class = OfferingFactSerializer
    filterset_class = OfferingFactFilter
    ordering = "programme"
    ordering_fields: ClassVar[dict[str, str]] = {"programme": "programme__code", "municipality": "municipality__name"}

    def rows(self) -> QuerySet[Any]:
        return OfferingFact.objects.select_related("source", "municipality", "school", "programme", "orientation")


class PupilFlowViewSet(DirectoryViewSet):
    """Where municipalities' pupils go to school. Numbers under five are shown only to the two municipalities."""

    queryset = PupilFlow.objects.none()
    serializer_class = PupilFlowSerializer
    filterset_class = PupilFlowFilter
    ordering = "-id"
    ordering_fields: ClassVar[dict[str, str]] = {
        "id": "id",
        "school_year": "school_year",
        "programme": "programme__code",
    }

    def rows(self) -> QuerySet[Any]:
        return PupilFlow.objects.select_related("source", "home", "provider_municipality", "programme")

    @extend_schema(request=FlowInput, responses={201: PupilFlowSerializer})
    def create(self, request: Request) -> Response:
        """Report how many pupils go from one municipality to another. What was reported of the same is replaced."""
        require(request.user, "programmes.report_some_flows")
        said, by = cleaned(FlowInput, request), caller(request)
        between = PupilFlow(home=said["home"], provider_municipality=said["provider_municipality"])
        body = acting_body(by, between)
        if body is None:
            raise NotYourFlow
        flow = self.rows().get(pk=report_flow(**said, by=by, on_behalf_of=body).pk)
        return Response(self.get_serializer(flow).data, status=201)


class ProgrammeGapViewSet(GenericViewSet[Any]):
    """What a municipality does not offer itself, and who near it does."""

    serializer_class = GapSerializer
    filter_backends = ()

    @extend_schema(parameters=[GapQuery], responses=GapSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The programmes, and orientations of programmes it offers, that its own schools do not have."""
        asked = GapQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        chosen = asked.validated_data
        gaps = gaps_of(
            chosen["municipality"], chosen["school_year"], reader=caller(request), kinds=KINDS[chosen["kind"]]
        )
        page = self.paginate_queryset(gaps.rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
