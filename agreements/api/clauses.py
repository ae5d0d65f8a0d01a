"""The library of clauses for programs."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from agreements.models import Clause, ClauseVersion
from agreements.operations import SECTIONS_WITH_CLAUSES, add_clause, write_clause
from collab4m.access import get_visible, require
from organisations.api import DirectoryViewSet, caller
from organisations.models import Body, CollaborationArea, Membership, RoleKind, User


class ClauseVersionSerializer(serializers.ModelSerializer[ClauseVersion]):
    """A wording. It is never changed; a new one gets the next number."""

    class Meta:
        model = ClauseVersion
        fields = ("number", "text", "at")
        read_only_fields = fields


class ClauseSerializer(serializers.ModelSerializer[Clause]):
    """A clause with its wordings, latest first. `area` is null for those that come with the portal."""

    area = serializers.CharField(source="area.slug", read_only=True, allow_null=True, default=None)
    versions = ClauseVersionSerializer(source="wordings", many=True, read_only=True)

    class Meta:
        model = Clause
        fields = ("id", "area", "section", "name", "is_retired", "versions")
        read_only_fields = fields


class ClauseInput(serializers.Serializer[Any]):
    area = serializers.SlugRelatedField(slug_field="slug", queryset=CollaborationArea.objects.all())
    section = serializers.ChoiceField(choices=[one.key for one in SECTIONS_WITH_CLAUSES])
    name = serializers.CharField(max_length=100)
    text = serializers.CharField(max_length=5000)


class WordingInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=5000)
    base = serializers.IntegerField(
        min_value=1, max_value=32_767, help_text="The number of the latest version when you read it."
    )


class ClauseFilter(django_filters.FilterSet):
    section = django_filters.CharFilter(label="Key of a section of the agreement.")
    area = django_filters.CharFilter(field_name="area__slug", label="Short name of the area whose own they are.")
    is_retired = django_filters.BooleanFilter(label="Whether new drafts no longer choose from them.")


class ClauseViewSet(DirectoryViewSet):
    """Clauses that agreements may begin from: those that come with the portal, and those of one's own area."""

    queryset = Clause.objects.none()
    serializer_class = ClauseSerializer
    filterset_class = ClauseFilter
    ordering = "section"
    ordering_fields: ClassVar[dict[str, str]] = {"section": "section", "name": "name"}

    def rows(self) -> QuerySet[Any]:
        versions = Prefetch("versions", ClauseVersion.objects.order_by("-number"), to_attr="wordings")
        return Clause.objects.select_related("area").prefetch_related(versions)

    @extend_schema(request=ClauseInput, responses={201: ClauseSerializer})
    def create(self, request: Request) -> Response:
        """Add a clause of an area's own."""
        said, by = _said(ClauseInput, request), caller(request)
        area = said.pop("area")
        require(by, "agreements.change_clauses", area)
        version = add_clause(area, **said, by=by, on_behalf_of=_acting(by, area))
        return self.answer(version.clause, 201)

    @extend_schema(request=WordingInput, responses={201: ClauseSerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def versions(self, request: Request, pk: int) -> Response:
        """Write the next version of one of the area's own clauses. 409 if another was written since you read it."""
        found, by = get_visible(self.rows(), request.user, pk=pk), caller(request)
        require(by, "agreements.change_clauses", found.area)
        write_clause(found, **_said(WordingInput, request), by=by, on_behalf_of=_acting(by, found.area))
        return self.answer(found, 201)


def _said(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    given = form(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _acting(user: User, area: CollaborationArea) -> Body:
    """The member of the area for which one acts; the permission says that there is one."""
    own = user.bodies_where(RoleKind.ADMINISTRATOR)
    members = Membership.objects.on().filter(area=area, municipality__in=own).select_related("municipality")
    body: Body = members.in_agreed_order()[0].municipality.body
    return body
