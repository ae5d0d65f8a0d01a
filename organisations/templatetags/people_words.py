"""Words about people and roles, for history sentences and pages."""

from django import template
from django.utils.translation import gettext as _

from organisations.models import Invitation, RoleKind

register = template.Library()


@register.filter
def role_for(kind: str, scope: object) -> str:
    """ "administrator" and "Enköping" become "administrator for Enköping"; no scope, just the role."""
    role = RoleKind(kind).label if kind in RoleKind.values else kind
    return _("%(role)s for %(scope)s") % {"role": role, "scope": scope} if scope else str(role)


@register.filter
def invited(invitation: Invitation | None) -> str:
    """Who was invited, as long as the invitation remembers it."""
    return (invitation and (invitation.name or invitation.email)) or _("Removed person")
