"""Who may do what: one predicate per fact, one line per permission."""

from __future__ import annotations

from typing import Any

import rules

from organisations.models import ApiToken, RoleKind, User


@rules.predicate
def is_system_administrator(user: User) -> bool:
    return user.is_authenticated and user.is_system_administrator


@rules.predicate
def is_administrator(user: User) -> bool:
    """Administrator today, of any municipality."""
    return user.is_authenticated and bool(user.bodies_where(RoleKind.ADMINISTRATOR))


@rules.predicate
def holds_the_key(user: User, key: ApiToken | None) -> bool:
    return key is not None and key.user_id == user.pk


@rules.predicate
def administers_the_owner(user: User, fact: Any) -> bool:
    """Administrator today of a municipality that answers for `fact` (a municipality answers for itself)."""
    if fact is None or not user.is_authenticated:
        return False
    return not {body.pk for body in fact.owners()}.isdisjoint(user.bodies_where(RoleKind.ADMINISTRATOR))


# The directory: the system administrator builds it, each municipality keeps its own facts right
rules.add_perm("organisations.create_area", is_system_administrator)
rules.add_perm("organisations.change_area", is_system_administrator)
rules.add_perm("organisations.create_board", is_system_administrator)
rules.add_perm("organisations.create_school", is_system_administrator)
rules.add_perm("organisations.create_site", is_system_administrator)
rules.add_perm("organisations.create_provider", is_system_administrator)
rules.add_perm("organisations.change_board", is_system_administrator | administers_the_owner)
rules.add_perm("organisations.change_school", is_system_administrator | administers_the_owner)
rules.add_perm("organisations.change_site", is_system_administrator | administers_the_owner)
rules.add_perm("organisations.change_travel_time", is_system_administrator | administers_the_owner)
rules.add_perm("organisations.change_contacts", is_system_administrator | administers_the_owner)
rules.add_perm("organisations.change_school_year", is_system_administrator | administers_the_owner)

# People: the system administrator lets them in and out, a municipality's administrators see their colleagues
rules.add_perm("organisations.see_people", is_system_administrator | is_administrator)
rules.add_perm("organisations.invite_person", is_system_administrator)
rules.add_perm("organisations.give_role", is_system_administrator)
rules.add_perm("organisations.end_role", is_system_administrator)
rules.add_perm("organisations.forget_person", is_system_administrator)
rules.add_perm("organisations.revoke_token", holds_the_key)
