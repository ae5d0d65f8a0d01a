"""When something is open, as people write it: "8–12, 13–16.30" of a day, "mån–fre 8–16; lör 10–14" of a week."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import time
from itertools import groupby, pairwise

from django.conf import settings
from django.utils import translation
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext

from resources.operations.sharing import Opening, overlapping_day

LONGEST_SHOWN = 30
ALWAYS = ("alltid", "always")
# Between days stands a semicolon, or a comma after the times: mån 8–16, tis 9–15.
PARTS = re.compile(r";|(?<=[0-9]),\s*(?=[^\W\d])(?!även|also)")
# What may stand after the times, and what it says. Words that only bind the others say nothing.
BREAKS, RED_DAYS = ("lov", "breaks"), ("röda", "red")
BINDING = ("även", "på", "i", "och", "dagar", "also", "in", "on", "and", "days")


def read_stretches(text: str) -> list[tuple[time, time]]:
    """What is written of a day, such as "8–12, 13–16.30". ValueError in words for what cannot be read."""
    found = []
    for part in re.split(r"[,;]|\boch\b|\band\b", text):
        if not part.strip():
            continue
        match = re.fullmatch(r"([0-9]{1,2})(?:[.:]([0-9]{2}))?\s*[-–—]\s*([0-9]{1,2})(?:[.:]([0-9]{2}))?", part.strip())
        wrong = gettext("Write times like 8–16 or 8.30–12, 13–17. “%(text)s” cannot be read.") % {
            "text": part.strip()[:LONGEST_SHOWN]
        }
        if not match:
            raise ValueError(wrong)
        opens, closes = ((int(match[one]), int(match[one + 1] or 0)) for one in (1, 3))
        if opens[0] > 23 or opens[1] > 59 or closes[1] > 59 or closes > (24, 0):
            raise ValueError(wrong)
        if opens == closes:
            raise ValueError(gettext("A stretch cannot end when it begins. The whole day is written 0–24."))
        found.append((time(*opens), time(closes[0] % 24, closes[1])))
    for one, following in pairwise(sorted(found)):
        if one[1] <= one[0] or following[0] < one[1]:
            raise ValueError(gettext("Two of the times overlap. Change one of them."))
    return found


def stretch(opens: time, closes: time) -> str:
    """A stretch of a day as one writes it: 8–16.30."""
    ends = "24" if closes == time() else _clock(closes)
    return f"{_clock(opens)}–{ends}"


def _clock(at: time) -> str:
    return f"{at.hour}.{at.minute:02}" if at.minute else f"{at.hour}"


def also_when(in_breaks: bool, on_red_days: bool) -> str:
    """When else it is open than on school days."""
    return {
        (True, True): gettext("also in breaks and on red days"),
        (True, False): gettext("also in breaks"),
        (False, True): gettext("also on red days"),
    }.get((in_breaks, on_red_days), "")


def week_in_words(openings: Iterable[Opening]) -> str:
    """When it is open, in one line that `read_week` reads again. Nothing said: always."""
    days: dict[str, list[int]] = {}
    for (weekday, *also), some in groupby(openings, lambda one: (one.weekday, one.in_breaks, one.on_red_days)):
        hours = ", ".join(stretch(one.opens, one.closes) for one in some)
        days.setdefault(f"{hours} {also_when(*also)}".rstrip(), []).append(weekday)
    return "; ".join(f"{_days(weekdays)} {hours}" for hours, weekdays in days.items()) or gettext("always")


def _days(weekdays: list[int]) -> str:
    """Weekdays that follow each other as a run: mån–fre, sön."""
    runs = [[number for _place, number in run] for _gap, run in groupby(enumerate(weekdays), lambda at: at[1] - at[0])]
    names = [[str(WEEKDAYS_ABBR[number - 1]).lower().rstrip(".") for number in run] for run in runs]
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in names)


def read_week(text: str) -> list[Opening]:
    """What `week_in_words` writes, in either language. ValueError in words for what cannot be read."""
    if text.casefold() in ALWAYS:
        return []
    found: list[Opening] = []
    for part in filter(None, (part.strip() for part in PARTS.split(text.casefold()))):
        match = re.fullmatch(r"([^0-9]+?)\s*([0-9].*[0-9])\s*([^0-9]*)", part)
        weekdays = _read_days(match[1]) if match else None
        also = set(re.findall(r"[^\s,.]+", match[3])) if match else set()
        if match is None or weekdays is None or also - {*BREAKS, *RED_DAYS, *BINDING}:
            message = gettext("Write as in mon–fri 8–16; sat 10–14 also in breaks. “%(text)s” cannot be read.")
            raise ValueError(message % {"text": part[:LONGEST_SHOWN]})
        flags = (not also.isdisjoint(BREAKS), not also.isdisjoint(RED_DAYS))
        found += [Opening(day, *times, *flags) for day in weekdays for times in read_stretches(match[2])]
    found.sort(key=lambda one: (one.weekday, one.opens))
    if day := overlapping_day(found):
        raise ValueError(gettext("%(weekday)s: two stretches overlap. Change one of them.") % {"weekday": day})
    return found


def _read_days(text: str) -> list[int] | None:
    """The weekdays of "mån–tors, lör"; None if some cannot be read."""
    found: list[int] = []
    for run in filter(None, (run.strip() for run in re.split(r",|\boch\b|\band\b", text))):
        ends = [_weekday(word.strip(" .:")) for word in re.split(r"[-–—]", run)]
        if len(ends) > 2 or None in ends:
            return None
        first, last = ends[0] or 0, ends[-1] or 0
        if last < first:
            return None
        found += range(first, last + 1)
    return found or None


def _weekday(word: str) -> int | None:
    """1 Monday – 7 Sunday, by its name or the first letters of it."""
    for code, _language in settings.LANGUAGES:
        with translation.override(code):
            for number, name in WEEKDAYS.items():
                if len(word) >= 3 and str(name).casefold().startswith(word):
                    return number + 1
    return None
