"""The directory for programs: areas, municipalities, boards, schools and sites."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, cast

import django_filters
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from collab4m.access import get_permitted, require
from collab4m.swedish import matching
from organisations.models import (
    Board,
    CollaborationArea,
    Membership,
    Municipality,
    Provider,
    School,
    Site,
    User,
)
from organisations.operations import (
    acting_body,
    change_area,
    change_board,
    change_school,
    change_site,
    create_area,
    create_board,
    create_school,
    create_site,
)
from records.models import Source, span

# What comes out


class SourceSerializer(serializers.ModelSerializer[Source]):
    class Meta:
        model = Source
        fields = ("publisher", "title", "year", "address")


class FactSerializer(serializers.ModelSerializer[Any]):
    """A fact with where it is from."""

    source = SourceSerializer(allow_null=True, read_only=True)  # type: ignore[assignment]


FACT = ("source", "source_note", "came_in", "verified", "example")


class DatedSerializer(FactSerializer):
    """A fact that holds from a first day through a last; null where it is not known or not set."""

    first_day = serializers.DateField(read_only=True, allow_null=True)
    last_day = serializers.DateField(read_only=True, allow_null=True)


DATED = ("first_day", "last_day", *FACT)


class MunicipalityRef(serializers.ModelSerializer[Municipality]):
    class Meta:
        model = Municipality
        fields = ("id", "code", "name")


class ProviderRef(serializers.ModelSerializer[Provider]):
    class Meta:
        model = Provider
        fields = ("id", "name", "kind")


class SiteRef(serializers.ModelSerializer[Site]):
    class Meta:
        model = Site
        fields = ("id", "name")


class AreaRef(serializers.ModelSerializer[CollaborationArea]):
    class Meta:
        model = CollaborationArea
        fields = ("slug", "name", "short_name")


class MemberSerializer(serializers.ModelSerializer[Membership]):
    """A municipality's time in the area. Members stand in the order they agreed on."""

    municipality = MunicipalityRef(read_only=True)
    first_day = serializers.DateField(read_only=True, allow_null=True)
    last_day = serializers.DateField(read_only=True, allow_null=True)

    class Meta:
        model = Membership
        fields = ("municipality", "position", "mark", "first_day", "last_day")


class AreaSerializer(FactSerializer):
    members = MemberSerializer(source="memberships", many=True, read_only=True)

    class Meta:
        model = CollaborationArea
        fields = ("slug", "name", "short_name", "members", *FACT)


class MunicipalitySerializer(DatedSerializer):
    areas = serializers.SerializerMethodField(help_text="The areas it is a member of today.")

    class Meta:
        model = Municipality
        fields = ("id", "code", "name", "full_name", "county", "areas", *DATED)

    @extend_schema_field(AreaRef(many=True))
    def get_areas(self, municipality: Municipality) -> list[dict[str, Any]]:
        memberships = municipality.memberships_today  # type: ignore[attr-defined]
        return [dict(AreaRef(membership.area).data) for membership in memberships]


class BoardSerializer(DatedSerializer):
    municipality = MunicipalityRef(read_only=True)

    class Meta:
        model = Board
        fields = (
            "id",
            "name",
            "municipality",
            "administration",
            "memo_head",
            "case_number_pattern",
            "case_number_example",
            *DATED,
        )


class SchoolSerializer(DatedSerializer):
    municipality = MunicipalityRef(read_only=True)
    provider = ProviderRef(read_only=True, allow_null=True)
    sites = SiteRef(many=True, read_only=True)

    class Meta:
        model = School
        fields = ("id", "name", "municipality", "provider", "school_unit_code", "status", "sites", *DATED)


class SiteSerializer(DatedSerializer):
    municipality = MunicipalityRef(read_only=True)

    class Meta:
        model = Site
        fields = ("id", "name", "municipality", "address", "latitude", "longitude", *DATED)


# What goes in


def within_reason(day: date) -> None:
    if not date(1900, 1, 1) <= day <= date(2200, 12, 31):
        raise ValidationError(_("Write a day between 1900 and 2200."))


