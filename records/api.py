"""For programs: the jobs one has ordered, and texts written together."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from collab4m.access import get_permitted, get_visible
from records.models import LONGEST_TEXT, Choice, Job, Part
from records.operations import PartChanged, save_part
from records.operations.questions import NotYourBody
from records.people import bodies_acted_for
from records.subjects import reference
from records.values import one_newline
from records.work import kind_named


class JobSerializer(serializers.ModelSerializer[Job]):
    kind_label = serializers.SerializerMethodField(help_text="What the work is, in words.")
    percent = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = Job
        fields = [
            "id", "kind", "kind_label", "state", "step", "done", "total", "percent", "error",
            "created_at", "started_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_kind_label(self, job: Job) -> str:
        kind = kind_named(job.kind)
        return str(kind.label) if kind else job.kind


class JobViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Job]):
    """The jobs that the caller has ordered, and how far they have come."""

    serializer_class = JobSerializer
    queryset = Job.objects.all()
    ordering = ["-created_at", "-pk"]
    ordering_fields = ["created_at", "finished_at"]

    def get_queryset(self) -> Any:
        return Job.objects.visible_to(self.request.user).order_by("-created_at", "-pk")


class PartSerializer(serializers.ModelSerializer[Part]):
    subject = serializers.SerializerMethodField(help_text="What the text belongs to, as `app.model:id`.")
    last_by = serializers.StringRelatedField[Any](allow_null=True, read_only=True)
    last_on_behalf_of = serializers.StringRelatedField[Any](allow_null=True, read_only=True)

    class Meta:
        model = Part
        fields = ["id", "subject", "key", "heading", "text", "version", "last_by", "last_on_behalf_of", "last_at"]
        read_only_fields = fields

    def get_subject(self, part: Part) -> str:
        subject: Any = part.subject
        return reference(subject)


class WrittenText(serializers.CharField):
    """Several lines; kept as they are but for how they end."""

    def to_internal_value(self, data: Any) -> str:
        return one_newline(super().to_internal_value(data))


class PartInput(serializers.Serializer[Any]):
    text = WrittenText(allow_blank=True, trim_whitespace=False, max_length=LONGEST_TEXT)
    on_behalf_of = serializers.IntegerField(
        required=False, allow_null=True, help_text="Id of the municipality or school; may be left out if there is one."
    )
    choice = serializers.ChoiceField(
        choices=Choice.choices,
        required=False,
        allow_blank=True,
        help_text="After a conflict: what stands. With `theirs`, `text` is the one that gives way.",
    )
    sitting = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=36,
        help_text="A name for one open editor. Its savings never conflict with each other.",
    )
    turn = serializers.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, help_text="Counts up with each saving in that editor."
    )


class PartConflict(serializers.Serializer[Any]):
    """The error form, and both texts when somebody else saved meanwhile."""

    code = serializers.CharField()
    detail = serializers.CharField()
    fields = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))  # type: ignore[assignment]
    mine = serializers.CharField(required=False, help_text="The text that was sent. It is kept in the history.")
    theirs = PartSerializer(required=False, help_text="The text that stands, with its version.")


class VersionMissing(APIException):
    status_code = status.HTTP_428_PRECONDITION_REQUIRED
    default_code = "version_missing"
    default_detail = _('Say in If-Match which version you began with, for example "3".')


class VersionUnknown(APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "version_unknown"
    default_detail = _("There is no such version. Read the text again and use the version in its ETag.")


class PartViewSet(viewsets.GenericViewSet[Part]):
    """Texts that several write together; each is saved alone, from the version that one began with."""

    serializer_class = PartSerializer
    queryset = Part.objects.select_related("last_by", "last_on_behalf_of")
    lookup_value_converter = "int"

    @extend_schema(responses=PartSerializer)
    def retrieve(self, request: Request, pk: int) -> Response:
        """A text, with its version in ETag."""
        return self._answer(get_visible(self.queryset.all(), request.user, pk=pk))

    @extend_schema(
        request=PartInput,
        parameters=[
            OpenApiParameter(
                "If-Match", str, OpenApiParameter.HEADER, required=True, description="The version one began with."
            )
        ],
        responses={200: PartSerializer, 409: PartConflict},
    )
    def update(self, request: Request, pk: int) -> Response:
        """Save a text. If somebody else has saved since the version named, both texts are kept and come back."""
        part = get_permitted(self.queryset.all(), request.user, "records.write_part", pk=pk)
        base_version = self._base_version(request, part)
        given = PartInput(data=request.data)
        given.is_valid(raise_exception=True)
        said = {name: value for name, value in given.validated_data.items() if name != "on_behalf_of"}
        body = self._body(request, given.validated_data.get("on_behalf_of"))
        try:
            part = save_part(part, **said, base_version=base_version, by=request.user, on_behalf_of=body)
        except PartChanged as changed:
            answer = self._answer(changed.part, status.HTTP_409_CONFLICT)
            error = {"code": changed.code, "detail": str(changed), "fields": {}}
            answer.data = {**error, "mine": changed.text, "theirs": answer.data}
            return answer
        return self._answer(part)

    def _answer(self, part: Part, status: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(part).data, status=status, headers={"ETag": f'"{part.version}"'})

    def _base_version(self, request: Request, part: Part) -> int:
        named = request.headers.get("If-Match", "").strip()
        if not named:
            raise VersionMissing
        number = named.removeprefix("W/").strip('"')
        if not (number.isascii() and number.isdecimal() and len(number) < 10 and int(number) <= part.version):
            raise VersionUnknown
        return int(number)

    def _body(self, request: Request, pk: int | None) -> Any:
        """The body named, or the only one the caller acts for; None for those who act for none."""
        bodies = bodies_acted_for(request.user)
        if pk is None and len(bodies) < 2:
            return bodies[0] if bodies else None
        body = next((body for body in bodies if body.pk == pk), None)
        if body is None:
            raise NotYourBody(field="on_behalf_of")
        return body
