"""Invented people and examples for trying the portal: loaded as often as one likes, and taken away without a trace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pgtrigger
from allauth.account.models import EmailAddress
from django.apps import apps
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from collab4m.clock import today
from collab4m.errors import RuleBroken
from collab4m.school_year import SchoolYear
from organisations.models import (
    Board,
    Body,
    CollaborationArea,
    Contact,
    ContactPurpose,
    Invitation,
    Membership,
    Municipality,
    Provider,
    Role,
    RoleKind,
    School,
    SchoolBreak,
    Semester,
    SemesterKind,
    User,
)
from organisations.operations import give_role, load_reference
from records.models import (
    AnswerLink,
    CameIn,
    Correction,
    Event,
    Job,
    Link,
    Outgoing,
    Part,
    Question,
    Reply,
    Sourced,
    Wording,
    span,
)
from records.operations import ask_question, propose_correction, reply_to_question

DOMAIN = "demo.example"
AREA = "4m"
FIRST_DAY = date(2022, 7, 1)  # the demonstration's school year is 2022/23


@dataclass(frozen=True)
class Town:
    """A municipality of the demonstration: its name in addresses, its code, and its principal's school."""

    slug: str
    code: str
    school: str


TOWNS = (
    Town("vasteras", "1980", "edstromska"),
    Town("eskilstuna", "0484", "rekarne"),
    Town("enkoping", "0381", "westerlundska"),
    Town("strangnas", "0486", "thomas"),
)


class DemoNeedsReference(RuleBroken):
    code = "demo_needs_reference"
    message = _("The reference facts must be loaded before the examples: run manage.py load_reference.")


def address_of(who: str) -> str:
    return f"{who}@{DOMAIN}"


@transaction.atomic
def load_demo() -> int:
    """Make the demonstration's people and examples that are missing; returns how many people came.

    Raises DemoNeedsReference if the municipalities, schools or the area are not there.
    """
    places = _Places()
    before = User.objects.count()
    _load_people(places)
    _load_contacts(places)
    _load_school_years(places)
    _load_conversations(places)
    return User.objects.count() - before


class _Places:
    """The reference facts that the examples are about."""

    def __init__(self) -> None:
        try:
            self.area = CollaborationArea.objects.get(reference_key=AREA)
            self.municipalities = {town.slug: Municipality.objects.get(code=town.code) for town in TOWNS}
            self.schools = {town.slug: School.objects.get(reference_key=town.school) for town in TOWNS}
        except (CollaborationArea.DoesNotExist, Municipality.DoesNotExist, School.DoesNotExist) as missing:
            raise DemoNeedsReference from missing


# People


def _load_people(places: _Places) -> None:
    wanted: dict[str, tuple[str, list[tuple[RoleKind, dict[str, Any]]]]] = {
        "system": ("Systemadministratör", [(RoleKind.SYSTEM_ADMINISTRATOR, {})])
    }
    for town in TOWNS:
        municipality, school = places.municipalities[town.slug], places.schools[town.slug]
        for who, name, kind, scope in (
            ("handlaggare", "Handläggare", RoleKind.ADMINISTRATOR, {"body": municipality.body}),
            ("rektor", "Rektor", RoleKind.PRINCIPAL, {"body": school.body}),
            ("programrad", "Programråd", RoleKind.COUNCIL_MEMBER, {"area": places.area}),
            ("namnd", "Nämnd", RoleKind.COMMITTEE, {"body": municipality.body}),
        ):
            wanted[f"{who}.{town.slug}"] = (f"{name} {municipality.name}", [(kind, scope)])
    both = [places.municipalities[slug] for slug in ("enkoping", "vasteras")]
    wanted["handlaggare.tvakommuner"] = (
        "Handläggare Enköping och Västerås",
        [(RoleKind.ADMINISTRATOR, {"body": municipality.body}) for municipality in both],
    )
    people = _people({who: name for who, (name, _roles) in wanted.items()})
    for who, (_name, roles) in wanted.items():
        for kind, scope in roles:
            if not people[who].roles.filter(kind=kind, **scope).exists():
                give_role(people[who], kind=kind, **scope, first_day=FIRST_DAY, by=people["system"], tell=False)
    Role.objects.filter(user__in=people.values(), example=False).update(example=True)