class IdField(serializers.PrimaryKeyRelatedField):
    """The id of a row. A number without end, which JSON can hold as 1e400, is no id either."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return super().to_internal_value(data)
        except OverflowError:
            self.fail("incorrect_type", data_type=type(data).__name__)


class Input(serializers.Serializer[Any]):
    source_note = serializers.CharField(max_length=500, required=False, allow_blank=True)


class DatedInput(Input):
    """Input about something that holds from a day to a day; days left out stay as they are, null means not set."""

    first_day = serializers.DateField(required=False, allow_null=True, validators=[within_reason])
    last_day = serializers.DateField(required=False, allow_null=True, validators=[within_reason])

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & {"first_day", "last_day"}:
            return attrs
        before = self.instance
        first_day = attrs.pop("first_day", before.first_day if before else None)
        last_day = attrs.pop("last_day", before.last_day if before else None)
        if first_day and last_day and last_day < first_day:
            raise ValidationError({"last_day": [_("The last day cannot come before the first day.")]})
        return {**attrs, "valid": span(first_day, last_day)}


class AreaInput(Input):
    name = serializers.CharField(max_length=120)
    short_name = serializers.CharField(max_length=30)
    slug = serializers.SlugField(max_length=50)


class BoardChange(DatedInput):
    name = serializers.CharField(max_length=150)
    administration = serializers.CharField(max_length=150, required=False, allow_blank=True)
    memo_head = serializers.CharField(max_length=500, required=False, allow_blank=True)
    case_number_pattern = serializers.CharField(max_length=200, required=False, allow_blank=True)
    case_number_example = serializers.CharField(max_length=60, required=False, allow_blank=True)


class SchoolChange(DatedInput):
    name = serializers.CharField(max_length=150)
    provider = IdField(queryset=Provider.objects.all(), required=False, allow_null=True)
    school_unit_code = serializers.CharField(max_length=8, required=False, allow_blank=True)
    status = serializers.CharField(max_length=250, required=False, allow_blank=True)
    sites = IdField(queryset=Site.objects.all(), many=True, required=False)


class SiteChange(DatedInput):
    name = serializers.CharField(max_length=150)
    address = serializers.CharField(max_length=200, required=False, allow_blank=True)
    latitude = serializers.DecimalField(8, 5, min_value=-90, max_value=90, required=False, allow_null=True)
    longitude = serializers.DecimalField(8, 5, min_value=-180, max_value=180, required=False, allow_null=True)


class InMunicipality(serializers.Serializer[Any]):
    municipality = serializers.SlugRelatedField(
        slug_field="code", queryset=Municipality.objects.all(), help_text="The municipality code, such as 1980."
    )


class BoardInput(InMunicipality, BoardChange):
    pass


class SchoolInput(InMunicipality, SchoolChange):
    pass


class SiteInput(InMunicipality, SiteChange):
    pass


# Filters


class DirectoryFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(
        method="matching_words", label="Words that the name holds or resembles. The best match comes first."
    )
    valid_on = django_filters.DateFilter(
        field_name="valid",
        lookup_expr="contains",
        input_formats=["%Y-%m-%d"],
        label="Only what holds on this day.",
    )

    search_fields: ClassVar[tuple[str, ...]] = ("name",)

    def matching_words(self, queryset: QuerySet[Any], _name: str, words: str) -> QuerySet[Any]:
        return matching(queryset, words, *self.search_fields)


class AreaFilter(DirectoryFilter):
    valid_on = None
    municipality = django_filters.CharFilter(
        method="with_member", label="Code of a municipality that is a member today."
    )

    search_fields = ("name", "short_name")

    def with_member(self, queryset: QuerySet[Any], _name: str, code: str) -> QuerySet[Any]:
        return queryset.filter(pk__in=Membership.objects.on().filter(municipality__code=code).values("area"))


class MunicipalityFilter(DirectoryFilter):
    area = django_filters.CharFilter(method="in_area", label="Short name of an area it is a member of today.")
    municipality = django_filters.CharFilter(field_name="code", label="Municipality code.")

    search_fields = ("name", "full_name")

    def in_area(self, queryset: QuerySet[Any], _name: str, slug: str) -> QuerySet[Any]:
        return queryset.filter(pk__in=Membership.objects.on().filter(area__slug=slug).values("municipality"))


class InMunicipalityFilter(DirectoryFilter):
    area = django_filters.CharFilter(method="in_area", label="Short name of an area the municipality is in today.")
    municipality = django_filters.CharFilter(field_name="municipality__code", label="Municipality code.")

    def in_area(self, queryset: QuerySet[Any], _name: str, slug: str) -> QuerySet[Any]:
        members = Membership.objects.on().filter(area__slug=slug).values("municipality")
        return queryset.filter(municipality__in=members)


# Viewsets


def caller(request: Request) -> User:
    """Whoever calls; `MaySpeakToTheApi` has turned strangers away."""
    return cast(User, request.user)


class DirectoryViewSet(ReadOnlyModelViewSet[Any]):
    """Everyone who is logged in may read. `filter_queryset` is where filters, order and pages come in."""

    lookup_value_converter = "int"
    ordering = "name"
    ordering_fields: ClassVar[dict[str, str]] = {"name": "name"}

    def get_queryset(self) -> QuerySet[Any]:
        return self.rows().visible_to(self.request.user)  # type: ignore[attr-defined]

    def rows(self) -> QuerySet[Any]:
        """The rows with what their answer shows."""
        raise NotImplementedError

    def answer(self, row: Any, status: int) -> Response:
        """The row as it is now, read anew with what belongs to it."""
        fresh = self.rows().get(pk=row.pk)
        return Response(self.get_serializer_class()(fresh).data, status=status)


def cleaned(form: type[Input], request: Request, row: Any = None) -> dict[str, Any]:
    """What the request's body says, checked. With `row` only what is to change needs to be there."""
    given = form(row, data=request.data, partial=row is not None)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


