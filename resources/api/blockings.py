"""Blockings for programs: the owner takes a resource out of use for a time."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from collab4m.access import get_permitted, get_visible, require
from organisations.api import caller
from resources.api.shared import RefusalSerializer, ResourcesViewSet, TimeInput, body, one_of
from resources.models import Blocking, Resource
from resources.operations import block_resource, end_blocking


class BlockingSerializer(serializers.ModelSerializer[Blocking]):
    """A time when the owner lets nobody have the resource."""

    starts_at = serializers.DateTimeField(source="during.lower", read_only=True)
    ends_at = serializers.DateTimeField(source="during.upper", read_only=True)

    class Meta:
        model = Blocking
        fields = ("id", "resource", "starts_at", "ends_at", "reason", "at", "ended_at")
        read_only_fields = fields


class BlockingInput(TimeInput):
    """`seen`: ids of the bookings that one knows will be displaced, from `resources/<id>/displaced/`."""

    resource = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    reason = serializers.CharField(max_length=200, help_text="Everyone reads it.")
    seen = serializers.ListField(child=serializers.IntegerField(), max_length=1000, default=list)


class BlockingViewSet(ResourcesViewSet):
    """When what is shared around one is out of use."""

    queryset = Blocking.objects.none()
    serializer_class = BlockingSerializer
    ordering = "-starts_at"
    ordering_fields: ClassVar[dict[str, str]] = {"starts_at": "during"}

    def rows(self) -> QuerySet[Any]:
        return Blocking.objects.select_related("resource__owner__as_school__provider")

    @extend_schema(request=BlockingInput, responses={201: BlockingSerializer, 409: RefusalSerializer})
    def create(self, request: Request) -> Response:
        """Take a resource out of use. 409 when a booking would be displaced that is not in `seen`."""
        said, by = body(BlockingInput, request), caller(request)
        resource = get_permitted(
            Resource.objects.select_related("owner__as_school__provider"), by, "resources.block",
            pk=said.pop("resource"),
        )  # fmt: skip
        said["seen"] = set(said["seen"])
        blocking = block_resource(resource, **said, by=by, on_behalf_of=one_of(by, resource.owner))
        return self.answer(blocking, 201)

    @extend_schema(request=None, responses={200: BlockingSerializer, 409: RefusalSerializer})
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: int) -> Response:
        """Let the resource be used again."""
        blocking, by = get_visible(self.rows(), request.user, pk=pk), caller(request)
        require(by, "resources.block", blocking.resource)
        return self.answer(end_blocking(blocking, by=by, on_behalf_of=one_of(by, blocking.resource.owner)), 200)
