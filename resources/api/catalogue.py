"""What is shared, for programs: search, timelines, and whether the dates of a series can be had."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from collab4m.access import get_permitted, get_visible
from organisations.api import FACT, FactSerializer, IdField, caller
from organisations.models import Site
from resources.api.bookings import BookingSerializer, SeriesInput, pattern_of
from resources.api.shared import (
    WINDOW,
    AlternativeSerializer,
    AskedMoment,
    RefusalSerializer,
    ResourcesViewSet,
    TimeInput,
    WindowQuery,
    asking_body,
    body,
    query,
)
from resources.api.waiting import WaitingInput, WaitingSerializer
from resources.models import Category, Feature, Resource
from resources.operations import (
    DateState,
    Need,
    SlotKind,
    Standing,
    displaced_by,
    preview,
    search_resources,
    timeline_of,
    wait_for,
    with_reasons,
)
from resources.operations.searching import resources_for

MOST_ROWS = 200


class ResourceSerializer(FactSerializer):
    """A resource that is shared. `standing` and `travel_minutes` are there when a time and a site were given."""

    owner = serializers.CharField(source="owner.name", read_only=True)
    municipality = serializers.CharField(source="municipality.code", read_only=True)
    category = serializers.CharField(source="category.slug", read_only=True)
    features: Any = serializers.SlugRelatedField(slug_field="slug", many=True, read_only=True)
    site = serializers.CharField(source="site.name", read_only=True, default=None)
    standing = serializers.ChoiceField(Standing.choices, read_only=True, allow_null=True, default=None)
    travel_minutes = serializers.IntegerField(read_only=True, allow_null=True, default=None)
    price_sek = serializers.DecimalField(10, 2, read_only=True, allow_null=True, default=None)

    class Meta:
        model = Resource
        fields = (
            "id", "name", "kind", "owner", "municipality", "category", "features", "site", "capacity", "terms",
            "permits", "takes", "approval", "rivalry", "askers", "decide_hours", "turnaround_minutes", "lead_minutes",
            "longest_minutes", "cancel_hours", "standing", "travel_minutes", "price_sek", *FACT,
        )  # fmt: skip


class SlotSerializer(serializers.Serializer[Any]):
    """A stretch that is not free. Whose it is stands there only for those whom it concerns."""

    kind = serializers.ChoiceField(SlotKind.choices)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    words = serializers.CharField(allow_blank=True)
    booking = serializers.IntegerField(allow_null=True)
    body = serializers.CharField(allow_blank=True)


class TimelineRowSerializer(serializers.Serializer[Any]):
    resource = serializers.IntegerField(source="resource.pk")
    name = serializers.CharField(source="resource.name")
    slots = SlotSerializer(many=True)


class SearchQuery(serializers.Serializer[Any]):
    search = serializers.CharField(
        max_length=100, required=False, allow_blank=True, help_text="Words in name, category, features, owner."
    )
    free_from = AskedMoment(required=False, help_text="Start of the time at which it is needed.")
    free_to = AskedMoment(required=False, help_text="End of that time.")
    category = serializers.SlugRelatedField(
        slug_field="slug", queryset=Category.objects.all(), required=False, help_text="Short name of a category."
    )
    feature = serializers.ListField(
        child=serializers.CharField(max_length=50), max_length=10, required=False,
        help_text="Short name of a feature. May stand there several times: then it has all of them.",
    )  # fmt: skip
    capacity_min = serializers.IntegerField(min_value=0, max_value=32767, required=False, help_text="Seats or places.")
    from_site = IdField(
        queryset=Site.objects.select_related("municipality"), required=False, help_text="Id of the site one goes from."
    )

    def validate_feature(self, slugs: list[str]) -> list[Feature]:
        found = list(Feature.objects.filter(slug__in=slugs))
        if unknown := set(slugs) - {one.slug for one in found}:
            words = {"names": ", ".join(sorted(unknown))}
            raise ValidationError(_("There is no feature with the short name %(names)s.") % words)
        return found

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        begins, ends = attrs.get("free_from"), attrs.get("free_to")
        if (begins is None) != (ends is None):
            raise ValidationError({"free_to": [_("Give both free_from and free_to, or neither.")]})
        if begins and ends and ends <= begins:
            raise ValidationError({"free_to": [_("The end comes before the start. Change one of them.")]})
        return attrs


class TimelineQuery(WindowQuery):
    category = serializers.SlugRelatedField(slug_field="slug", queryset=Category.objects.all(), required=False)


class PreviewInput(TimeInput):
    quantity = serializers.IntegerField(min_value=1, max_value=1000, default=1)
    series = SeriesInput(required=False)


class OccurrenceSerializer(serializers.Serializer[Any]):
    """A date of a series, whether it can be had, and what could be had instead."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    state = serializers.ChoiceField(DateState.choices)
    why = serializers.CharField(allow_blank=True)
    alternatives = AlternativeSerializer(source="instead", many=True)