def _people(names: dict[str, str]) -> dict[str, User]:
    """The people by the first part of their address; new ones share one hash of the demonstration's password."""
    there = {user.email: user for user in User.objects.filter(email__endswith=f"@{DOMAIN}")}
    new = {who: name for who, name in names.items() if address_of(who) not in there}
    if new:
        password = make_password(settings.DEMO_PASSWORD)
        made = [
            User(email=address_of(who), name=name, password=password, example=True, language="sv")
            for who, name in new.items()
        ]
        for user in User.objects.bulk_create(made):
            there[user.email] = user
        EmailAddress.objects.bulk_create(
            EmailAddress(user=there[address_of(who)], email=address_of(who), verified=True, primary=True) for who in new
        )
    return {who: there[address_of(who)] for who in names}


# Contacts and school years


def _load_contacts(places: _Places) -> None:
    units = {
        ContactPurpose.ACCESSIBILITY: ("Webbredaktionen", "tillganglighet"),
        ContactPurpose.PERSONAL_DATA: ("Dataskyddsombudet", "dataskydd"),
        ContactPurpose.COOKIES: ("Webbredaktionen", "webb"),
    }
    for slug, municipality in places.municipalities.items():
        for purpose, (unit, mailbox) in units.items():
            Contact.objects.get_or_create(
                municipality=municipality,
                purpose=purpose,
                defaults={
                    "owner": "Kommunstyrelsen",
                    "unit": unit,
                    "email": address_of(f"{mailbox}.{slug}"),
                    "example": True,
                },
            )


def _load_school_years(places: _Places) -> None:
    this_year = SchoolYear.of(today())
    for year in {SchoolYear.of(FIRST_DAY), this_year, this_year + 1}:
        for place, municipality in enumerate(places.municipalities.values()):
            example = {"municipality": municipality, "school_year": year, "came_in": CameIn.FORM, "example": True}
            known = Q(municipality=municipality, school_year=year)
            if not Semester.objects.filter(known).exists():
                for kind, valid in _semesters(year, place).items():
                    Semester.objects.create(kind=kind, valid=valid, **example)
            if not SchoolBreak.objects.filter(known).exists():
                for name, valid in _breaks(year, place).items():
                    SchoolBreak.objects.create(name=name, valid=valid, **example)


def _semesters(year: SchoolYear, place: int) -> dict[str, Any]:
    """The four differ by a day or two, as neighbours do."""
    autumn, spring = year.starts, year.starts + 1
    return {
        SemesterKind.AUTUMN: span(_day(autumn, 33, 2 + place % 3), _day(autumn, 50, 5) + timedelta(days=place % 2 * 3)),
        SemesterKind.SPRING: span(_day(spring, 2, 1 + place % 2), _day(spring, 23, 3 + place % 2)),
    }


def _breaks(year: SchoolYear, place: int) -> dict[str, Any]:
    spring = year.starts + 1
    winter_week = 8 + place % 2
    return {
        "höstlov": span(_day(year.starts, 44, 1), _day(year.starts, 44, 5)),
        "sportlov": span(_day(spring, winter_week, 1), _day(spring, winter_week, 5)),
        "påsklov": span(_day(spring, 15, 2), _day(spring, 15, 5)),
    }


def _day(year: int, week: int, weekday: int) -> date:
    return date.fromisocalendar(year, week, weekday)


# Conversations between neighbours, through the same operations as people use


