"""Resources and bookings, for programs: finding what is free, asking, deciding, letting go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from collab4m.access import get_permitted, get_visible
from organisations.api import FACT, DirectoryViewSet, FactSerializer, caller
from organisations.models import Body, Site, User
from programmes.models import Programme
from records.people import speaking_for
from resources.models import Booking, Category, Feature, Resource
from resources.operations import (
    Need,
    SlotKind,
    Standing,
    approve_booking,
    ask_for_more,
    cancel_booking,
    change_time,
    decline_booking,
    request_booking,
    search_resources,
    timeline_of,
)
from resources.operations.searching import resources_for

LONGEST_TIMELINE = timedelta(days=400)
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
            "permits",
            "approval", "rivalry", "turnaround_minutes", "standing", "travel_minutes", "price_sek", *FACT,
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


class BookingSerializer(serializers.ModelSerializer[Booking]):
    resource = serializers.IntegerField(source="resource_id", read_only=True)
    series = serializers.IntegerField(source="series_id", read_only=True, allow_null=True)
    booked_for = serializers.CharField(source="booked_for.name", read_only=True)
    starts_at = serializers.DateTimeField(read_only=True)
    ends_at = serializers.DateTimeField(read_only=True)
    programme = serializers.CharField(source="programme.code", read_only=True, default=None)

    class Meta:
        model = Booking
        fields = (
            "id", "resource", "series", "booked_for", "starts_at", "ends_at", "quantity", "purpose", "programme",
            "pupils",
            "request_state", "decide_by", "answer", "price_sek", "vat", "example",
        )  # fmt: skip
        read_only_fields = fields


class BookingInput(serializers.Serializer[Any]):
    """What is asked for. `on_behalf_of` is the id of the body one speaks for; left out when there is only one."""

    resource = serializers.IntegerField(min_value=1)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    purpose = serializers.CharField(max_length=300)
    quantity = serializers.IntegerField(min_value=1, max_value=1000, default=1)
    programme = serializers.SlugRelatedField(
        slug_field="code", queryset=Programme.objects.all(), required=False, allow_null=True
    )
    pupils = serializers.IntegerField(min_value=0, max_value=32767, required=False, allow_null=True)
    licence_confirmed = serializers.BooleanField(default=False)
    cost_place = serializers.CharField(max_length=60, required=False, allow_blank=True)
    on_behalf_of = serializers.IntegerField(min_value=1, required=False)


class TimeInput(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class ReasonInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class SearchQuery(serializers.Serializer[Any]):
    search = serializers.CharField(
        max_length=100, required=False, help_text="Words in name, category, features, owner."
    )
    free_from = serializers.DateTimeField(required=False, help_text="Start of the time at which it is needed.")
    free_to = serializers.DateTimeField(required=False, help_text="End of that time.")
    category = serializers.SlugRelatedField(
        slug_field="slug", queryset=Category.objects.all(), required=False, help_text="Short name of a category."
    )
    feature = serializers.SlugRelatedField(
        slug_field="slug", queryset=Feature.objects.all(), required=False, help_text="Short name of a feature."
    )
    capacity_min = serializers.IntegerField(min_value=0, max_value=32767, required=False, help_text="Seats or places.")
    from_site = serializers.PrimaryKeyRelatedField(
        queryset=Site.objects.select_related("municipality"), required=False, help_text="Id of the site one goes from."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        begins, ends = attrs.get("free_from"), attrs.get("free_to")
        if (begins is None) != (ends is None):
            raise ValidationError({"free_to": [_("Give both free_from and free_to, or neither.")]})
        if begins and ends and ends <= begins:
            raise ValidationError({"free_to": [_("The end comes before the start. Change one of them.")]})
        return attrs


class TimelineQuery(serializers.Serializer[Any]):
    category = serializers.SlugRelatedField(slug_field="slug", queryset=Category.objects.all(), required=False)


# `from` is no name for a field in Python.
TimelineQuery._declared_fields |= {"from": serializers.DateTimeField(), "to": serializers.DateTimeField()}
WINDOW = [
    OpenApiParameter("from", OpenApiTypes.DATETIME, required=True, description="Start of the window."),
    OpenApiParameter("to", OpenApiTypes.DATETIME, required=True, description="End of it, at most 400 days later."),
]


def query(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """What the address says, checked."""
    given = form(data=request.query_params)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def body(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """What the request's body says, checked."""
    given = form(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _window(request: Request) -> tuple[datetime, datetime, dict[str, Any]]:
    given = query(TimelineQuery, request)
    begins, ends = given["from"], given["to"]
    if ends <= begins:
        raise ValidationError({"to": [_("The end comes before the start. Change one of them.")]})
    if ends - begins > LONGEST_TIMELINE:
        raise ValidationError({"to": [_("Ask for 400 days at a time at most.")]})
    return begins, ends, given


class ResourceViewSet(DirectoryViewSet):
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
            features=[asked["feature"]] if "feature" in asked else (),
            capacity=asked.get("capacity_min"),
            times=times,
            from_municipality=site.municipality if site else None,
        )
        if not times and site is None:
            rows = resources_for(caller(request), need).in_swedish_order()
            page = self.paginate_queryset(
                rows.select_related("owner", "municipality", "category", "site", "source").prefetch_related("features")
            )
            return self.get_paginated_response(ResourceSerializer(page, many=True).data)
        found = self.paginate_queryset(search_resources(caller(request), need))
        placed: list[Any] = []
        for one in found or ():
            row: Any = one.resource
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
        begins, ends, given = _window(request)
        need = Need(category=given.get("category"))
        rows = resources_for(caller(request), need).in_swedish_order()[:MOST_ROWS]
        found = timeline_of(list(rows), begins, ends, reader=caller(request))
        return Response(TimelineRowSerializer(found, many=True).data)

    @extend_schema(parameters=WINDOW, responses=TimelineRowSerializer)
    @action(detail=True)
    def timeline(self, request: Request, pk: int) -> Response:
        """What is not free of one resource in a window of time."""
        begins, ends, _given = _window(request)
        resource = get_visible(Resource.objects, request.user, pk=pk)
        (row,) = timeline_of([resource], begins, ends, reader=caller(request))
        return Response(TimelineRowSerializer(row).data)


