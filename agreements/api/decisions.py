"""Final versions of agreements, and what each board decides about them, for programs."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agreements.api.shared import Acting, AgreementId, DocumentInput, DocumentSerializer, acting, document_in, said_in
from agreements.models import Agreement, Party, Revision, RevisionState
from agreements.operations import record_decision
from collab4m.access import require
from organisations.api import DirectoryViewSet, IdField, MunicipalityRef, caller, within_reason
from organisations.models import Board, RoleKind
from records.models import Decision, DecisionResult, Rendition, RenditionKind, SignOff, Version
from records.subjects import types_of
from records.views_final import download

SHA256 = r"^[0-9a-f]{64}\Z"


def versions_seen(user: Any) -> QuerySet[Version]:
    """The versions of agreements that `Agreement.shows_version` shows, of agreements that the user may see."""
    own = user.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)
    seen = Agreement.objects.visible_to(user)
    of_own = Party.objects.filter(municipality__in=own, agreement__in=seen.values("pk")).values("agreement")
    signed = Revision.objects.filter(state=RevisionState.SIGNED, agreement__in=seen.values("pk")).values("version")
    return Version.objects.filter(subject_type__in=types_of(Agreement())).filter(
        Q(subject_id__in=of_own) | Q(pk__in=signed)
    )


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    """What one municipality's board decided about one content. What was corrected is `replaced_by` a later one."""

    agreement = serializers.IntegerField(source="version.subject_id", read_only=True)
    municipality = MunicipalityRef(source="body.as_municipality", read_only=True)
    document = DocumentSerializer(read_only=True, allow_null=True)
    replaced = serializers.SerializerMethodField(help_text="Whether a later row says it anew; that one counts.")

    class Meta:
        model = Decision
        fields = (
            "id", "agreement", "version", "content_sha256", "municipality", "board", "board_name", "result", "day",
            "paragraph", "case_number", "final_on", "remark", "document", "at", "replaces", "replaced",
        )  # fmt: skip
        read_only_fields = fields

    def get_replaced(self, decision: Decision) -> bool:
        return bool(decision.is_replaced)  # type: ignore[attr-defined]


class SignOffSerializer(serializers.ModelSerializer[SignOff]):
    """That somebody signed a content for a party. `signed_as` is who, by office."""

    agreement = serializers.IntegerField(source="version.subject_id", read_only=True)
    municipality = MunicipalityRef(source="body.as_municipality", read_only=True)
    document = DocumentSerializer(read_only=True, allow_null=True)

    class Meta:
        model = SignOff
        fields = (
            "id", "agreement", "version", "content_sha256", "municipality", "method", "signed_as", "day", "document",
            "at",
        )  # fmt: skip
        read_only_fields = fields


class AgreementFileSerializer(serializers.ModelSerializer[Rendition]):
    """A file. `variant` is the code of the municipality whose front it has."""

    class Meta:
        model = Rendition
        fields = ("id", "kind", "variant", "name", "size", "sha256", "made_at")
        read_only_fields = fields


class AgreementVersionSerializer(serializers.ModelSerializer[Version]):
    """What was sent on referral or to decision: the boards decide on `content_sha256`, and the parties sign it."""

    agreement = serializers.IntegerField(source="subject_id", read_only=True)
    title = serializers.CharField(read_only=True)
    files = AgreementFileSerializer(many=True, read_only=True)
    decisions = DecisionSerializer(source="standing", many=True, read_only=True)
    sign_offs = SignOffSerializer(source="signed", many=True, read_only=True)

    class Meta:
        model = Version
        fields = (
            "id", "agreement", "number", "title", "content_sha256", "frozen_at", "supersedes", "files", "decisions",
            "sign_offs",
        )  # fmt: skip
        read_only_fields = fields


def decisions() -> QuerySet[Any]:
    rows = Decision.objects.select_related("version", "body__as_municipality", "document").defer("version__content")
    return rows.annotate(is_replaced=Exists(Decision.objects.filter(replaces=OuterRef("pk"))))


def sign_offs() -> QuerySet[Any]:
    rows = SignOff.objects.select_related("version", "body__as_municipality", "document")
    return rows.defer("version__content")


class AgreementVersionFilter(django_filters.FilterSet):
    agreement = django_filters.NumberFilter(field_name="subject_id", label="Id of the agreement.")
    content_sha256 = django_filters.CharFilter(label="The hash of its content.")


