"""What signed agreements cover, and how many seats are used, for programs."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agreements.api.shared import Acting, said_in
from agreements.models import Cover, SeatUse, Standing
from agreements.operations.seat_use import report_seat_use
from collab4m.access import require
from organisations.api import FACT, DirectoryViewSet, FactSerializer, IdField, MunicipalityRef, caller
from organisations.models import Municipality, RoleKind
from programmes.api import OrientationRef, ProgrammeRef, SchoolYearFilter, SchoolYearText, by_code
from programmes.models import Orientation, Programme


class CoverSerializer(serializers.ModelSerializer[Cover]):
    """Pupils of `home` may apply to `provider` on equal terms, from the first intake through the last.

    `orientation` null: the programme has none. `last_intake` null: no end is set. `seats` are for each intake.
    """

    home = MunicipalityRef(read_only=True)
    provider = MunicipalityRef(read_only=True)
    programme = ProgrammeRef(read_only=True)
    orientation = OrientationRef(read_only=True, allow_null=True)
    first_intake = SchoolYearText(read_only=True)
    last_intake = SchoolYearText(read_only=True, allow_null=True)

    class Meta:
        model = Cover
        fields = (
            "id", "agreement", "revision", "version", "home", "provider", "programme", "orientation", "first_intake",
            "last_intake", "standing", "seats", "unlimited",
        )  # fmt: skip
        read_only_fields = fields


class SeatUseSerializer(FactSerializer):
    """How many pupils of `home` were admitted to what `provider` has under agreement, in an intake."""

    home = MunicipalityRef(read_only=True)
    provider = MunicipalityRef(read_only=True)
    programme = ProgrammeRef(read_only=True)
    orientation = OrientationRef(read_only=True, allow_null=True)
    intake = SchoolYearText(read_only=True)
    admitted = serializers.SerializerMethodField(help_text="Null where you may not see it.")
    masked = serializers.SerializerMethodField(help_text="Whether the number is hidden from you: it is under five.")

    class Meta:
        model = SeatUse
        fields = ("id", "home", "provider", "programme", "orientation", "intake", "admitted", "masked", *FACT)
        read_only_fields = fields

    def get_admitted(self, use: SeatUse) -> int | None:
        return use.shown_to(self.context["request"].user)

    @extend_schema_field(bool)
    def get_masked(self, use: SeatUse) -> bool:
        return self.get_admitted(use) is None


class SeatUseInput(Acting):
    home = by_code(Municipality.objects.all(), "Code of the home municipality.")
    provider = by_code(Municipality.objects.all(), "Code of the municipality that takes in.")
    programme = by_code(Programme.objects.all(), "The programme's code, such as BA.")
    orientation = IdField(
        queryset=Orientation.objects.all(), required=False, allow_null=True, help_text="As the cover has it."
    )
    intake = SchoolYearText()
    admitted = serializers.IntegerField(min_value=0, max_value=32_767)
    source_note = serializers.CharField(max_length=500, required=False, allow_blank=True)


class BetweenTwoFilter(django_filters.FilterSet):
    home = django_filters.CharFilter(field_name="home__code", label="Code of the home municipality.")
    provider = django_filters.CharFilter(field_name="provider__code", label="Code of the municipality that takes in.")
    programme = django_filters.CharFilter(field_name="programme__code", label="Programme code.")


class CoverFilter(BetweenTwoFilter):
    intake = SchoolYearFilter(method="of_intake", label="Intake, such as 2022/23.")
    agreement = django_filters.NumberFilter(label="Id of the agreement.")
    area = django_filters.CharFilter(field_name="agreement__area__slug", label="Short name of the agreement's area.")
    standing = django_filters.ChoiceFilter(choices=Standing.choices, label="Standing of the agreement.")

    def of_intake(self, queryset: Any, _name: str, year: Any) -> Any:
        return queryset.of_intake(year)


class SeatUseFilter(BetweenTwoFilter):
    """Never by the number of pupils: what is hidden must not be found by asking."""

    intake = SchoolYearFilter(label="Intake, such as 2022/23.")


class CoverViewSet(DirectoryViewSet):
    """What is covered between municipalities by signed agreements, on the leaves of the catalogue."""

    queryset = Cover.objects.none()
    serializer_class = CoverSerializer
    filterset_class = CoverFilter
    ordering = "programme"
    ordering_fields: ClassVar[dict[str, str]] = {"programme": "programme__code", "home": "home__name"}

    def rows(self) -> QuerySet[Any]:
        return Cover.objects.select_related("home", "provider", "programme", "orientation")


class SeatUseViewSet(DirectoryViewSet):
    """Seats under agreement that are used. Numbers under five are shown only to the two municipalities."""

    queryset = SeatUse.objects.none()
    serializer_class = SeatUseSerializer
    filterset_class = SeatUseFilter
    ordering = "-intake"
    ordering_fields: ClassVar[dict[str, str]] = {"intake": "intake", "programme": "programme__code"}

    def rows(self) -> QuerySet[Any]:
        return SeatUse.objects.select_related("source", "home", "provider", "programme", "orientation")

    @extend_schema(request=SeatUseInput, responses={201: SeatUseSerializer})
    def create(self, request: Request) -> Response:
        """Report how many were admitted in an intake. What was reported of the same is replaced."""
        said, by = said_in(SeatUseInput, request), caller(request)
        between = SeatUse(home=said["home"], provider=said["provider"])
        require(by, "agreements.report_seat_use", between)
        named, own = said.pop("on_behalf_of", None), by.bodies_where(RoleKind.ADMINISTRATOR)
        body = named or next(one for one in (between.provider, between.home) if one.pk in own)
        use = self.rows().get(pk=report_seat_use(**said, by=by, on_behalf_of=body.body).pk)
        return Response(self.get_serializer(use).data, status=201)