def _load_conversations(places: _Places) -> None:
    people = {user.email.partition("@")[0]: user for user in User.objects.filter(example=True)}
    if Question.objects.filter(by__in=people.values()).exists():
        return
    towns, schools = places.municipalities, places.schools

    def acting(slug: str) -> dict[str, Any]:
        return {"by": people[f"handlaggare.{slug}"], "on_behalf_of": towns[slug].body}

    answered = ask_question(
        schools["vasteras"],
        to_body=towns["vasteras"].body,
        title="Kan våra elever se flygteknik?",
        text="Vi har sex elever som funderar på er flygutbildning. Går det bra att de besöker er en dag i vår?",
        **acting("enkoping"),
    )
    reply_to_question(
        answered,
        text="Ja, gärna. Torsdagar passar bäst. Säg hur många ni blir, så ordnar vi en visning.",
        **acting("vasteras"),
    )
    board = Board.objects.filter(municipality=towns["eskilstuna"]).first()
    ask_question(
        board or towns["eskilstuna"],
        to_body=towns["eskilstuna"].body,
        title="När sammanträder nämnden i vår?",
        text="Vi vill lägga vårt sammanträde samma vecka. Har ni bestämt dagarna för våren?",
        **acting("vasteras"),
    )
    ask_question(
        schools["enkoping"],
        to_body=towns["enkoping"].body,
        title="Får vi låna verkstaden en vecka?",
        text="Vår verkstad byggs om. Har ni plats för en grupp på tolv elever under en vecka?",
        **acting("strangnas"),
    )
    ask_question(
        places.area,
        to_body=towns["vasteras"].body,
        title="Vem kallar till vårens programråd?",
        text="I fjol skrev vi kallelsen tillsammans. Ska vi göra så i år också, eller tar ni den?",
        **acting("eskilstuna"),
    )
    ask_question(
        schools["strangnas"],
        to_body=towns["strangnas"].body,
        title="Hur många elever kan ni ta emot på el?",
        text="Vi har fler sökande än vi har lärare. Har ni plats för några av dem nästa läsår?",
        **acting("enkoping"),
    )
    doubtful = School.objects.filter(reference_key="zetterberg").first()
    if doubtful:
        propose_correction(
            doubtful,
            field="status",
            proposed="Öppnade inte. Platserna finns på de andra skolorna",
            reason="Exempel på ett förslag. Vi hittar inte skolan i ert utbud.",
            source_note="Exempel",
            **acting("vasteras"),
        )


# Taking everything away


@transaction.atomic
def remove_demo() -> int:
    """Take away the people and examples, all they did and all that was said to them; returns how many people left.

    Reference facts that they changed become again what the reference files say.
    """
    people = User.objects.filter(example=True)
    left = people.count()
    examples = _examples()
    changed = _hand_back_reference(people)
    # History is append-only for everyone but this: examples never happened, so nothing is to be told of them.
    with pgtrigger.ignore(
        "records.Event:append_only", "records.Wording:append_only", "records.Part:new_text_new_version"
    ):
        _remove_conversations(people, examples)
        bodies = examples[Body]
        _remove_texts(people, examples)
        Event.objects.filter(Q(by__in=people) | Q(on_behalf_of__in=bodies) | _about(examples, "subject")).delete()
    Link.objects.filter(_about(examples, "from") | _about(examples, "to")).delete()
    Job.objects.filter(Q(by__in=people) | Q(on_behalf_of__in=bodies)).delete()
    at_examples = Q(body__in=bodies) | Q(area__in=examples[CollaborationArea])
    invitations = Invitation.objects.filter(Q(by__in=people) | Q(accepted_by__in=people) | at_examples)
    invited = Q(kind="invitation", to__in=invitations.values("email"))
    Outgoing.objects.filter(Q(user__in=people) | Q(to__in=people.values("email")) | invited).delete()
    invitations.delete()
    roles = Role.objects.filter(Q(user__in=people) | Q(example=True) | at_examples)
    role_history = apps.get_model("organisations.RoleEvent")
    role_history.objects.filter(pgh_obj__in=roles).delete()
    roles.delete()
    _remove_examples(examples)
    ids = {str(pk) for pk in people.values_list("pk", flat=True)}
    for session in Session.objects.all():
        if session.get_decoded().get(SESSION_KEY) in ids:
            session.delete()
    people.delete()
    if changed:
        load_reference(history=False)
    return left