class AgreementVersionViewSet(DirectoryViewSet):
    """Versions of agreements: all of them for the parties, the signed ones for the area."""

    queryset = Version.objects.none()
    serializer_class = AgreementVersionSerializer
    filterset_class = AgreementVersionFilter
    ordering = "-frozen_at"
    ordering_fields: ClassVar[dict[str, str]] = {"frozen_at": "frozen_at", "number": "number"}

    def get_queryset(self) -> QuerySet[Any]:
        return versions_seen(caller(self.request)).prefetch_related(
            Prefetch("renditions", Rendition.objects.current().order_by("kind", "variant"), to_attr="files"),
            Prefetch("decisions", decisions().filter(is_replaced=False).order_by("day", "pk"), to_attr="standing"),
            Prefetch("sign_offs", sign_offs().order_by("at", "pk"), to_attr="signed"),
        )

    @extend_schema(
        parameters=[
            OpenApiParameter("file", str, required=True, enum=RenditionKind.values, description="Which file."),
            OpenApiParameter("municipality", str, description="Code of the municipality whose front it is to have."),
        ],
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    @action(detail=True, filterset_class=None)
    def download(self, request: Request, pk: int) -> HttpResponse:
        """A file of the version."""
        version: Version = self.get_object()
        kind = request.query_params.get("file", "")
        if kind not in RenditionKind.values:
            known = ", ".join(RenditionKind.values)
            raise ValidationError({"file": _("Choose one of: %(choices)s.") % {"choices": known}})
        variant = request.query_params.get("municipality", "")
        files = version.renditions.current().filter(kind=kind).order_by("variant")
        found = files.filter(variant=variant).first() or (None if variant else files.first())
        if found is None:
            raise NotFound(_("The version has no such file."))
        return download(request, found)


class DecisionInput(Acting):
    agreement = AgreementId()
    content_sha256 = serializers.RegexField(SHA256, help_text="Of the content that the board had before it.")
    result = serializers.ChoiceField(DecisionResult.choices)
    day = serializers.DateField(validators=[within_reason], help_text="The day of the meeting.")
    paragraph = serializers.CharField(max_length=30, help_text="Such as § 84.")
    case_number = serializers.CharField(max_length=60, help_text="As the registrar has given it.")
    board = IdField(queryset=Board.objects.all(), required=False, allow_null=True, help_text="Id of the board.")
    board_name = serializers.CharField(
        max_length=150, required=False, allow_blank=True, help_text="Who decided, when it was not a board."
    )
    final_on = serializers.DateField(required=False, allow_null=True, validators=[within_reason])
    remark = serializers.CharField(
        max_length=2000, required=False, allow_blank=True, help_text="Needed when it is not approved."
    )
    document = DocumentInput(required=False, allow_null=True, help_text="An extract of the minutes.")
    corrects = serializers.IntegerField(
        min_value=1,
        max_value=2**63 - 1,
        required=False,
        allow_null=True,
        help_text="Id of the decision on record that this one corrects.",
    )


class OfVersionFilter(django_filters.FilterSet):
    agreement = django_filters.NumberFilter(field_name="version__subject_id", label="Id of the agreement.")
    version = django_filters.NumberFilter(label="Id of the version.")
    municipality = django_filters.CharFilter(field_name="body__as_municipality__code", label="Code of whose it is.")


class DecisionFilter(OfVersionFilter):
    result = django_filters.ChoiceFilter(choices=DecisionResult.choices, label="What was decided.")
    case_number = django_filters.CharFilter(label="Case number.")


class DecisionViewSet(DirectoryViewSet):
    """What boards have decided: about every version for the parties, about what is signed for the area."""

    queryset = Decision.objects.none()
    serializer_class = DecisionSerializer
    filterset_class = DecisionFilter
    ordering = "-day"
    ordering_fields: ClassVar[dict[str, str]] = {"day": "day", "at": "at"}

    def rows(self) -> QuerySet[Any]:
        return decisions()

    def get_queryset(self) -> QuerySet[Any]:
        return self.rows().filter(version__in=versions_seen(caller(self.request)).values("pk"))

    @extend_schema(request=DecisionInput, responses={201: DecisionSerializer})
    def create(self, request: Request) -> Response:
        """Put on record what one's board has decided. 409 with `old_content` if the text has another version now."""
        said = said_in(DecisionInput, request)
        kinds = (RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)
        party = acting(request, said.pop("agreement"), said.pop("on_behalf_of", None), *kinds)
        require(request.user, "agreements.record_decision", party)
        document = document_in(said.pop("document", None))
        decision = record_decision(
            party, **said, document=document, by=caller(request), on_behalf_of=party.municipality.body
        )  # fmt: skip
        return self.answer(decision, 201)
