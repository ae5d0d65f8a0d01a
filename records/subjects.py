"""What history may be about: rows of any app that know who sees them and where. Questions: those that say so."""

from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import Http404
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from collab4m.access import get_visible
from records.people import User


def subject_model(app_label: str, model_name: str) -> type[models.Model]:
    """The model with that name, if its rows have a history of their own; 404 if not."""
    try:
        model = apps.get_model(app_label, model_name)
    except LookupError:
        raise Http404 from None
    if not (hasattr(model._default_manager, "visible_to") and hasattr(model, "get_absolute_url")):
        raise Http404
    return model


def get_subject(user: User, app_label: str, model_name: str, pk: int) -> Any:
    """The row, or 404 if there is none that `user` may see."""
    return get_visible(subject_model(app_label, model_name)._default_manager, user, pk=pk)


def subject_named(user: User, reference: str) -> Any:
    """The row that `organisations.school:7` names, or 404."""
    label, _colon, pk = reference.partition(":")
    app_label, _dot, model_name = label.partition(".")
    if not (pk.isascii() and pk.isdecimal() and len(pk) <= 18 and app_label and model_name):
        raise Http404
    return get_subject(user, app_label, model_name, int(pk))


def is_askable(subject: models.Model) -> bool:
    """Whether one may ask about `subject`: its model says so with `askable = True`."""
    return getattr(type(subject), "askable", False)


def written_models() -> list[type[models.Model]]:
    """The models whose rows have texts written together: those that say in `write_permission` who writes them."""
    return [model for model in apps.get_models() if hasattr(model, "write_permission")]


def reference(subject: models.Model) -> str:
    """How an address names `subject`: `organisations.school:7`."""
    return f"{subject._meta.label_lower}:{subject.pk}"


def is_visible(subject: models.Model, user: User) -> bool:
    return type(subject)._default_manager.visible_to(user).filter(pk=subject.pk).exists()  # type: ignore[attr-defined]


def types_of(subject: models.Model) -> list[ContentType]:
    """The content types under which `subject` may be on record: a municipality and its body are one and the same."""
    ancestors = subject._meta.get_parent_list()
    root = ancestors[-1] if ancestors else type(subject)
    family = [model for model in apps.get_models() if issubclass(model, root)]
    return list(ContentType.objects.get_for_models(*family).values())


def rows_told_of(model: type[models.Model]) -> type[models.Model] | None:
    """The model of the rows whose changes `model` tells in its own history: it names one in `tells_of`, or none."""
    label = getattr(model, "tells_of", "")
    return apps.get_model(label) if label else None


def field_owner(model: type[models.Model], name: str) -> type[models.Model]:
    """The model that has the field: `model` itself, or that of the rows that it tells of."""
    told = rows_told_of(model)
    return told if told and name not in {field.name for field in model._meta.get_fields()} else model


def field_label(model: type[models.Model], name: str) -> str:
    """What people call a field; "BA:seats" is a field of one of the rows that `model` tells of."""
    row, colon, of_row = name.rpartition(":")
    if colon and (told := rows_told_of(model)):
        return f"{row}: {field_label(told, of_row).lower()}"
    model = field_owner(model, name)
    if name in ("first_day", "last_day"):
        return _("First day") if name == "first_day" else _("Last day")
    try:
        label = str(getattr(model._meta.get_field(name), "verbose_name", name))
    except FieldDoesNotExist:
        label = name
    return capfirst(label.replace("_", " "))
