"""The tables for the system administrator to look at. Texts and versions are case content and not shown."""

from __future__ import annotations

from django.contrib import admin

from records.admin import ReadOnly
from reports.models import MemoSection, Report


@admin.register(Report)
class ReportAdmin(ReadOnly):
    list_display = ("title", "area", "school_year", "due", "came_in")
    list_select_related = ("area",)


@admin.register(MemoSection)
class MemoSectionAdmin(ReadOnly):
    list_display = ("board", "section", "heading", "position")
    list_select_related = ("board__municipality",)
