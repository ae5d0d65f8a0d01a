"""The tables for the system administrator to look at: numbers, states and days. Case content is not shown."""

from __future__ import annotations

from django.contrib import admin

from agreements.models import Agreement, ArchiveCopy, ClockDay, Notice, PriceList, Revision, SignatureRequest, Statement
from records.admin import ReadOnly


@admin.register(Agreement)
class AgreementAdmin(ReadOnly):
    list_display = ("number", "area", "kind", "standing", "started_at", "example")
    list_select_related = ("area",)
    list_filter = ("kind", "standing", "example")
    fields = ("area", "year", "sequence", "kind", "standing", "started_by", "started_at", "example")


@admin.register(Revision)
class RevisionAdmin(ReadOnly):
    list_display = ("number", "ordinal", "kind", "state", "first_day", "last_day", "signed_at")
    list_select_related = ("agreement",)
    list_filter = ("state", "kind")
    fields = (
        "number", "ordinal", "kind", "state", "first_day", "last_day", "is_open_ended", "created_at", "sent_at",
        "deciding_since", "signing_since", "signed_at",
    )  # fmt: skip

    @admin.display(ordering="agreement")
    def number(self, revision: Revision) -> str:
        return revision.agreement.number


@admin.register(Notice)
class NoticeAdmin(ReadOnly):
    list_display = ("number", "given_by", "given_on", "received_on", "effective_on", "withdrawn_at")
    list_select_related = ("agreement", "given_by")
    fields = ("number", "given_by", "given_on", "received_on", "effective_on", "withdrawn_at")

    @admin.display(ordering="agreement")
    def number(self, notice: Notice) -> str:
        return notice.agreement.number


@admin.register(SignatureRequest)
class SignatureRequestAdmin(ReadOnly):
    list_display = ("id", "municipality", "state", "at", "ended_at")
    list_select_related = ("party__municipality",)
    list_filter = ("state",)
    fields = ("municipality", "state", "at", "ended_at")

    @admin.display
    def municipality(self, asked: SignatureRequest) -> str:
        return asked.party.municipality.name


@admin.register(ArchiveCopy)
class ArchiveCopyAdmin(ReadOnly):
    list_display = ("number", "municipality", "sent_at", "received_at")
    list_select_related = ("agreement", "party__municipality")
    fields = ("number", "municipality", "sent_at", "received_at")

    @admin.display(ordering="agreement")
    def number(self, copy: ArchiveCopy) -> str:
        return copy.agreement.number

    @admin.display
    def municipality(self, copy: ArchiveCopy) -> str:
        return copy.party.municipality.name


@admin.register(Statement)
class StatementAdmin(ReadOnly):
    list_display = ("first", "second", "school_year", "semester", "number", "state", "made_at", "locked_at")
    list_select_related = ("first", "second")
    list_filter = ("state",)
    fields = ("first", "second", "school_year", "semester", "number", "state", "made_at", "locked_at")


@admin.register(PriceList)
class PriceListAdmin(ReadOnly):
    list_display = ("title", "kind", "municipality", "area", "year", "number", "came_in")
    list_select_related = ("municipality", "area")
    list_filter = ("kind", "year")


@admin.register(ClockDay)
class ClockDayAdmin(ReadOnly):
    list_display = ("area", "event", "year", "month", "day", "came_in")
    list_select_related = ("area",)
