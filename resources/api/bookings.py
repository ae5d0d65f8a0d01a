"""Bookings for programs: asking, once or in a series; deciding; moving; letting go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from collab4m.access import get_permitted
from organisations.api import caller, within_reason
from organisations.models import Body, Municipality, User
from programmes.models import Programme
from records.people import speaking_for
from resources.api.shared import (
    ForSomebody,
    ReasonInput,
    RefusalSerializer,
    ResourcesViewSet,
    TimeInput,
    asking_body,
    body,
    idempotency_key,
    one_of,
)
from resources.models import Booking, RequestState, Resource
from resources.operations import (
    BookingRefused,
    Pattern,
    answer_owner,
    approve_booking,
    ask_for_more,
    cancel_booking,
    change_time,
    decline_booking,
    keep_time,
    request_booking,
    request_series,
)


class BookingSerializer(serializers.ModelSerializer[Booking]):
    """What was asked for. While an approved booking asks for another time, `kept_…` is the one it has."""

    resource = serializers.IntegerField(source="resource_id", read_only=True)
    series = serializers.IntegerField(source="series_id", read_only=True, allow_null=True)
    booked_for = serializers.CharField(source="booked_for.name", read_only=True)
    starts_at = serializers.DateTimeField(read_only=True)
    ends_at = serializers.DateTimeField(read_only=True)
    kept_starts_at = serializers.DateTimeField(source="kept.lower", read_only=True, allow_null=True, default=None)
    kept_ends_at = serializers.DateTimeField(source="kept.upper", read_only=True, allow_null=True, default=None)
    programme = serializers.CharField(source="programme.code", read_only=True, default=None)

    class Meta:
        model = Booking
        fields = (
            "id", "resource", "series", "booked_for", "starts_at", "ends_at", "kept_starts_at", "kept_ends_at",
            "quantity", "purpose", "programme", "pupils", "request_state", "decide_by", "answer", "price_sek", "vat",
            "example",
        )  # fmt: skip
        read_only_fields = fields


class MadeSeriesSerializer(serializers.Serializer[Any]):
    """The bookings of a new series, in order of time."""

    series = serializers.IntegerField()
    bookings = BookingSerializer(many=True)


class SeriesInput(serializers.Serializer[Any]):
    """The same hours on more days, by the clock on the wall, through the last day."""

    last_day = serializers.DateField(validators=[within_reason])
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7), max_length=7, default=list,
        help_text="1 Monday – 7 Sunday; left out: the weekday of starts_at.",
    )  # fmt: skip
    every_weeks = serializers.IntegerField(min_value=1, max_value=52, default=1)
    breaks_of = serializers.SlugRelatedField(
        slug_field="code", queryset=Municipality.objects.all(), required=False, allow_null=True, default=None,
        help_text="Code of the municipality whose breaks are left out, and the time between its semesters.",
    )  # fmt: skip
    leave_out = serializers.ListField(
        child=serializers.DateField(validators=[within_reason]), max_length=200, default=list,
        help_text="Days that are not wanted.",
    )  # fmt: skip


def pattern_of(series: dict[str, Any], starts_at: datetime, ends_at: datetime) -> Pattern:
    """The rule of a series that begins with a time. Raises BookingRefused."""
    begins, ends = localtime(starts_at), localtime(ends_at)
    length = ends.replace(tzinfo=None) - begins.replace(tzinfo=None)
    if length <= timedelta(0):
        raise BookingRefused(_("The end comes before the start. Change one of them."), "ends_at")
    return Pattern(
        first_day=begins.date(),
        last_day=series["last_day"],
        starts=begins.time(),
        minutes=length // timedelta(minutes=1),
        weekdays=series["weekdays"],
        every_weeks=series["every_weeks"],
        breaks_of=series["breaks_of"],
    )


class WhatInput(ForSomebody):
    """What something is wanted for."""

    purpose = serializers.CharField(max_length=300)
    quantity = serializers.IntegerField(min_value=1, max_value=1000, default=1)
    programme = serializers.SlugRelatedField(
        slug_field="code", queryset=Programme.objects.all(), required=False, allow_null=True
    )
    pupils = serializers.IntegerField(min_value=0, max_value=32767, required=False, allow_null=True)
    licence_confirmed = serializers.BooleanField(default=False)
    cost_place = serializers.CharField(max_length=60, required=False, allow_blank=True)


class BookingInput(TimeInput, WhatInput):
    """What is asked for: a time, or with `series` several."""

    resource = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    series = SeriesInput(required=False, allow_null=True)


class NoteInput(ReasonInput):
    """`seen`: ids of the rivals that one knew of; with others there since, nothing is done."""

    seen = serializers.ListField(child=serializers.IntegerField(), max_length=1000, required=False, allow_null=True)


class BookingAnswerInput(ForSomebody):
    answer = serializers.CharField(max_length=1000)


class BookingFilter(django_filters.FilterSet):
    resource = django_filters.NumberFilter(field_name="resource", label="Id of the resource.", min_value=1)
    series = django_filters.NumberFilter(field_name="series", label="Id of the series.", min_value=1)
    request_state = django_filters.ChoiceFilter(
        choices=[("alive", "waits or is approved"), ("ended", "came to nothing"), *RequestState.choices],
        method="in_state",
        label="How it stands. `alive`: it waits or is approved; `ended`: it came to nothing.",
    )
    when = django_filters.ChoiceFilter(
        choices=[("coming", "to come or under way"), ("past", "over")],
        method="at_a_time",
        label="Whether its time is to come, or over. Left out: both.",
    )

    def in_state(self, rows: Any, _name: str, state: str) -> Any:
        return getattr(rows, state)() if state in ("alive", "ended") else rows.filter(request_state=state)

    def at_a_time(self, rows: Any, _name: str, when: str) -> Any:
        return getattr(rows, when)()


REFUSAL = {409: RefusalSerializer}
DECIDED = {200: BookingSerializer, **REFUSAL}


class BookingViewSet(ResourcesViewSet):
    """What one's bodies have asked for, or were asked for. Others' bookings are not here at all."""

    queryset = Booking.objects.none()
    serializer_class = BookingSerializer
    filterset_class = BookingFilter
    ordering = "-starts_at"
    ordering_fields: ClassVar[dict[str, str]] = {"starts_at": "during", "asked_at": "asked_at"}

    def rows(self) -> QuerySet[Any]:
        return Booking.objects.select_related(
            "resource__owner__as_school__provider", "resource__municipality", "booked_for__as_school__provider",
            "programme",
        ).distinct()  # fmt: skip

    @extend_schema(
        request=BookingInput,
        responses={
            201: PolymorphicProxySerializer(
                component_name="Made",
                serializers=[BookingSerializer, MadeSeriesSerializer],
                resource_type_field_name=None,
            ),
            **REFUSAL,
        },
        parameters=[
            OpenApiParameter(
                "Idempotency-Key", str, OpenApiParameter.HEADER,
                description="Any text of your own, at most 100 characters: the same one again gives the same booking.",
            )
        ],
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        """Ask for a resource. 409 names up to three `alternatives` when the time cannot be had.

        With `series` all its dates are asked for, or none; the answer then has `series` and `bookings`.
        """
        asked, by, key = body(BookingInput, request), caller(request), idempotency_key(request)
        resource = get_permitted(
            Resource.objects.select_related("owner__as_school__provider", "municipality"), by, "resources.ask",
            pk=asked.pop("resource"),
        )  # fmt: skip
        on_behalf_of = asking_body(by, asked.pop("on_behalf_of", None))
        series = asked.pop("series", None)
        if not series:
            booking = request_booking(resource, **asked, by=by, on_behalf_of=on_behalf_of, idempotency_key=key)
            return self.answer(booking, 201)
        pattern = pattern_of(series, asked.pop("starts_at"), asked.pop("ends_at"))
        made, bookings = request_series(
            resource, pattern, leave_out=series["leave_out"], **asked,
            by=by, on_behalf_of=on_behalf_of, idempotency_key=key,
        )  # fmt: skip
        rows = self.rows().filter(pk__in=[one.pk for one in bookings]).order_by("during")
        return Response(MadeSeriesSerializer({"series": made.pk, "bookings": rows}).data, status=201)

    def _mine(self, request: Request, pk: int, perm: str) -> Booking:
        found: Booking = get_permitted(self.rows(), request.user, perm, pk=pk)
        return found

    def _owner(self, by: User, booking: Booking, named: int | None) -> Body:
        return asking_body(by, named) if named else one_of(by, booking.resource.owner)

    def _asker(self, by: User, booking: Booking, named: int | None) -> Body:
        return asking_body(by, named) if named else one_of(by, booking.booked_for)

    @extend_schema(request=NoteInput, responses=DECIDED)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: int) -> Response:
        """Approve a request. Rivals for the same time are declined, with what they could have instead."""
        booking, by = self._mine(request, pk, "resources.decide_booking"), caller(request)
        said = body(NoteInput, request)
        owner = self._owner(by, booking, said.get("on_behalf_of"))
        approved = approve_booking(booking, note=said["reason"], seen=said.get("seen"), by=by, on_behalf_of=owner)
        return self.answer(approved, 200)

    @extend_schema(request=ReasonInput, responses=DECIDED)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: int) -> Response:
        """Decline a request, with a reason."""
        booking, by = self._mine(request, pk, "resources.decide_booking"), caller(request)
        said = body(ReasonInput, request)
        owner = self._owner(by, booking, said.get("on_behalf_of"))
        return self.answer(decline_booking(booking, reason=said["reason"], by=by, on_behalf_of=owner), 200)

    @extend_schema(request=ReasonInput, responses=DECIDED)
    @action(detail=True, methods=["post"], url_path="ask-for-more")
    def ask_for_more(self, request: Request, pk: int) -> Response:
        """Send a request back with a question, in `reason`."""
        booking, by = self._mine(request, pk, "resources.decide_booking"), caller(request)
        said = body(ReasonInput, request)
        owner = self._owner(by, booking, said.get("on_behalf_of"))
        return self.answer(ask_for_more(booking, question=said["reason"], by=by, on_behalf_of=owner), 200)

    @extend_schema(request=BookingAnswerInput, responses=DECIDED)
    @action(detail=True, methods=["post"], url_path="answer", url_name="answer")
    def answer_question(self, request: Request, pk: int) -> Response:
        """Answer the owner's question: the request waits for the owner again."""
        booking, by = self._mine(request, pk, "resources.change_booking"), caller(request)
        said = body(BookingAnswerInput, request)
        asker = self._asker(by, booking, said.get("on_behalf_of"))
        return self.answer(answer_owner(booking, answer=said["answer"], by=by, on_behalf_of=asker), 200)

    @extend_schema(request=ReasonInput, responses=DECIDED)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: int) -> Response:
        """Withdraw a request or cancel a booking. The owner says why."""
        booking, by = self._mine(request, pk, "resources.cancel_booking"), caller(request)
        said = body(ReasonInput, request)
        acts = self._asker if speaking_for(by, booking.booked_for) else self._owner
        on_behalf_of = acts(by, booking, said.get("on_behalf_of"))
        return self.answer(cancel_booking(booking, reason=said["reason"], by=by, on_behalf_of=on_behalf_of), 200)

    @extend_schema(request=TimeInput, responses=DECIDED)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: int) -> Response:
        """Ask for another time. What was approved asks again, unless the owner approves at once."""
        booking, by = self._mine(request, pk, "resources.change_booking"), caller(request)
        times, asker = body(TimeInput, request), one_of(by, booking.booked_for)
        return self.answer(change_time(booking, **times, by=by, on_behalf_of=asker), 200)

    @extend_schema(request=None, responses=DECIDED)
    @action(detail=True, methods=["post"], url_path="keep-time")
    def keep_time(self, request: Request, pk: int) -> Response:
        """Take back the wish for another time, before the owner has answered."""
        booking, by = self._mine(request, pk, "resources.change_booking"), caller(request)
        return self.answer(keep_time(booking, by=by, on_behalf_of=one_of(by, booking.booked_for)), 200)
