"""The tables for the system administrator to look at: what is shared, and states and times. No purposes, no names."""

from __future__ import annotations

from django.contrib import admin

from records.admin import ReadOnly
from resources.models import Blocking, Booking, Category, Feature, Resource


@admin.register(Category)
class CategoryAdmin(ReadOnly):
    list_display = ("name_sv", "name_en", "kind", "parent", "slug", "came_in", "verified")
    list_select_related = ("parent",)
    list_filter = ("kind",)
    search_fields = ("name_sv", "name_en")


@admin.register(Feature)
class FeatureAdmin(ReadOnly):
    list_display = ("name_sv", "name_en", "kind", "slug", "came_in", "verified")
    list_filter = ("kind",)
    search_fields = ("name_sv", "name_en")


@admin.register(Resource)
class ResourceAdmin(ReadOnly):
    list_display = ("name", "owner", "municipality", "category", "capacity", "approval", "is_retired", "example")
    list_select_related = ("owner", "municipality", "category")
    list_filter = ("kind", "approval", "is_retired", "example")
    search_fields = ("name",)


@admin.register(Booking)
class BookingAdmin(ReadOnly):
    list_display = ("id", "resource", "request_state", "during", "decide_by", "decided_at", "example")
    list_select_related = ("resource",)
    list_filter = ("request_state", "example")
    fields = ("resource", "request_state", "during", "decide_by", "decided_at", "sequence", "example")


@admin.register(Blocking)
class BlockingAdmin(ReadOnly):
    list_display = ("id", "resource", "during", "ended_at")
    list_select_related = ("resource",)
    fields = ("resource", "during", "ended_at")
