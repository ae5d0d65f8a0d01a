"""The waiting list for programs: one's places in line, and what is offered."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from collab4m.access import get_permitted, require
from organisations.api import caller
from resources.api.bookings import BookingSerializer, WhatInput
from resources.api.shared import RefusalSerializer, ResourcesViewSet, TimeInput, body, one_of
from resources.models import Booking, Waiting, WaitingOffer
from resources.operations import accept_offer, leave_list


class WaitingSerializer(serializers.ModelSerializer[Waiting]):
    """A place in line for a time that is taken."""

    booked_for = serializers.CharField(source="booked_for.name", read_only=True)
    starts_at = serializers.DateTimeField(source="during.lower", read_only=True)
    ends_at = serializers.DateTimeField(source="during.upper", read_only=True)

    class Meta:
        model = Waiting
        fields = ("id", "resource", "booked_for", "starts_at", "ends_at", "quantity", "purpose", "state", "at")
        read_only_fields = fields


class WaitingInput(TimeInput, WhatInput):
    """The whole need: the time, and what for."""


class OfferSerializer(serializers.ModelSerializer[WaitingOffer]):
    """A freed time that is held until a moment for whoever was first in line."""

    waiting = WaitingSerializer(read_only=True)

    class Meta:
        model = WaitingOffer
        fields = ("id", "waiting", "offered_at", "until", "ended_at")
        read_only_fields = fields


class AcceptInput(serializers.Serializer[Any]):
    licence_confirmed = serializers.BooleanField(
        required=False, allow_null=True, help_text="That the driver has what is needed; left out: as when one waited."
    )


class WaitingViewSet(ResourcesViewSet):
    """One's bodies' own places in line. How long a line is, and who stands in it, is told to nobody else."""

    queryset = Waiting.objects.none()
    serializer_class = WaitingSerializer
    ordering = "at"
    ordering_fields: ClassVar[dict[str, str]] = {"at": "at", "starts_at": "during"}

    def rows(self) -> QuerySet[Any]:
        return Waiting.objects.select_related("resource", "booked_for__as_school__provider").distinct()

    @extend_schema(request=None, responses={200: WaitingSerializer, 409: RefusalSerializer})
    @action(detail=True, methods=["post"])
    def leave(self, request: Request, pk: int) -> Response:
        """Stand in line no longer; what was offered goes to the next."""
        waiting, by = get_permitted(self.rows(), request.user, "resources.wait", pk=pk), caller(request)
        leave_list(waiting, by=by, on_behalf_of=one_of(by, waiting.booked_for))
        return self.answer(waiting, 200)


class WaitingOfferViewSet(ResourcesViewSet):
    """What is offered to one's bodies, and what was."""

    queryset = WaitingOffer.objects.none()
    serializer_class = OfferSerializer
    ordering = "until"
    ordering_fields: ClassVar[dict[str, str]] = {"until": "until", "offered_at": "offered_at"}

    def rows(self) -> QuerySet[Any]:
        return WaitingOffer.objects.select_related(
            "waiting__resource__owner", "waiting__resource__municipality", "waiting__booked_for__as_school__provider"
        )

    def get_queryset(self) -> QuerySet[Any]:
        return self.rows().filter(waiting__in=Waiting.objects.visible_to(caller(self.request)).values("pk"))

    @extend_schema(request=AcceptInput, responses={201: BookingSerializer, 409: RefusalSerializer})
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: int) -> Response:
        """Take what is offered: it becomes a request or a booking, as the owner's rule says."""
        offer, by = self.get_object(), caller(request)
        require(by, "resources.wait", offer.waiting)
        said = body(AcceptInput, request)
        booking = accept_offer(offer, **said, by=by, on_behalf_of=one_of(by, offer.waiting.booked_for))
        fresh = Booking.objects.select_related("booked_for", "programme").get(pk=booking.pk)
        return Response(BookingSerializer(fresh).data, status=201)
