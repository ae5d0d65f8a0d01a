"""Jobs, for programs: read only, one's own."""

from typing import Any

from rest_framework import mixins, serializers, viewsets

from records.models import Job
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
