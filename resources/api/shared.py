"""What the API of resources shares: moments, windows of time, for whom one asks, and what a refusal looks like."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from organisations.api import DirectoryViewSet, within_reason
from organisations.models import Body, User
from records.people import ACTING, bodies_acted_for, speaking_for

LONGEST_TIMELINE = timedelta(days=400)
SPACE_FOR_PLUS = re.compile(r" (?=\d\d:?\d\d$)")


class Moment(serializers.DateTimeField):
    """A moment with its offset from UTC: without one, nobody knows which of two hours in October is meant."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "minutes": gettext_lazy("Ask for whole minutes."),
        "offset": gettext_lazy("Write the time with its offset from UTC, such as 2026-12-08T09:00:00+01:00."),
    }

    def enforce_timezone(self, value: datetime) -> datetime:
        within_reason(value.date())
        if timezone.is_naive(value):
            self.fail("offset")
        if value.second or value.microsecond:
            self.fail("minutes")
        return super().enforce_timezone(value)


class AskedMoment(serializers.DateTimeField):
    """A moment in an address: without an offset it is Swedish time, a day alone is its midnight."""

    def to_internal_value(self, value: Any) -> Any:
        # A plus sign that nobody has escaped arrives as a space.
        return super().to_internal_value(SPACE_FOR_PLUS.sub("+", value) if isinstance(value, str) else value)

    def enforce_timezone(self, value: datetime) -> datetime:
        within_reason(value.date())
        return super().enforce_timezone(value)


class WindowQuery(serializers.Serializer[Any]):
    """A window of time: `from` and `to`."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["to"] <= attrs["from"]:
            raise ValidationError({"to": [_("The end comes before the start. Change one of them.")]})
        if attrs["to"] - attrs["from"] > LONGEST_TIMELINE:
            raise ValidationError({"to": [_("Ask for 400 days at a time at most.")]})
        return attrs


# `from` is no name for a field in Python.
WindowQuery._declared_fields |= {"from": AskedMoment(), "to": AskedMoment()}
WINDOW = [
    OpenApiParameter("from", OpenApiTypes.DATETIME, required=True, description="Start of the window."),
    OpenApiParameter("to", OpenApiTypes.DATETIME, required=True, description="End of it, at most 400 days later."),
]


class AlternativeSerializer(serializers.Serializer[Any]):
    resource = serializers.IntegerField(source="resource.pk", help_text="Id of the resource.")
    name = serializers.CharField(source="resource.name")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class RefusalSerializer(serializers.Serializer[Any]):
    """A rule says no; `code` says which. When a time cannot be had: up to three that could a moment ago."""

    code = serializers.CharField(help_text="Such as slot_taken, resource_closed, booking_refused, key_used.")
    detail = serializers.CharField()
    fields = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))  # type: ignore[assignment]
    alternatives = AlternativeSerializer(many=True)


class ForSomebody(serializers.Serializer[Any]):
    on_behalf_of = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, required=False,
        help_text="Id of the body for which it is done; may be left out if you act for one.",
    )  # fmt: skip


class ReasonInput(ForSomebody):
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class TimeInput(serializers.Serializer[Any]):
    starts_at = Moment(help_text="ISO 8601 with offset, such as 2026-12-08T09:00:00+01:00.")
    ends_at = Moment(help_text="The moment after the last: a booking may begin where another ends.")


class ResourcesViewSet(DirectoryViewSet):
    """A refusal always says what could be had instead, even when that is nothing."""

    def handle_exception(self, exc: Exception) -> Response:
        answer = super().handle_exception(exc)
        if answer.status_code == 409:
            answer.data.setdefault("alternatives", [])
        return answer


def query(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """What the address says, checked."""
    given = form(data=request.query_params)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def body(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """What the request's body says, checked."""
    given = form(data=request.data, context={"request": request})
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def idempotency_key(request: Request) -> str:
    """The text by which a program knows its request again."""
    field = serializers.CharField(max_length=100, allow_blank=True)
    try:
        return str(field.run_validation(request.headers.get("Idempotency-Key", "")))
    except ValidationError as error:
        raise ValidationError({"Idempotency-Key": error.detail}) from None


def asking_body(user: User, named: int | None) -> Body:
    """The body for which a program asks: the one it names, or the only one it can be."""
    if named is not None:
        found = Body.objects.filter(pk=named).select_related("as_school__provider").first()
        if found is None or not speaking_for(user, found):
            raise ValidationError({"on_behalf_of": [_("You do not act for that body.")]})
        return found
    own = set(user.bodies_where(*ACTING))
    if len(own) == 1:
        return Body.objects.select_related("as_school__provider").get(pk=own.pop())
    words = {"bodies": ", ".join(f"{one.pk} ({one.name})" for one in bodies_acted_for(user))}
    raise ValidationError({"on_behalf_of": [_("Say for which of your bodies it is: %(bodies)s.") % words]})


def one_of(user: User, body: Body) -> Body:
    """The body as which `user` speaks for `body`: itself, or the municipality that runs it."""
    own = speaking_for(user, body)
    return body if not own or body.pk in own else Body.objects.get(pk=own[0])
