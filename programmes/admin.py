"""The tables for the system administrator to look at. What changes does so through an operation."""

from __future__ import annotations

from django.contrib import admin

from programmes.models import (
    FileImport,
    Offering,
    OfferingFact,
    OfferingReminder,
    OfferingReport,
    Orientation,
    Programme,
    PupilFlow,
    ReportingDeadline,
    Succession,
)
from records.admin import ReadOnly


@admin.register(Programme)
class ProgrammeAdmin(ReadOnly):
    list_display = ("code", "name_sv", "kind", "curriculum", "family", "valid", "came_in")
    list_filter = ("kind", "curriculum")
    search_fields = ("code", "name_sv")


@admin.register(Orientation)
class OrientationAdmin(ReadOnly):
    list_display = ("code", "name_sv", "programme", "valid", "came_in")
    list_select_related = ("programme",)
    search_fields = ("code", "name_sv")


@admin.register(Succession)
class SuccessionAdmin(ReadOnly):
    list_display = ("__str__", "kind", "since")
    list_select_related = ("from_programme", "to_programme", "from_orientation", "to_orientation")


@admin.register(OfferingReport)
class OfferingReportAdmin(ReadOnly):
    list_display = ("school", "provider", "school_year", "complete", "reported_at", "on_behalf_of", "example")
    list_select_related = ("school", "provider", "on_behalf_of")


@admin.register(Offering)
class OfferingAdmin(ReadOnly):
    list_display = ("report", "programme", "orientation", "offered", "seats", "example")
    list_select_related = ("report__school", "report__provider", "programme", "orientation")


@admin.register(OfferingFact)
class OfferingFactAdmin(ReadOnly):
    list_display = ("municipality", "school", "programme", "orientation", "year", "offered", "verified")
    list_select_related = ("municipality", "school", "programme", "orientation")


@admin.register(PupilFlow)
class PupilFlowAdmin(ReadOnly):
    """Without the number: whoever may see small ones sees them on the portal's own page."""

    list_display = ("home", "provider_municipality", "programme", "school_year", "semester", "example")
    list_select_related = ("home", "provider_municipality", "programme")
    exclude = ("pupils",)


@admin.register(ReportingDeadline)
class ReportingDeadlineAdmin(ReadOnly):
    list_display = ("area", "school_year", "last_day", "example")
    list_select_related = ("area",)


@admin.register(OfferingReminder)
class OfferingReminderAdmin(ReadOnly):
    list_display = ("municipality", "school_year", "sent_at", "from_body")
    list_select_related = ("municipality", "from_body")


@admin.register(FileImport)
class FileImportAdmin(ReadOnly):
    list_display = ("name", "kind", "municipality", "school_year", "by", "at")
    list_select_related = ("municipality", "by")
    exclude = ("content",)
