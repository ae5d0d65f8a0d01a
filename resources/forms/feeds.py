"""Choosing what a calendar address is to show."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from organisations.models import Body, User
from records.people import in_agreed_order
from resources.models import FeedKind, Resource

MOST_CHOICES = 100


class FeedForm(forms.Form):
    """One choice among what the reader may subscribe to; `resource` is one that they came from."""

    what = forms.ChoiceField(
        label=_("What is the calendar to show?"),
        error_messages={
            "required": _("Choose what the calendar is to show."),
            "invalid_choice": _("Choose one of those in the list."),
        },
    )

    def __init__(self, *args: Any, reader: User, resource: Resource | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bodies = {
            str(body.pk): body for body in in_agreed_order(reader, Body.objects.filter(pk__in=reader.bodies_today()))
        }
        own = Resource.objects.visible_to(reader).in_use().filter(owner__in=reader.bodies_today())
        rows = [*own.in_swedish_order()[:MOST_CHOICES]]
        if resource is not None and resource not in rows:
            rows.insert(0, resource)
        self.resources = {str(row.pk): row for row in rows}
        field = self.fields["what"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (FeedKind.PERSON, capfirst(_("what I have asked for"))),
            (FeedKind.DECIDER, capfirst(_("requests that I decide on"))),
            (_("All bookings of"), [(f"{FeedKind.SCHOOL}-{pk}", body.name) for pk, body in self.bodies.items()]),
            (_("When it is taken"), [(f"{FeedKind.RESOURCE}-{pk}", row.name) for pk, row in self.resources.items()]),
        ]
        if resource is not None:
            field.initial = f"{FeedKind.RESOURCE}-{resource.pk}"

    def chosen(self) -> dict[str, Any]:
        """What `make_feed` takes."""
        kind, _dash, pk = self.cleaned_data["what"].partition("-")
        return {"kind": kind, "body": self.bodies.get(pk) if kind == FeedKind.SCHOOL else None} | (
            {"resource": self.resources.get(pk)} if kind == FeedKind.RESOURCE else {}
        )
