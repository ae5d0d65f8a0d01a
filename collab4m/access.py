"""Who may reach what: one fetch helper for pages and API."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404


def get_visible(queryset: Any, user: Any, **lookup: Any) -> Any:
    """The row `lookup` names, or 404 if it does not exist or `user` may not know of it."""
    return get_object_or_404(queryset.visible_to(user), **lookup)


def get_permitted(queryset: Any, user: Any, perm: str, **lookup: Any) -> Any:
    """The row `lookup` names: 404 if `user` may not see it, 403 if they may not do `perm` to it."""
    obj = get_visible(queryset, user, **lookup)
    require(user, perm, obj)
    return obj


def require(user: Any, perm: str, obj: Any = None) -> None:
    """403 unless `user` may do `perm` (to `obj`)."""
    if not user.has_perm(perm, obj):
        raise PermissionDenied
