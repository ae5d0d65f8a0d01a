"""Price lists for programs: every edition with its prices, and publishing the next one."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agreements.models import PriceKind, PriceList, PriceRow
from agreements.operations import LIST_KINDS, NewPrice, NotYourList, publish_prices
from agreements.operations.prices import MOST_PRICES
from collab4m.access import require
from organisations.api import (
    FACT,
    AreaRef,
    DirectoryViewSet,
    FactSerializer,
    IdField,
    Input,
    MunicipalityRef,
    caller,
    cleaned,
    within_reason,
)
from organisations.models import Body, CollaborationArea, Membership, Municipality, RoleKind, User
from programmes.models import Orientation, Programme
from records.models import CameIn

KINDS = [(kind.value, kind.label) for kind in LIST_KINDS]


class PriceRowSerializer(serializers.ModelSerializer[PriceRow]):
    """SEK per pupil and year, for a programme or one of its orientations."""

    programme = serializers.SlugRelatedField[Programme](slug_field="code", read_only=True)
    orientation = serializers.PrimaryKeyRelatedField[Orientation](read_only=True, allow_null=True)

    class Meta:
        model = PriceRow
        fields = ("id", "programme", "orientation", "label", "sek_per_pupil_year")
        read_only_fields = fields


class PriceListSerializer(FactSerializer):
    """An edition of a price list. What is published is never changed."""

    municipality = MunicipalityRef(read_only=True, allow_null=True)
    area = AreaRef(read_only=True, allow_null=True)

    class Meta:
        model = PriceList
        fields = (
            "id", "kind", "municipality", "area", "year", "number", "title", "incl_meals", "incl_vat", "decided_on",
            "made_at", *FACT,
        )  # fmt: skip
        read_only_fields = fields


class PriceListWithRowsSerializer(PriceListSerializer):
    rows = PriceRowSerializer(many=True, read_only=True)

    class Meta(PriceListSerializer.Meta):
        fields = (*PriceListSerializer.Meta.fields, "rows")  # type: ignore[assignment]


class PriceInput(serializers.Serializer[Any]):
    programme = serializers.SlugRelatedField(
        slug_field="code", queryset=Programme.objects.all(), help_text="Programme code, such as BA."
    )
    orientation = IdField(queryset=Orientation.objects.all(), required=False, allow_null=True)
    sek_per_pupil_year = serializers.DecimalField(9, 2, min_value=0)
    label = serializers.CharField(  # type: ignore[assignment]
        max_length=150, required=False, allow_blank=True, help_text="What the list calls it."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        orientation = attrs.get("orientation")
        if orientation and orientation.programme_id != attrs["programme"].pk:
            raise ValidationError({"orientation": [_("The orientation belongs to another programme.")]})
        return attrs

    def price(self, said: dict[str, Any]) -> NewPrice:
        orientation = said.get("orientation")
        return NewPrice(
            said["programme"].pk,
            orientation.pk if orientation else None,
            said["sek_per_pupil_year"],
            said.get("label", ""),
        )


class PriceListInput(Input):
    kind = serializers.ChoiceField(KINDS)
    municipality = serializers.SlugRelatedField(
        slug_field="code",
        queryset=Municipality.objects.all(),
        required=False,
        allow_null=True,
        help_text="Whose list it is, and for whom you act. May be left out for the common and the national list.",
    )
    area = serializers.SlugRelatedField(
        slug_field="slug", queryset=CollaborationArea.objects.all(), required=False, allow_null=True
    )
    year = serializers.IntegerField(min_value=2000, max_value=2100)
    title = serializers.CharField(max_length=150)
    incl_meals = serializers.BooleanField(allow_null=True, help_text="Null when the list does not say.")
    incl_vat = serializers.BooleanField(allow_null=True, help_text="Null when the list does not say.")
    decided_on = serializers.DateField(required=False, allow_null=True, validators=[within_reason])
    rows = PriceInput(many=True, max_length=MOST_PRICES)  # type: ignore[call-arg]


class PriceListFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=KINDS, label="Kind of list.")
    year = django_filters.NumberFilter(label="Calendar year.")
    municipality = django_filters.CharFilter(field_name="municipality__code", label="Code of the municipality.")
    area = django_filters.CharFilter(field_name="area__slug", label="Short name of the area.")


class PriceListViewSet(DirectoryViewSet):
    """Price lists for upper-secondary education, every edition. One alone comes with its prices."""

    queryset = PriceList.objects.none()
    serializer_class = PriceListSerializer
    filterset_class = PriceListFilter
    ordering = "-year"
    ordering_fields: ClassVar[dict[str, str]] = {"year": "year", "title": "title", "made_at": "made_at"}

    def rows(self) -> QuerySet[Any]:
        return PriceList.objects.select_related("source", "municipality", "area")

    @extend_schema(responses=PriceListWithRowsSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """An edition with its prices."""
        return Response(self._whole(self.get_object().pk))

    @extend_schema(request=PriceListInput, responses={201: PriceListWithRowsSerializer})
    def create(self, request: Request) -> Response:
        """Publish a list whole, as the next edition of its kind, year and meals."""
        require(request.user, "agreements.import_prices", PriceList(kind=PriceKind.NATIONAL_LIST))
        said, by = cleaned(PriceListInput, request), caller(request)
        municipality, area = said.pop("municipality", None), said.pop("area", None)
        rows = [PriceInput().price(row) for row in said.pop("rows")]
        is_own = said["kind"] in (PriceKind.SELF_COST, PriceKind.OWN_LIST)
        body = _body_for(by, municipality, area)
        if body is None:
            raise NotYourList
        published = publish_prices(
            **said,
            municipality=municipality if is_own else None,
            area=area,
            rows=rows,
            by=by,
            on_behalf_of=body,
            came_in=CameIn.CONNECTOR,
        )
        return Response(self._whole(published.pk), status=201)

    def _whole(self, pk: int) -> Any:
        rows = PriceRow.objects.select_related("programme").order_by("programme__code", "orientation", "pk")
        found = self.rows().prefetch_related(Prefetch("rows", rows)).get(pk=pk)
        return PriceListWithRowsSerializer(found).data


def _body_for(user: User, municipality: Municipality | None, area: CollaborationArea | None) -> Body | None:
    """The body that publishes: the municipality named, else one that the caller administers, in the area if any."""
    own = user.bodies_where(RoleKind.ADMINISTRATOR)
    if municipality is not None:
        return municipality.body if municipality.pk in own else None
    if area is not None:
        own = list(
            Membership.objects.on().filter(area=area, municipality__in=own).values_list("municipality", flat=True)
        )
    return Body.objects.filter(pk__in=own).order_by("pk").first()
