"""The admin: for the system administrator to look, never to change. What changes does so through an operation."""

from __future__ import annotations

from django.contrib import admin

from organisations.models import (
    ApiToken,
    Board,
    CollaborationArea,
    Contact,
    GlossaryEntry,
    Invitation,
    Membership,
    Municipality,
    Provider,
    Role,
    School,
    SchoolBreak,
    Semester,
    Site,
    TravelTime,
    User,
)
from records.admin import ReadOnly


@admin.register(CollaborationArea)
class CollaborationAreaAdmin(ReadOnly):
    list_display = ("name", "short_name", "slug", "came_in", "example")


@admin.register(Membership)
class MembershipAdmin(ReadOnly):
    list_display = ("area", "position", "municipality", "mark", "valid")
    list_select_related = ("area", "municipality")


@admin.register(Municipality)
class MunicipalityAdmin(ReadOnly):
    list_display = ("code", "name", "full_name", "county", "came_in")
    search_fields = ("name", "code")


@admin.register(Provider)
class ProviderAdmin(ReadOnly):
    list_display = ("name", "kind", "municipality", "came_in", "verified")
    list_select_related = ("municipality",)
    search_fields = ("name",)


@admin.register(School)
class SchoolAdmin(ReadOnly):
    list_display = ("name", "municipality", "provider", "valid", "came_in", "verified")
    list_select_related = ("municipality", "provider")
    search_fields = ("name",)


@admin.register(Board)
class BoardAdmin(ReadOnly):
    list_display = ("name", "municipality", "administration", "case_number_pattern", "valid", "came_in", "verified")
    list_select_related = ("municipality",)


@admin.register(Site)
class SiteAdmin(ReadOnly):
    list_display = ("name", "municipality", "address", "valid", "came_in", "verified")
    list_select_related = ("municipality",)


@admin.register(TravelTime)
class TravelTimeAdmin(ReadOnly):
    list_display = ("origin", "destination", "mode", "minutes", "came_in", "verified")
    list_select_related = ("origin", "destination")


@admin.register(Semester)
class SemesterAdmin(ReadOnly):
    list_display = ("municipality", "school_year", "kind", "valid", "example")
    list_select_related = ("municipality",)


@admin.register(SchoolBreak)
class SchoolBreakAdmin(ReadOnly):
    list_display = ("municipality", "school_year", "name", "valid", "example")
    list_select_related = ("municipality",)


@admin.register(Contact)
class ContactAdmin(ReadOnly):
    list_display = ("municipality", "purpose", "owner", "unit", "email", "phone", "example")
    list_select_related = ("municipality",)


@admin.register(GlossaryEntry)
class GlossaryEntryAdmin(ReadOnly):
    list_display = ("name", "name_en", "code_name", "came_in")
    search_fields = ("name", "name_en")


@admin.register(User)
class UserAdmin(ReadOnly):
    list_display = ("email", "name", "is_active", "joined_at", "example")
    search_fields = ("email", "name")
    exclude = ("password",)


@admin.register(Role)
class RoleAdmin(ReadOnly):
    list_display = ("user", "kind", "body", "area", "valid", "example")
    list_select_related = ("user", "body", "area")


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    list_display = ("email", "kind", "body", "area", "sent_at", "expires_at", "accepted_at", "withdrawn_at")
    list_select_related = ("body", "area")
    exclude = ("token_sha256",)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly):
    list_display = ("user", "name", "hint", "may_write", "created_at", "last_day", "revoked_at")
    list_select_related = ("user",)
    exclude = ("token_sha256",)