class AreaViewSet(DirectoryViewSet):
    """Areas in which municipalities cooperate, with their members in the agreed order."""

    queryset = CollaborationArea.objects.none()
    serializer_class = AreaSerializer
    filterset_class = AreaFilter
    lookup_field = "slug"
    lookup_value_converter = "slug"

    def rows(self) -> QuerySet[Any]:
        members = Membership.objects.select_related("municipality").order_by("position", "pk")
        return CollaborationArea.objects.select_related("source").prefetch_related(Prefetch("memberships", members))

    @extend_schema(request=AreaInput, responses={201: AreaSerializer})
    def create(self, request: Request) -> Response:
        """Create an area."""
        require(request.user, "organisations.create_area")
        return self.answer(create_area(**cleaned(AreaInput, request), by=caller(request)), 201)

    @extend_schema(request=AreaInput(partial=True), responses=AreaSerializer)
    def partial_update(self, request: Request, slug: str) -> Response:
        """Change what an area is called."""
        area = get_permitted(CollaborationArea.objects, request.user, "organisations.change_area", slug=slug)
        return self.answer(change_area(area, **cleaned(AreaInput, request, area), by=caller(request)), 200)


class MunicipalityViewSet(DirectoryViewSet):
    """Municipalities, with the areas they are in today."""

    queryset = Municipality.objects.none()
    serializer_class = MunicipalitySerializer
    filterset_class = MunicipalityFilter
    ordering_fields: ClassVar[dict[str, str]] = {"name": "name", "code": "code"}

    def rows(self) -> QuerySet[Any]:
        today = Membership.objects.on().select_related("area").in_agreed_order()
        prefetch = Prefetch("memberships", today, to_attr="memberships_today")
        return Municipality.objects.select_related("source").prefetch_related(prefetch)


class BoardViewSet(DirectoryViewSet):
    """Political boards. Two may be called the same, so each comes with its municipality."""

    queryset = Board.objects.none()
    serializer_class = BoardSerializer
    filterset_class = InMunicipalityFilter
    ordering_fields: ClassVar[dict[str, str]] = {"name": "name", "municipality": "municipality__name"}

    def rows(self) -> QuerySet[Any]:
        return Board.objects.select_related("source", "municipality")

    @extend_schema(request=BoardInput, responses={201: BoardSerializer})
    def create(self, request: Request) -> Response:
        """Create a board."""
        require(request.user, "organisations.create_board")
        return self.answer(create_board(**cleaned(BoardInput, request), by=caller(request)), 201)

    @extend_schema(request=BoardChange(partial=True), responses=BoardSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change facts about a board."""
        board = get_permitted(Board.objects, request.user, "organisations.change_board", pk=pk)
        facts, on_behalf_of = cleaned(BoardChange, request, board), acting_body(caller(request), board)
        return self.answer(change_board(board, **facts, by=caller(request), on_behalf_of=on_behalf_of), 200)


class SchoolViewSet(DirectoryViewSet):
    """Schools with upper-secondary education, with provider and sites."""

    queryset = School.objects.none()
    serializer_class = SchoolSerializer
    filterset_class = InMunicipalityFilter
    ordering_fields: ClassVar[dict[str, str]] = {"name": "name", "municipality": "municipality__name"}

    def rows(self) -> QuerySet[Any]:
        return School.objects.select_related("source", "municipality", "provider").prefetch_related("sites")

    @extend_schema(request=SchoolInput, responses={201: SchoolSerializer})
    def create(self, request: Request) -> Response:
        """Create a school."""
        require(request.user, "organisations.create_school")
        return self.answer(create_school(**cleaned(SchoolInput, request), by=caller(request)), 201)

    @extend_schema(request=SchoolChange(partial=True), responses=SchoolSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change facts about a school, and at which sites it is."""
        school = get_permitted(School.objects, request.user, "organisations.change_school", pk=pk)
        facts, on_behalf_of = cleaned(SchoolChange, request, school), acting_body(caller(request), school)
        return self.answer(change_school(school, **facts, by=caller(request), on_behalf_of=on_behalf_of), 200)


class SiteViewSet(DirectoryViewSet):
    """Places where teaching happens."""

    queryset = Site.objects.none()
    serializer_class = SiteSerializer
    filterset_class = InMunicipalityFilter
    ordering_fields: ClassVar[dict[str, str]] = {"name": "name", "municipality": "municipality__name"}

    def rows(self) -> QuerySet[Any]:
        return Site.objects.select_related("source", "municipality")

    @extend_schema(request=SiteInput, responses={201: SiteSerializer})
    def create(self, request: Request) -> Response:
        """Create a site."""
        require(request.user, "organisations.create_site")
        return self.answer(create_site(**cleaned(SiteInput, request), by=caller(request)), 201)

    @extend_schema(request=SiteChange(partial=True), responses=SiteSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change facts about a site."""
        site = get_permitted(Site.objects, request.user, "organisations.change_site", pk=pk)
        facts, on_behalf_of = cleaned(SiteChange, request, site), acting_body(caller(request), site)
        return self.answer(change_site(site, **facts, by=caller(request), on_behalf_of=on_behalf_of), 200)