class ResourceViewSet(ResourcesViewSet):
    """What is shared in the areas around one. With `free_from` and `free_to` the best fit comes first."""

    queryset = Resource.objects.none()
    serializer_class = ResourceSerializer

    def rows(self) -> QuerySet[Any]:
        rows = Resource.objects.select_related("owner", "municipality", "category", "site", "source")
        return rows.prefetch_related("features")

    @extend_schema(parameters=[SearchQuery])
    def list(self, request: Request) -> Response:
        """Find resources. Without a time: by name, and nothing is said of when they are free."""
        asked = query(SearchQuery, request)
        times = ((asked["free_from"], asked["free_to"]),) if "free_from" in asked else ()
        site = asked.get("from_site")
        need = Need(
            words=asked.get("search", ""),
            category=asked.get("category"),
            features=asked.get("feature", ()),
            capacity=asked.get("capacity_min"),
            times=times,
            from_municipality=site.municipality if site else None,
            from_site=site,
        )
        if not times and site is None:
            rows = resources_for(caller(request), need).in_swedish_order()
            page = self.paginate_queryset(
                rows.select_related("owner", "municipality", "category", "site", "source").prefetch_related("features")
            )
            return self.get_paginated_response(ResourceSerializer(page, many=True).data)
        found = self.paginate_queryset(search_resources(caller(request), need))
        placed: list[Any] = []
        for one in with_reasons(list(found or ()), need):
            row = one.resource
            row.standing = one.standings[0] if one.standings else None
            row.travel_minutes, row.price_sek = one.travel_minutes, one.price_sek
            placed.append(row)
        return self.get_paginated_response(ResourceSerializer(placed, many=True).data)

    @extend_schema(
        parameters=[*WINDOW, OpenApiParameter("category", str, description="Short name of a category.")],
        responses=TimelineRowSerializer(many=True),
    )
    @action(detail=False, url_path="timeline", url_name="timeline-of-many", pagination_class=None)
    def timeline_of_many(self, request: Request) -> Response:
        """What is not free in a window of time, for up to 200 resources in alphabetical order."""
        given = query(TimelineQuery, request)
        need = Need(category=given.get("category"))
        rows = resources_for(caller(request), need).in_swedish_order()[:MOST_ROWS]
        found = timeline_of(list(rows), given["from"], given["to"], reader=caller(request))
        return Response(TimelineRowSerializer(found, many=True).data)

    @extend_schema(parameters=WINDOW, responses=TimelineRowSerializer)
    @action(detail=True)
    def timeline(self, request: Request, pk: int) -> Response:
        """What is not free of one resource in a window of time."""
        resource = get_visible(Resource.objects, request.user, pk=pk)
        given = query(WindowQuery, request)
        (row,) = timeline_of([resource], given["from"], given["to"], reader=caller(request))
        return Response(TimelineRowSerializer(row).data)

    @extend_schema(parameters=WINDOW, responses=BookingSerializer(many=True))
    @action(detail=True, pagination_class=None)
    def displaced(self, request: Request, pk: int) -> Response:
        """The bookings that a blocking in that window would displace. For the owner."""
        resource = get_permitted(Resource.objects.select_related("owner"), request.user, "resources.block", pk=pk)
        given = query(WindowQuery, request)
        return Response(BookingSerializer(displaced_by(resource, given["from"], given["to"]), many=True).data)

    @extend_schema(request=PreviewInput, responses={200: OccurrenceSerializer(many=True), 409: RefusalSerializer})
    @action(detail=True, methods=["post"], pagination_class=None)
    def preview(self, request: Request, pk: int) -> Response:
        """Each date of a time or a series, and whether it can be had. Nothing is asked for."""
        by = caller(request)
        resource = get_visible(Resource.objects.select_related("owner", "municipality"), by, pk=pk)
        asked = body(PreviewInput, request)
        times = [(asked["starts_at"], asked["ends_at"])]
        if series := asked.get("series"):
            pattern = pattern_of(series, asked["starts_at"], asked["ends_at"])
            times = [time for time in pattern.times() if time[0].date() not in series["leave_out"]]
        found = preview(resource, times, user=by, quantity=asked["quantity"])
        return Response(OccurrenceSerializer(found, many=True).data)

    @extend_schema(request=WaitingInput, responses={201: WaitingSerializer, 409: RefusalSerializer})
    @action(detail=True, methods=["post"])
    def wait(self, request: Request, pk: int) -> Response:
        """Stand in line for a time that is taken. What is freed is offered to the first whose whole need fits."""
        by = caller(request)
        resource = get_permitted(Resource.objects.select_related("owner", "municipality"), by, "resources.ask", pk=pk)
        asked = body(WaitingInput, request)
        on_behalf_of = asking_body(by, asked.pop("on_behalf_of", None))
        waiting = wait_for(resource, **asked, by=by, on_behalf_of=on_behalf_of)
        return Response(WaitingSerializer(waiting).data, status=201)
