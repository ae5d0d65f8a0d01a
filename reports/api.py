"""Reports, for programs: what is final, its files, and having a new version made."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from collab4m.access import get_visible, require
from organisations.api import FACT, DirectoryViewSet, FactSerializer, caller
from organisations.operations import acting_body
from records.api import JobSerializer
from records.models import Job, Rendition, RenditionKind, Version
from records.views_final import download
from reports.models import Report
from reports.operations import order_build


class RenditionSerializer(serializers.ModelSerializer[Rendition]):
    """A file. `variant` is the code of the municipality whose front it has, or the table that it holds."""

    class Meta:
        model = Rendition
        fields = ["id", "kind", "variant", "name", "size", "sha256", "made_at"]
        read_only_fields = fields


class VersionSerializer(serializers.ModelSerializer[Version]):
    """What was made final, without the content itself; boards decide on `content_sha256`."""

    files = RenditionSerializer(many=True, read_only=True)

    class Meta:
        model = Version
        fields = ["id", "number", "content_sha256", "frozen_at", "files"]
        read_only_fields = fields


# What VersionSerializer shows besides the version itself.
FILES = Prefetch("renditions", Rendition.objects.current().order_by("kind", "variant"), to_attr="files")


class ReportSerializer(FactSerializer):
    area = serializers.CharField(source="area.slug", read_only=True)
    school_year = serializers.CharField(read_only=True)

    class Meta:
        model = Report
        fields = ("id", "title", "area", "school_year", "due", *FACT)


class ReportViewSet(DirectoryViewSet):
    """Reports that the boards of one's area have asked for."""

    queryset = Report.objects.none()
    serializer_class = ReportSerializer
    ordering = "-due"
    ordering_fields: ClassVar[dict[str, str]] = {"due": "due", "title": "title"}

    def rows(self) -> QuerySet[Any]:
        return Report.objects.select_related("area", "source")

    def _visible(self, request: Request, pk: int) -> Report:
        found: Report = get_visible(self.rows(), request.user, pk=pk)
        return found

    @extend_schema(request=None, responses={200: VersionSerializer, 202: JobSerializer})
    @action(detail=True, methods=["post"])
    def build(self, request: Request, pk: int) -> Response:
        """Have the report made final as it now is: 202 with the job, or 200 with the version that says the same."""
        report, by = self._visible(request, pk), caller(request)
        require(by, "reports.build_report", report)
        answer = order_build(report, by=by, on_behalf_of=acting_body(by, report))
        if isinstance(answer, Job):
            return Response(JobSerializer(answer).data, status=202)
        prefetch_related_objects([answer], FILES)
        return Response(VersionSerializer(answer).data)

    @extend_schema(responses=VersionSerializer(many=True))
    @action(detail=True)
    def versions(self, request: Request, pk: int) -> Response:
        """Everything that has been made final of it, latest first."""
        found = Version.objects.of(self._visible(request, pk)).defer("content").prefetch_related(FILES)
        return Response(VersionSerializer(found, many=True).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("file", str, required=True, enum=RenditionKind.values, description="Which file."),
            OpenApiParameter("municipality", str, description="Code of the municipality whose front it is to have."),
            OpenApiParameter("table", str, description="Which table, for csv."),
        ],
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    @action(detail=True)
    def download(self, request: Request, pk: int) -> HttpResponse:
        """A file of the latest version."""
        latest = Version.objects.of(self._visible(request, pk)).first()
        if latest is None:
            raise NotFound(_("Nothing has been made final of the report yet."))
        kind = request.query_params.get("file", "")
        if kind not in RenditionKind.values:
            known = ", ".join(RenditionKind.values)
            raise ValidationError({"file": _("Choose one of: %(choices)s.") % {"choices": known}})
        variant = request.query_params.get("table" if kind == "csv" else "municipality", "")
        files = latest.renditions.current().filter(kind=kind).order_by("variant")
        found = files.filter(variant=variant).first() or (None if variant else files.first())
        if found is None:
            raise NotFound(_("The version has no such file."))
        return download(request, found)
