"""Finding: one search over everything that is shared around one, ranked, each with the reasons for its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import BooleanField, Case, Count, Exists, OuterRef, Q, Value, When
from django.utils.formats import number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from collab4m.templatetags.shell import in_words
from organisations.models import Municipality, Site, TravelTime, User
from resources.models import Approval, Category, Feature, PriceRule, Resource, ResourceUnit, Takes
from resources.operations.alternatives import Alternative, askable_by
from resources.operations.freedom import Calendar, Standing, Time, calendars_of, standings
from resources.operations.lengths import hours_in_words, minutes_in_words
from resources.operations.pricing import cost, units_between

MOST_WORDS = 8
FREE_SHOWN = 3
WINDOWS_FIRST = 5  # of what is sought at any moment: most have enough free times in the first week
FAR, DEAR, LARGE = 9999, Decimal(99_999_999), 9999  # where what is unknown comes in the order: last
COLUMNS = (
    "pk", "municipality", "site", "category", "capacity", "takes", "approval", "turnaround_minutes", "lead_minutes",
    "longest_minutes", "may_ask",
)  # fmt: skip


@dataclass(frozen=True)
class Need:
    """What is sought.

    `times`: every time at which it is needed. Or `length` at any moment within one of `windows`. Neither: whenever.
    """

    words: str = ""
    kind: str = ""
    category: Category | None = None
    features: Collection[Feature] = ()
    capacity: int | None = None
    quantity: int = 1
    times: tuple[Time, ...] = ()
    windows: tuple[Time, ...] = ()
    length: timedelta | None = None
    from_municipality: Municipality | None = None
    from_site: Site | None = None


class Reason(NamedTuple):
    """Why a resource stands where it does, and the fact it rests on when that has a source."""

    words: str
    fact: TravelTime | None = None


@dataclass
class Found:
    """A resource as an answer to a need: how it stands at each time, how far away it is, what it costs.

    `resource`, `reasons` and what could be had `instead` are filled in for those that are shown: `with_reasons`.
    """

    pk: int
    standings: list[str]
    may_ask: bool = True
    free: list[Time] = field(default_factory=list)  # of what is sought at any moment: the first few
    any_time: bool = False
    travel_minutes: int | None = None
    same_site: bool = False
    price_sek: Decimal | None = None
    spare: int | None = None  # seats or places beyond those needed; below nought: that many too few
    approval: str = ""
    lacks: list[Feature] = field(default_factory=list)
    capacity: int | None = None
    resource: Any = None
    reasons: list[Reason] = field(default_factory=list)
    instead: list[Alternative] = field(default_factory=list)

    @property
    def free_times(self) -> int:
        return sum(standing == Standing.FREE for standing in self.standings)

    @property
    def fits(self) -> bool:
        """Whether it can be had every time it is needed, by whoever looks."""
        if self.any_time:
            return self.may_ask and bool(self.free)
        return self.may_ask and self.free_times == len(self.standings)


def resources_for(user: User, need: Need) -> Any:
    """The resources that are what is sought, whether free or not."""
    rows = Resource.objects.visible_to(user).in_use()
    if need.kind:
        rows = rows.filter(kind=need.kind)
    if need.category is not None:
        rows = rows.filter(category__in=with_children(need.category))
    for feature in need.features:
        rows = rows.filter(features=feature)
    if need.capacity is not None:
        rows = rows.filter(capacity__gte=need.capacity)
    if need.quantity > 1:
        units = ResourceUnit.objects.filter(resource=OuterRef("pk")).values("resource").annotate(number=Count("pk"))
        rows = rows.filter(Exists(units.filter(number__gte=need.quantity)))
    for word in need.words.split()[:MOST_WORDS]:
        with_feature = Resource.features.through.objects.filter(
            Q(feature__name_sv__icontains=word) | Q(feature__name_en__icontains=word), resource=OuterRef("pk")
        )
        rows = rows.filter(
            Q(name__icontains=word) | Q(description__icontains=word) | Q(category__name_sv__icontains=word)
            | Q(category__name_en__icontains=word) | Q(category__parent__name_sv__icontains=word)
            | Q(category__parent__name_en__icontains=word) | Q(owner__name__icontains=word)
            | Q(municipality__name__icontains=word) | Exists(with_feature)
        )  # fmt: skip
    return rows


def unknown_capacity(user: User, need: Need) -> int:
    """How many would be what is sought if one knew how many they take."""
    if need.capacity is None:
        return 0
    return resources_for(user, replace(need, capacity=None)).filter(capacity=None).count()


def with_children(category: Category) -> list[int]:
    """The ids of a category and of all below it."""
    rows = list(Category.objects.values_list("pk", "parent"))
    found, grown = {category.pk}, True
    while grown:
        more = {pk for pk, parent in rows if parent in found} - found
        found |= more
        grown = bool(more)
    return list(found)


def search_resources(user: User, need: Need) -> list[Found]:
    """What there is, the best first. Values, not objects, and as many queries for a thousand as for ten."""
    return sorted(_found(_rows(resources_for(user, need), user), need), key=_rank)


def similar_resources(user: User, need: Need, *, but: Collection[int] = ()) -> list[Found]:
    """What is of the same sort, lacks a feature or at most a quarter of the places, and can be had whole."""
    if not (need.features or need.capacity is not None):
        return []
    wider = replace(need, features=(), capacity=None, words="" if need.category or need.kind else need.words)
    rows = [row for row in _rows(resources_for(user, wider), user) if row.pk not in set(but)]
    had: dict[int, set[int]] = {}
    links = Resource.features.through.objects.filter(
        resource__pk__any=[row.pk for row in rows], feature__in=need.features
    )
    for pk, feature in links.values_list("resource", "feature"):
        had.setdefault(pk, set()).add(feature)
    found = [one for one in _found(rows, need) if one.fits and _too_few(one, need) <= (need.capacity or 0) / 4]
    for one in found:
        one.lacks = [feature for feature in need.features if feature.pk not in had.get(one.pk, set())]
    if not (need.category or need.kind or need.words):  # without a sort, something of what is sought must be there
        found = [
            one
            for one in found
            if (one.spare is not None or need.capacity is None) and (had.get(one.pk) or not need.features)
        ]
    return sorted(found, key=lambda one: (len(one.lacks) + (_too_few(one, need) > 0), _too_few(one, need), _rank(one)))


def _too_few(found: Found, need: Need) -> int:
    if need.capacity is None:
        return 0
    return 0 if found.spare is None else max(0, -found.spare)


def _rows(rows: Any, user: User) -> list[Any]:
    may_ask = Case(When(askable_by(user), then=Value(True)), default=Value(False), output_field=BooleanField())
    return list(rows.annotate(may_ask=may_ask).order_by("pk").values_list(*COLUMNS, named=True))


def _found(rows: list[Any], need: Need) -> list[Found]:
    home = need.from_municipality
    minutes = travel_minutes(home)
    stands = standings(rows, need.times, need.quantity)
    free = _free_within(rows, need)
    prices = _prices(rows, need)
    return [
        Found(
            row.pk,
            stands[row.pk],
            may_ask=bool(row.may_ask),
            free=free.get(row.pk, []),
            any_time=need.length is not None,
            travel_minutes=0 if home is not None and row.municipality == home.pk else minutes.get(row.municipality),
            same_site=need.from_site is not None and row.site == need.from_site.pk,
            price_sek=prices.get(row.pk),
            spare=row.capacity - need.capacity if need.capacity is not None and row.capacity is not None else None,
            approval=row.approval,
            capacity=row.capacity,
        )
        for row in rows
    ]


def _free_within(rows: list[Any], need: Need) -> dict[int, list[Time]]:
    """The first few free times of the length that is sought, one in each window at most."""
    if need.length is None or not need.windows or not rows:
        return {}
    found: dict[int, list[Time]] = {row.pk: [] for row in rows}
    for windows in (need.windows[:WINDOWS_FIRST], need.windows[WINDOWS_FIRST:]):
        rows = [row for row in rows if len(found[row.pk]) < FREE_SHOWN]
        if rows and windows:
            for pk, calendar in calendars_of(rows, windows[0][0], windows[-1][1], need.quantity).items():
                _add_free(found[pk], calendar, windows, need.length)
    return found


def _add_free(found: list[Time], calendar: Calendar, windows: Iterable[Time], length: timedelta) -> None:
    for begins, ends in windows:
        start = calendar.start_within(begins, ends, length, begins)
        if start is not None:
            found.append((start, start + length))
        if len(found) == FREE_SHOWN:
            break


def _prices(rows: list[Any], need: Need) -> dict[int, Decimal]:
    """What each costs for all times together, by its rule on each first day; only where all of it is set. One query."""
    times = need.times or tuple((begins, begins + need.length) for begins, _ends in need.windows[:1] if need.length)
    if not times or not rows:
        return {}
    days = [localtime(begins).date() for begins, _ends in times]
    rules: dict[int, list[tuple[date, date | None, str, Decimal]]] = {}
    found = PriceRule.objects.filter(
        resource__pk__any=[row.pk for row in rows], valid__overlap=(min(days), max(days) + timedelta(days=1))
    )
    columns = ("resource", "valid__startswith", "valid__endswith", "unit", "sek")
    for pk, first, after, unit, sek in found.values_list(*columns):
        rules.setdefault(pk, []).append((first or date.min, after, unit, sek))
    units: dict[tuple[str, int], Decimal] = {}
    prices: dict[int, Decimal] = {}
    for row in rows:
        total = Decimal(0)
        quantity = 1 if row.takes == Takes.ALL else need.quantity
        for place, day in enumerate(days):
            rule = next((one for one in rules.get(row.pk, ()) if one[0] <= day and (not one[1] or day < one[1])), None)
            if rule is None:
                break
            if (rule[2], place) not in units:
                units[rule[2], place] = units_between(rule[2], *times[place])
            total += cost(rule[3], units[rule[2], place], quantity)
        else:
            prices[row.pk] = total
    return prices


def _rank(found: Found) -> tuple[Any, ...]:
    """Whole fits first, then how often it is free, how near, how cheap, how little too large, who approves at once."""
    return (
        not found.fits,
        not found.may_ask,
        -found.free_times,
        not found.same_site,
        found.travel_minutes if found.travel_minutes is not None else FAR,
        found.price_sek if found.price_sek is not None else DEAR,
        found.spare if found.spare is not None else LARGE,
        found.approval != Approval.AUTOMATIC,
        found.pk,
    )


def travel_times(home: Municipality | None) -> dict[int, TravelTime]:
    """The shortest known way to each municipality. One query."""
    if home is None:
        return {}
    times = TravelTime.objects.on().filter(Q(origin=home) | Q(destination=home)).exclude(minutes=None)
    found: dict[int, TravelTime] = {}
    for one in times.select_related("source").order_by("-minutes"):
        found[one.destination_id if one.origin_id == home.pk else one.origin_id] = one
    return found


def travel_minutes(home: Municipality | None) -> dict[int, int]:
    """Minutes to each municipality by the shortest way that is known. One query."""
    return {pk: one.minutes for pk, one in travel_times(home).items() if one.minutes is not None}


def with_reasons(found: list[Found], need: Need) -> list[Found]:
    """The same, each with its resource and the reasons for its place in words. For those that are shown."""
    pks = [one.pk for one in found]
    rows = Resource.objects.select_related("owner", "municipality", "category", "site", "source")
    by_pk = rows.prefetch_related("features").in_bulk(pks)
    travel = travel_times(need.from_municipality)
    for one in found:
        one.resource = by_pk[one.pk]
        one.reasons = list(_reasons(one, need, travel.get(one.resource.municipality_id)))
    return found


def _reasons(found: Found, need: Need, way: TravelTime | None) -> Iterable[Reason]:
    resource = found.resource
    if found.lacks:
        yield Reason(_("lacks %(features)s") % {"features": ", ".join(str(one).lower() for one in found.lacks)})
    yield from _room(found, need)
    if found.same_site:
        yield Reason(_("at the same site"))
    elif found.travel_minutes == 0:
        yield Reason(_("in your own municipality"))
    elif found.travel_minutes is not None:
        words = ngettext("%(minutes)s minute away", "%(minutes)s minutes away", found.travel_minutes)
        yield Reason(words % {"minutes": found.travel_minutes}, way)
    elif need.from_municipality is not None:
        yield Reason(_("travel time not known"))
    if need.times or need.windows:
        yield Reason(_price_in_words(found, need))
    if not found.may_ask:
        yield Reason(_("lent only to the owner’s own schools"))
    elif resource.approval == Approval.AUTOMATIC:
        yield Reason(_("approved at once"))
    else:
        yield Reason(_("the owner answers within %(long)s") % {"long": hours_in_words(resource.decide_hours)})
    if resource.permits:
        yield Reason(_("needs: %(permits)s") % {"permits": resource.permits})
    yield from _owners_rule(found, need)


def _room(found: Found, need: Need) -> Iterable[Reason]:
    if need.capacity is None:
        if found.capacity is not None:
            words = ngettext("room for %(places)s", "room for %(places)s", found.capacity)
            yield Reason(words % {"places": found.capacity})
    elif found.spare is None:
        yield Reason(_("how many it takes is not known"))
    elif found.spare == 0:
        yield Reason(_("fits exactly"))
    elif found.spare > 0:
        words = ngettext("%(places)s place to spare", "%(places)s places to spare", found.spare)
        yield Reason(words % {"places": found.spare})
    else:
        words = ngettext("%(places)s place too few", "%(places)s places too few", -found.spare)
        yield Reason(words % {"places": -found.spare})


def _owners_rule(found: Found, need: Need) -> Iterable[Reason]:
    """Why some time cannot be asked for at all."""
    resource = found.resource
    if Standing.REFUSED not in found.standings:
        return
    if resource.longest_minutes and any(
        ends - begins > timedelta(minutes=resource.longest_minutes) for begins, ends in need.times
    ):
        yield Reason(_("lent for %(long)s at a time at most") % {"long": minutes_in_words(resource.longest_minutes)})
    elif resource.lead_minutes:
        yield Reason(_("asked for %(long)s ahead at least") % {"long": minutes_in_words(resource.lead_minutes)})


def _price_in_words(found: Found, need: Need) -> str:
    if found.price_sek is None:
        return _("no price is set")
    words = {"sek": sek_in_words(found.price_sek), "times": in_words(len(need.times))}
    if len(need.times) > 1:
        return _("%(sek)s for all %(times)s times") % words
    return _("%(sek)s for the time") % words


def sek_in_words(sek: Decimal) -> str:
    """An amount as running text has it; öre only when there are some."""
    decimals = 0 if sek == sek.to_integral_value() else 2
    return _("SEK %(amount)s") % {"amount": number_format(sek, decimal_pos=decimals, force_grouping=True)}


def other_times(found: list[Found], need: Need, *, quantity: int = 1) -> None:
    """Fill in, for those that are not free every time, the nearest free time of the same for each that is missing.

    Three queries however many there are.
    """
    missing = [one for one in found if one.may_ask and not one.fits and need.times]
    if not missing:
        return
    begins, ends = need.times[0][0] - timedelta(days=7), need.times[-1][1] + timedelta(days=7)
    calendars = calendars_of([one.resource for one in missing], begins, ends, quantity)
    for one in missing:
        for (starts_at, ends_at), standing in zip(need.times, one.standings, strict=True):
            if standing == Standing.FREE:
                continue
            length = ends_at - starts_at
            start = _near(calendars[one.pk], starts_at, length)
            if start is not None:
                one.instead.append(Alternative(one.resource, start, start + length))


def _near(calendar: Calendar, wanted: datetime, length: timedelta) -> datetime | None:
    """The same day if it can be had then, or within a week."""
    midnight = localtime(wanted).replace(hour=0, minute=0, second=0, microsecond=0)
    same_day = calendar.start_within(midnight, midnight + timedelta(days=1), length, wanted)
    if same_day is not None:
        return same_day
    around = timedelta(days=7)
    return calendar.start_within(wanted - around, wanted + around + length, length, wanted)


@dataclass(frozen=True)
class DateAnswer:
    """One of the times needed, and the best that is free then."""

    time: Time
    found: list[Found]


def date_by_date(found: Iterable[Found], need: Need, most: int = FREE_SHOWN) -> list[DateAnswer]:
    """Which resources are free at each time, the best first: a substitute for each date."""
    found = list(found)
    return [
        DateAnswer(time, [one for one in found if one.may_ask and one.standings[place] == Standing.FREE][:most])
        for place, time in enumerate(need.times)
    ]


@dataclass(frozen=True)
class CategoryCount:
    """A category with how many resources of it, and of those below it, are shared."""

    category: Category
    number: int
    below: list[CategoryCount]


def catalogue(user: User) -> list[CategoryCount]:
    """The categories of which something is shared, with what is below them. Two queries."""
    rows = resources_for(user, Need()).order_by().values("category").annotate(number=Count("pk"))
    numbers = dict(rows.values_list("category", "number"))
    below: dict[int | None, list[Category]] = {}
    for category in Category.objects.order_by("kind", "name_sv"):
        below.setdefault(category.parent_id, []).append(category)

    def counted(parent: int | None) -> list[CategoryCount]:
        found = []
        for category in below.get(parent, ()):
            children = counted(category.pk)
            number = numbers.get(category.pk, 0) + sum(child.number for child in children)
            if number:
                found.append(CategoryCount(category, number, children))
        return found

    return counted(None)
