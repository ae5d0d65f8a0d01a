"""For the system administrator: how mail and jobs are doing. Nothing is changed here, and no case content is shown."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from records.models import Job, Outgoing, Pulse, Source


class ReadOnly(admin.ModelAdmin):
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_active and request.user.is_superuser

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


@admin.register(Job)
class JobAdmin(ReadOnly):
    list_display = ["id", "kind", "state", "attempts", "created_at", "heartbeat_at", "finished_at"]
    list_filter = ["state", "kind"]
    fields = [
        "kind", "key", "state", "step", "done", "total", "attempts", "heartbeat_at", "not_before",
        "created_at", "started_at", "finished_at", "error",
    ]  # fmt: skip


@admin.register(Outgoing)
class OutgoingAdmin(ReadOnly):
    list_display = ["message_id", "kind", "state", "attempts", "created_at", "not_before", "sent_at"]
    list_filter = ["state", "kind"]
    fields = [
        "message_id", "kind", "language", "state", "attempts", "created_at", "not_before", "sent_at", "last_error",
    ]  # fmt: skip


@admin.register(Pulse)
class PulseAdmin(ReadOnly):
    list_display = ["name", "at"]


@admin.register(Source)
class SourceAdmin(ReadOnly):
    list_display = ["publisher", "title", "year", "address"]
    search_fields = ["key", "publisher", "title"]
