"""The pieces of what is shared, for programs: their names, and removing one."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from collab4m.access import get_visible, require
from organisations.api import caller
from resources.api.shared import RefusalSerializer, ResourcesViewSet, body, one_of
from resources.models import Resource, Unit
from resources.operations import remove_unit, rename_unit


class UnitSerializer(serializers.ModelSerializer[Unit]):
    """A piece, with the ids of the resources that take it up."""

    owner = serializers.CharField(source="owner.name", read_only=True)

    class Meta:
        model = Unit
        fields = ("id", "name", "owner", "resources")
        read_only_fields = fields


class UnitInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100)


class UnitFilter(django_filters.FilterSet):
    resource = django_filters.NumberFilter(field_name="resources", label="Id of a resource that takes it up.")

    class Meta:
        model = Unit
        fields: ClassVar[list[str]] = []


class UnitViewSet(ResourcesViewSet):
    """The pieces of what is shared around one."""

    queryset = Unit.objects.none()
    serializer_class = UnitSerializer
    filterset_class = UnitFilter

    def rows(self) -> QuerySet[Any]:
        return Unit.objects.select_related("owner__as_school__provider").prefetch_related("resources")

    @extend_schema(request=UnitInput, responses={200: UnitSerializer, 409: RefusalSerializer})
    def partial_update(self, request: Request, pk: int) -> Response:
        """Call a piece something else. For the owner."""
        unit, by = self._own(request, pk), caller(request)
        said = body(UnitInput, request)
        return self.answer(rename_unit(unit, **said, by=by, on_behalf_of=one_of(by, unit.owner)), 200)

    @extend_schema(responses={204: None, 409: RefusalSerializer})
    def destroy(self, request: Request, pk: int) -> Response:
        """Remove a piece. For the owner. 409 while a booking needs it, and for the last piece of something."""
        unit, by = self._own(request, pk), caller(request)
        remove_unit(unit, by=by, on_behalf_of=one_of(by, unit.owner))
        return Response(status=204)

    def _own(self, request: Request, pk: int) -> Unit:
        unit: Unit = get_visible(self.rows(), request.user, pk=pk)
        resource: Resource = unit.resources.select_related("owner").order_by("pk")[0]
        require(request.user, "resources.change_resource", resource)
        return unit
