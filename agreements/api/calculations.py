"""Calculations for programs: the assumptions, and what follows from them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agreements.models import Calculation
from agreements.operations import (
    ASSUMPTIONS,
    LONGEST_SOURCE,
    CalculationChanged,
    Comparison,
    change_calculation,
    compare,
    given_by,
    make_calculation,
    rows_of,
)
from collab4m.access import get_permitted, require
from organisations.api import DirectoryViewSet, IdField, MunicipalityRef, caller
from organisations.models import Municipality
from programmes.models import Orientation, Programme


class AssumptionSerializer(serializers.Serializer[Any]):
    """What is assumed and where that is from. `value` is text: a number, one of the choices, or "" for nothing."""

    key = serializers.ChoiceField(choices=[one.key for one in ASSUMPTIONS])
    value = serializers.CharField(max_length=30, allow_blank=True)
    source = serializers.CharField(  # type: ignore[assignment]  # a field has an attribute of that name
        max_length=LONGEST_SOURCE, allow_blank=True, required=False, default=""
    )


class FigureSerializer(serializers.Serializer[Any]):
    """A result, or the keys of the assumptions that are missing for it. Neither: there is no such number."""

    value = serializers.DecimalField(20, 2, allow_null=True)
    missing = serializers.ListField(child=serializers.CharField())


ComparisonSerializer = type(
    "ComparisonSerializer",
    (serializers.Serializer,),
    {
        "__doc__": "What follows from the assumptions. SEK per school year, when all year groups are full.",
        **{field.name: FigureSerializer() for field in fields(Comparison)},
    },
)


class CalculationSerializer(serializers.ModelSerializer[Calculation]):
    """A calculation. `edit` grows with each change; send it back with the next one."""

    municipality = MunicipalityRef(read_only=True)
    provider = MunicipalityRef(read_only=True, allow_null=True)
    programme = serializers.CharField(source="programme.code", read_only=True)
    orientation = serializers.IntegerField(source="orientation_id", read_only=True, allow_null=True)
    agreement = serializers.IntegerField(source="agreement_id", read_only=True, allow_null=True)
    assumptions = serializers.SerializerMethodField(help_text="Every assumption, also those that nobody has made.")
    results = serializers.SerializerMethodField()

    class Meta:
        model = Calculation
        fields = (
            "id",
            "title",
            "municipality",
            "provider",
            "programme",
            "orientation",
            "agreement",
            "assumptions",
            "results",
            "edit",
            "at",
            "example",
        )
        read_only_fields = fields

    @extend_schema_field(AssumptionSerializer(many=True))
    def get_assumptions(self, calculation: Calculation) -> list[dict[str, str]]:
        return [{"key": one.key, "value": value, "source": source} for one, value, source in rows_of(calculation)]

    @extend_schema_field(ComparisonSerializer)
    def get_results(self, calculation: Calculation) -> dict[str, Any]:
        return dict(ComparisonSerializer(compare(given_by(calculation))).data)


class CalculationChange(serializers.Serializer[Any]):
    """The title and all assumptions; those that are not named become empty."""

    title = serializers.CharField(max_length=150)
    assumptions = AssumptionSerializer(many=True)
    edit = serializers.IntegerField(min_value=0, max_value=2**31 - 1, help_text="What `edit` was when you read it.")


class CalculationInput(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=150)
    municipality = serializers.SlugRelatedField(
        slug_field="code", queryset=Municipality.objects.all(), help_text="Whose pupils: the municipality code."
    )
    provider = serializers.SlugRelatedField(
        slug_field="code", queryset=Municipality.objects.all(), required=False, allow_null=True
    )
    programme = serializers.SlugRelatedField(slug_field="code", queryset=Programme.objects.all())
    orientation = IdField(queryset=Orientation.objects.all(), required=False, allow_null=True)
    assumptions = AssumptionSerializer(many=True, required=False)


class CalculationMeanwhile(serializers.Serializer[Any]):
    """Others have saved since the calculation was read: `stands` is what they wrote."""

    code = serializers.CharField()
    detail = serializers.CharField()
    stands = CalculationSerializer()


class CalculationViewSet(DirectoryViewSet):
    """What it costs to start a programme at home, beside seats with a neighbour: for one's own municipality."""

    queryset = Calculation.objects.none()
    serializer_class = CalculationSerializer
    ordering = "-at"
    ordering_fields: ClassVar[dict[str, str]] = {"at": "at", "title": "title"}

    def rows(self) -> QuerySet[Any]:
        return Calculation.objects.select_related("municipality", "provider", "programme")

    @extend_schema(request=CalculationInput, responses={201: CalculationSerializer})
    def create(self, request: Request) -> Response:
        """Make a calculation for a municipality that one administers."""
        require(request.user, "agreements.calculate")
        said = _said(CalculationInput, request)
        made = make_calculation(**said, by=caller(request), on_behalf_of=said["municipality"].body)
        return self.answer(made, 201)

    @extend_schema(request=CalculationChange, responses={200: CalculationSerializer, 409: CalculationMeanwhile})
    def update(self, request: Request, pk: int) -> Response:
        """Replace title and assumptions. 409 with what stands if others have saved since you read it."""
        found = get_permitted(self.rows(), request.user, "agreements.change_calculation", pk=pk)
        said, body = _said(CalculationChange, request), found.municipality.body
        try:
            changed = change_calculation(found, **said, by=caller(request), on_behalf_of=body)
        except CalculationChanged as meanwhile:
            stands = CalculationSerializer(self.rows().get(pk=pk)).data
            return Response({"code": meanwhile.code, "detail": str(meanwhile), "stands": stands}, status=409)
        return self.answer(changed, 200)


def _said(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    given = form(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)
