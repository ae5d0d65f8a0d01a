"""What two ways of giving pupils a programme cost: the assumptions, and what follows from them. Nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agreements.models import PriceKind

SHARED, HOME, NEIGHBOUR = "shared", "home", "neighbour"
YES_OR_NO = (("yes", _("yes")), ("no", _("no")))
MOST_MONEY = Decimal("999999999")
MOST_PUPILS = 2000  # in an intake; the search for the break-even ends there
POINTS = 12  # in the chart
NUMBER = re.compile(r"[0-9]{1,12}([.,][0-9]{1,6})?")

Given = Mapping[str, Any]  # key of an assumption -> Decimal, the key of a choice, or None


@dataclass(frozen=True)
class Assumption:
    """Something that somebody has to assume. With `choices` it is one of them, otherwise a number in `unit`."""

    key: str
    side: str
    name: Any
    unit: Any = ""
    hint: Any = ""
    least: Decimal = Decimal("0")
    most: Decimal = MOST_MONEY
    decimals: int = 2
    choices: tuple[tuple[str, Any], ...] = ()


ASSUMPTIONS = (
    Assumption(
        "pupils", SHARED, _("Size of an intake"), _("pupils"), _("The municipality's own, in one school year."),
        Decimal("1"), Decimal(MOST_PUPILS), 0,
    ),
    Assumption("years", SHARED, _("Length of the education"), _("school years"), "", Decimal("1"), Decimal("10"), 0),
    Assumption(
        "school_days", SHARED, _("School days"), _("per school year"), _("For travel."),
        Decimal("1"), Decimal("366"), 0,
    ),
    Assumption(
        "group_size", HOME, _("Size of a group, at most"), _("pupils"),
        _("One pupil more, and another group is needed."), Decimal("1"), Decimal("500"), 0,
    ),
    Assumption(
        "teachers", HOME, _("Teachers for a group"), _("SEK per group and school year"),
        _("With employer's contributions, for one year group."),
    ),
    Assumption("premises", HOME, _("Premises"), _("SEK per school year"), _("For the whole programme.")),
    Assumption("equipment", HOME, _("Equipment to buy"), _("SEK"), _("Once, for the whole programme.")),
    Assumption(
        "equipment_years", HOME, _("How long the equipment is used"), _("years"),
        _("What it costs is spread evenly over them."), Decimal("1"), Decimal("100"), 0,
    ),
    Assumption(
        "other", HOME, _("Other cost of a pupil"), _("SEK per pupil and school year"),
        _("Such as meals, learning tools, pupil health and administration. Write 0 if there is none."),
    ),
    Assumption(
        "share_away", HOME, _("Still choose the neighbour"), _("per cent of the pupils"),
        _("Even though the programme is at home. They cost as a seat with the neighbour."), most=Decimal("100"),
    ),
    Assumption("price", NEIGHBOUR, _("Price of a seat"), _("SEK per pupil and school year")),
    Assumption(
        "price_kind", NEIGHBOUR, _("What kind of price it is"), hint=_("Kinds of price are not compared unnoticed."),
        choices=tuple(PriceKind.choices),
    ),
    Assumption("price_meals", NEIGHBOUR, _("Meals are included in the price"), choices=YES_OR_NO),
    Assumption("price_vat", NEIGHBOUR, _("VAT is included in the price"), choices=YES_OR_NO),
    Assumption(
        "travel_day", NEIGHBOUR, _("Support for travel"), _("SEK per pupil and school day"),
        _("For a season ticket: its price, divided by the school days. Write 0 if there is none."),
    ),
    Assumption(
        "travel_minutes", NEIGHBOUR, _("Travel, one way"), _("minutes"), "", most=Decimal("600"), decimals=0
    ),
    Assumption(
        "extra", NEIGHBOUR, _("Extra cost of a pupil"), _("SEK per pupil and school year"),
        _("What the price does not hold, such as meals or lodging. Write 0 if there is none."),
    ),
)  # fmt: skip
BY_KEY = {one.key: one for one in ASSUMPTIONS}
SIDES = ((SHARED, _("Both ways")), (HOME, _("Start at home")), (NEIGHBOUR, _("Seats with the neighbour")))

_PLACE = ("price", "price_kind", "travel_day", "school_days", "extra")
_START = (
    "pupils",
    "years",
    "share_away",
    "group_size",
    "teachers",
    "premises",
    "equipment",
    "equipment_years",
    "other",
)


def value_of(assumption: Assumption, text: str) -> Decimal | str | None:
    """What somebody wrote for an assumption; None when they wrote nothing. Raises ValueError, which says what to do."""
    text = "".join(text.split())
    if not text:
        return None
    if assumption.choices:
        if text not in dict(assumption.choices):
            raise ValueError(gettext("Choose an answer to “%(name)s”.") % {"name": assumption.name})
        return text
    if not NUMBER.fullmatch(text):
        raise ValueError(gettext("Write “%(name)s” in figures, for example 12.") % {"name": assumption.name})
    value = Decimal(text.replace(",", "."))
    if not assumption.least <= value <= assumption.most:
        within = {"name": assumption.name, "least": assumption.least, "most": assumption.most}
        raise ValueError(gettext("Write a number from %(least)s to %(most)s for “%(name)s”.") % within)
    if value != value.quantize(Decimal(1).scaleb(-assumption.decimals)):
        decimals = {"name": assumption.name, "decimals": assumption.decimals}
        if not assumption.decimals:
            raise ValueError(gettext("Write a whole number for “%(name)s”.") % decimals)
        raise ValueError(
            ngettext(
                "Write at most %(decimals)s decimal for “%(name)s”.",
                "Write at most %(decimals)s decimals for “%(name)s”.",
                assumption.decimals,
            )
            % decimals
        )
    return value


@dataclass(frozen=True)
class Figure:
    """A result, or which assumptions are missing for it. Neither: it has no answer."""

    value: Decimal | None = None
    missing: tuple[str, ...] = ()

    @property
    def missing_names(self) -> list[str]:
        return [str(BY_KEY[key].name) for key in self.missing]


@dataclass(frozen=True)
class Comparison:
    """What follows from the assumptions, in a year when all year groups are full. SEK per school year unless said.

    `break_even`: the fewest pupils in an intake at which it costs no more to start at home, and `dearer_again` the next
    intake at which one more group makes it cost more again. They have no value where there is no such intake.
    """

    pupils: Figure  # in all year groups
    groups: Figure
    teachers: Figure
    premises: Figure
    equipment: Figure
    other: Figure
    away: Figure  # for those who still choose the neighbour
    home_total: Figure
    home_each: Figure
    price: Figure  # per pupil
    travel: Figure  # per pupil
    extra: Figure  # per pupil
    neighbour_total: Figure
    neighbour_each: Figure
    travel_hours: Figure  # per pupil and school year, both ways
    difference: Figure  # what starting at home costs more, per pupil
    break_even: Figure
    dearer_again: Figure


def compare(given: Given) -> Comparison:
    """The two ways side by side. Exact; only what is shown is rounded, to the öre."""
    start, both = _needs_to_start(given), tuple(dict.fromkeys((*_needs_to_start(given), *_PLACE)))
    without_pupils = tuple(key for key in both if key != "pupils")
    model = _Model(given)
    break_even = _figure(given, without_pupils, model.break_even)
    return Comparison(
        pupils=_figure(given, ("pupils", "years"), lambda: model.pupils * model.years),
        groups=_figure(given, ("pupils", "years", "share_away", "group_size"), lambda: model.groups(model.pupils)),
        teachers=_figure(
            given,
            ("pupils", "years", "share_away", "group_size", "teachers"),
            lambda: model.groups(model.pupils) * model.teachers,
        ),
        premises=_figure(given, ("premises",), lambda: model.premises),
        equipment=_figure(given, ("equipment", "equipment_years"), lambda: model.equipment),
        other=_figure(given, ("pupils", "years", "share_away", "other"), lambda: model.others(model.pupils)),
        away=_figure(given, _needs_away(given), lambda: model.away(model.pupils)),
        home_total=_figure(given, start, lambda: model.home(model.pupils)),
        home_each=_figure(given, start, lambda: model.home(model.pupils) / (model.pupils * model.years)),
        price=_figure(given, ("price", "price_kind"), lambda: model.price),
        travel=_figure(given, ("travel_day", "school_days"), lambda: model.travel),
        extra=_figure(given, ("extra",), lambda: model.extra),
        neighbour_total=_figure(given, ("pupils", "years", *_PLACE), lambda: model.neighbour(model.pupils)),
        neighbour_each=_figure(given, _PLACE, lambda: model.place),
        travel_hours=_figure(given, ("travel_minutes", "school_days"), lambda: model.travel_hours),
        difference=_figure(
            given, both, lambda: model.home(model.pupils) / (model.pupils * model.years) - model.place
        ),
        break_even=break_even,
        dearer_again=_figure(
            given,
            without_pupils,
            lambda: None if break_even.value is None else model.dearer_after(int(break_even.value)),
        ),
    )  # fmt: skip


def curve(given: Given) -> list[tuple[int, Decimal, Decimal]]:
    """Cost per pupil and school year at home and with the neighbour, for growing intakes; empty if not known."""
    found = compare(given)
    if found.difference.missing:
        return []
    model = _Model(given)
    middle = max(given["pupils"], given["group_size"], found.break_even.value or Decimal(0))
    step = ceil(2 * middle / POINTS)
    return [
        (n, _rounded(model.home(Fraction(n)) / (n * model.years)), _rounded(model.place))
        for n in range(step, step * POINTS + 1, step)
    ]


def _needs_away(given: Given) -> tuple[str, ...]:
    return ("pupils", "years", "share_away", *(_PLACE if given.get("share_away") else ()))


def _needs_to_start(given: Given) -> tuple[str, ...]:
    return (*_START, *(_PLACE if given.get("share_away") else ()))


def _figure(given: Given, needs: tuple[str, ...], compute: Callable[[], Any]) -> Figure:
    missing = tuple(key for key in needs if given.get(key) is None)
    if missing:
        return Figure(missing=missing)
    value = compute()
    return Figure(None if value is None else _rounded(value))


def _rounded(value: Any) -> Decimal:
    """To the öre; a half goes away from zero."""
    exact = Fraction(value)
    hundredths = floor(abs(exact) * 100 + Fraction(1, 2))
    return Decimal(hundredths if exact > 0 else -hundredths).scaleb(-2)


class _Model:
    """The arithmetic, in fractions. Asked only for what there are assumptions for."""

    def __init__(self, given: Given) -> None:
        self.given = given

    def _of(self, key: str) -> Fraction:
        return Fraction(self.given[key])

    @property
    def pupils(self) -> Fraction:
        return self._of("pupils")

    @property
    def years(self) -> Fraction:
        return self._of("years")

    @property
    def stay(self) -> Fraction:
        return 1 - self._of("share_away") / 100

    @property
    def teachers(self) -> Fraction:
        return self._of("teachers")

    @property
    def premises(self) -> Fraction:
        return self._of("premises")

    @property
    def equipment(self) -> Fraction:
        return self._of("equipment") / self._of("equipment_years")

    @property
    def price(self) -> Fraction:
        return self._of("price")

    @property
    def travel(self) -> Fraction:
        return self._of("travel_day") * self._of("school_days")

    @property
    def extra(self) -> Fraction:
        return self._of("extra")

    @property
    def travel_hours(self) -> Fraction:
        return self._of("travel_minutes") * 2 * self._of("school_days") / 60

    @property
    def place(self) -> Fraction:
        """A seat with the neighbour."""
        return self.price + self.travel + self.extra

    def groups(self, pupils: Fraction) -> Fraction:
        """In all year groups together."""
        return Fraction(ceil(pupils * self.stay / self._of("group_size"))) * self.years

    def others(self, pupils: Fraction) -> Fraction:
        return self._of("other") * pupils * self.stay * self.years

    def away(self, pupils: Fraction) -> Fraction:
        leave = pupils * self._of("share_away") / 100 * self.years
        return leave * self.place if leave else Fraction(0)

    def home(self, pupils: Fraction) -> Fraction:
        running = self.groups(pupils) * self.teachers + self.premises + self.equipment
        return running + self.others(pupils) + self.away(pupils)

    def neighbour(self, pupils: Fraction) -> Fraction:
        return pupils * self.years * self.place

    def _pays(self, pupils: int) -> bool:
        return self.home(Fraction(pupils)) <= self.neighbour(Fraction(pupils))

    def _intakes(self, group: int) -> tuple[int, int]:
        """The smallest and the largest intake that fills so many groups in each year group."""
        full = self._of("group_size") / self.stay
        return floor((group - 1) * full) + 1, floor(group * full)

    def break_even(self) -> int | None:
        """Within a number of groups each pupil more makes home cheaper, or none does: one place to look in each."""
        if not self.stay:
            return 1 if self._pays(1) else None
        gain = (self.place - self._of("other")) * self.stay * self.years  # of one more pupil, while the groups suffice
        fixed = self.premises + self.equipment
        group = 1
        while (smallest := self._intakes(group)[0]) <= MOST_PUPILS:
            largest = min(self._intakes(group)[1], MOST_PUPILS)
            least = ceil((group * self.years * self.teachers + fixed) / gain) if gain > 0 else smallest
            candidate = max(smallest, least)
            if candidate <= largest and self._pays(candidate):
                return candidate
            group += 1
        return None

    def dearer_after(self, pupils: int) -> int | None:
        """The first larger intake at which home costs more: always the first pupil of one more group."""
        if not self.stay:
            return None
        group = ceil(pupils * self.stay / self._of("group_size")) + 1
        while (smallest := self._intakes(group)[0]) <= MOST_PUPILS:
            if not self._pays(smallest):
                return smallest
            group += 1
        return None