def _examples() -> dict[type[models.Model], list[int]]:
    """Ids of all rows marked as examples, by model; a body also under the names of what it is."""
    found: dict[type[models.Model], list[int]] = defaultdict(list)
    for model in apps.get_models():
        if any(field.name == "example" for field in model._meta.fields) and not model.__name__.endswith("RoleEvent"):
            found[model] = list(model._default_manager.filter(example=True).values_list("pk", flat=True))
    return found


def _about(things: dict[type[models.Model], list[int]], name: str) -> Q:
    """Rows whose generic key `name` points at one of `things`."""
    found = Q(pk__in=[])
    for model, ids in things.items():
        if ids:
            found |= Q(**{f"{name}_type": ContentType.objects.get_for_model(model), f"{name}_id__in": ids})
    return found


def _hand_back_reference(people: Iterable[User]) -> int:
    """Let the loader take over again the reference facts that demonstration people changed; returns how many."""
    touched: dict[int, set[int]] = defaultdict(set)
    for type_id, pk in Event.objects.filter(by__in=people).values_list("subject_type", "subject_id"):
        touched[type_id].add(pk)
    handed_back = 0
    for model in apps.get_models():
        if not issubclass(model, Sourced) or not model._meta.managed:
            continue
        mine = touched[ContentType.objects.get_for_model(model).pk]
        rows = Q(pk__in=mine)
        if model is Membership:
            rows = Q(area__in=touched[ContentType.objects.get_for_model(CollaborationArea).pk])
        taken_over = model._default_manager.filter(rows, reference_key__isnull=False).exclude(came_in=CameIn.REFERENCE)
        handed_back += taken_over.update(came_in=CameIn.REFERENCE)
    return handed_back


def _remove_conversations(people: Iterable[User], examples: dict[type[models.Model], list[int]]) -> None:
    bodies = examples[Body]
    between = Q(from_body__in=bodies)
    questions = Question.objects.filter(
        Q(by__in=people) | between | Q(to_body__in=bodies) | _about(examples, "subject")
    )
    corrections = Correction.objects.filter(
        Q(by__in=people) | Q(decided_by__in=people) | between | Q(owner__in=bodies) | _about(examples, "subject")
    )
    replies = Reply.objects.filter(Q(question__in=questions) | Q(by__in=people))
    said: dict[type[models.Model], list[int]] = {
        Question: list(questions.values_list("pk", flat=True)),
        Correction: list(corrections.values_list("pk", flat=True)),
    }
    Event.objects.filter(_about(said, "subject")).delete()
    AnswerLink.objects.filter(Q(question__in=questions) | Q(user__in=people)).delete()
    replies.delete()
    questions.delete()
    corrections.delete()


def _remove_texts(people: Iterable[User], examples: dict[type[models.Model], list[int]]) -> None:
    """What was written in examples, and what these people wrote elsewhere: there stands again what others wrote."""
    parts = Part.objects.filter(_about(examples, "subject"))
    theirs = Q(by__in=people) | Q(on_behalf_of__in=examples[Body])
    Event.objects.filter(_about({Part: list(parts.values_list("pk", flat=True))}, "subject")).delete()
    Wording.objects.filter(Q(part__in=parts) | theirs).delete()
    parts.delete()
    for part in Part.objects.filter(Q(last_by__in=people) | Q(last_on_behalf_of__in=examples[Body])):
        last = part.wordings.exclude(version=None).order_by("version").last()
        part.text, part.version = (last.text, last.version or 0) if last else ("", 0)
        part.last_by, part.last_on_behalf_of = (last.by, last.on_behalf_of) if last else (None, None)
        part.last_at = last.at if last else None
        part.save()


def _remove_examples(examples: dict[type[models.Model], list[int]]) -> None:
    """The rows themselves: first what points at others, last what is pointed at."""
    School.objects.filter(provider__in=examples[Provider]).update(provider=None)
    last: list[type[models.Model]] = [School, Provider, Municipality, Body, CollaborationArea]
    first = [model for model in examples if model not in last and model is not User]
    for model in [*first, *last]:
        model._default_manager.filter(pk__in=examples[model]).delete()