def acting(user: User, asked: int | None) -> Body:
    """The body for which a program asks: the one it names, or the only one it can be."""
    own = Body.objects.filter(pk__in=user.bodies_where("administrator", "principal"))
    if asked is not None:
        found = own.filter(pk=asked).first()
    else:
        bodies = list(own[:2])
        found = bodies[0] if len(bodies) == 1 else None
    if found is None:
        raise ValidationError({"on_behalf_of": [_("Say for which of your bodies you ask.")]})
    return found


class BookingViewSet(DirectoryViewSet):
    """What one's bodies have asked for, or were asked for. Others' bookings are not here at all."""

    queryset = Booking.objects.none()
    serializer_class = BookingSerializer
    ordering = "-starts_at"
    ordering_fields: ClassVar[dict[str, str]] = {"starts_at": "during", "asked_at": "asked_at"}

    def rows(self) -> QuerySet[Any]:
        return Booking.objects.select_related(
            "resource__owner__as_school", "resource__municipality", "booked_for__as_school", "programme"
        ).distinct()

    @extend_schema(
        request=BookingInput,
        responses={201: BookingSerializer},
        parameters=[
            OpenApiParameter(
                "Idempotency-Key", str, OpenApiParameter.HEADER,
                description="Any text of your own, at most 100 characters: the same one again gives the same booking.",
            )
        ],
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        """Ask for a resource. 409 `slot_taken` names up to three `alternatives`."""
        asked, by = body(BookingInput, request), caller(request)
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > 100:
            raise ValidationError({"Idempotency-Key": [_("Use at most 100 characters.")]})
        on_behalf_of = acting(by, asked.pop("on_behalf_of", None))
        resource = get_permitted(
            Resource.objects.select_related("owner", "municipality"), by, "resources.ask", pk=asked.pop("resource")
        )
        booking = request_booking(resource, **asked, by=by, on_behalf_of=on_behalf_of, idempotency_key=key)
        return self.answer(booking, 201)

    def _mine(self, request: Request, pk: int, perm: str) -> Booking:
        found: Booking = get_permitted(self.rows(), request.user, perm, pk=pk)
        return found

    def _owner(self, by: User, booking: Booking) -> Body:
        own = speaking_for(by, booking.resource.owner)
        return Body.objects.get(pk=own[0]) if own else booking.resource.owner

    @extend_schema(request=ReasonInput, responses=BookingSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: int) -> Response:
        """Approve a request. Rivals for the same time are declined, with what they could have instead."""
        booking, by = self._mine(request, pk, "resources.decide_booking"), caller(request)
        note = body(ReasonInput, request)["reason"]
        return self.answer(approve_booking(booking, note=note, by=by, on_behalf_of=self._owner(by, booking)), 200)

    @extend_schema(request=ReasonInput, responses=BookingSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: int) -> Response:
        """Decline a request, with a reason."""
        booking, by = self._mine(request, pk, "resources.decide_booking"), caller(request)
        reason = body(ReasonInput, request)["reason"]
        return self.answer(decline_booking(booking, reason=reason, by=by, on_behalf_of=self._owner(by, booking)), 200)

    @extend_schema(request=ReasonInput, responses=BookingSerializer)
    @action(detail=True, methods=["post"], url_path="ask-for-more")
    def ask_for_more(self, request: Request, pk: int) -> Response:
        """Send a request back with a question, in `reason`."""
        booking, by = self._mine(request, pk, "resources.decide_booking"), caller(request)
        question = body(ReasonInput, request)["reason"]
        return self.answer(ask_for_more(booking, question=question, by=by, on_behalf_of=self._owner(by, booking)), 200)

    @extend_schema(request=ReasonInput, responses=BookingSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: int) -> Response:
        """Withdraw a request or cancel a booking."""
        booking, by = self._mine(request, pk, "resources.cancel_booking"), caller(request)
        own = speaking_for(by, booking.booked_for)
        acts = Body.objects.get(pk=own[0]) if own else self._owner(by, booking)
        reason = body(ReasonInput, request)["reason"]
        return self.answer(cancel_booking(booking, reason=reason, by=by, on_behalf_of=acts), 200)

    @extend_schema(request=TimeInput, responses=BookingSerializer)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: int) -> Response:
        """Ask for another time. What was approved asks again, unless the owner approves at once."""
        booking, by = self._mine(request, pk, "resources.change_booking"), caller(request)
        acts = Body.objects.get(pk=speaking_for(by, booking.booked_for)[0])
        return self.answer(change_time(booking, **body(TimeInput, request), by=by, on_behalf_of=acts), 200)
