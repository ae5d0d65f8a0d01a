"""Tags every template may use without loading them: icons, municipalities, sources, dates, forms."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django import template
from django.forms import BaseForm, BaseFormSet
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from collab4m.clock import today

register = template.Library()


def in_words(number: int) -> str:
    """Up to twelve in words, as headings have it; above that in figures."""
    words = [
        pgettext("number", "no"),
        pgettext("number", "one"),
        pgettext("number", "two"),
        pgettext("number", "three"),
        pgettext("number", "four"),
        pgettext("number", "five"),
        pgettext("number", "six"),
        pgettext("number", "seven"),
        pgettext("number", "eight"),
        pgettext("number", "nine"),
        pgettext("number", "ten"),
        pgettext("number", "eleven"),
        pgettext("number", "twelve"),
    ]
    return words[number] if 0 <= number < len(words) else str(number)


def capital(text: str) -> str:
    """The text with its first letter as a capital, the rest untouched."""
    return text[:1].upper() + text[1:]


register.filter("in_words", in_words)
register.filter("capital", capital)


@register.simple_block_tag
def filled(content: str, element: str, css: str = "", label: str = "") -> SafeString:
    """Put the content in an element, unless there is none: `{% filled "p" "c-lead" %}…{% endfilled %}`."""
    if not content.strip():
        return SafeString("")
    label = format_html(' aria-label="{}"', label) if label else ""
    return format_html('<{} class="{}"{}>{}</{}>', element, css, label, SafeString(content), element)


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """A drawing that repeats what the words beside it say."""
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f"c-icon {css}".strip(),
        static("icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def municipality(context: Any, body: Any) -> SafeString:
    """A municipality's name with its mark of one or two letters; takes a membership, a municipality or a body."""
    if body is None:
        return SafeString("")
    membership = body if hasattr(body, "municipality_id") and hasattr(body, "mark") else None
    if membership is None and "shell" in context:
        membership = context["shell"].marks.get(body.pk)
    if membership is None:
        return format_html('<span class="c-mun">{}</span>', body.name)
    return format_html(
        '<span class="c-mun" data-color="{}"><b aria-hidden="true">{}</b>{}</span>',
        membership.colour or "neutral",
        membership.mark,
        membership.municipality.name,
    )


@register.simple_tag
def example(obj: Any) -> SafeString:
    """The mark on everything that is invented for the demonstration."""
    if not getattr(obj, "example", obj is True):
        return SafeString("")
    return format_html('<span class="c-example">{}</span>', _("example"))


def note_source(context: Any, fact: Any) -> int:
    """Note where a fact is from, to be printed below the content; returns its number there."""
    noted = context["shell"].sources if "shell" in context else {}
    note = (fact.source, fact.came_in, fact.verified, fact.source_note, fact.get_came_in_display())
    return noted.setdefault(note, len(noted) + 1)


@register.simple_tag(takes_context=True)
def source(context: Any, fact: Any) -> SafeString:
    """The mark that leads to where a fact is from; `base.html` prints the noted sources below the content."""
    number = note_source(context, fact)
    mark = format_html(
        '<a class="c-src" href="#kalla-{}"><span class="visually-hidden">{} </span>{}</a>', number, _("source"), number
    )
    return format_html("{} {}", mark, example(fact)) if fact.example else mark


@register.inclusion_tag("components/sources.html", takes_context=True)
def sources(context: Any) -> dict[str, Any]:
    keys = ("source", "came_in", "verified", "note", "door")
    noted = context["shell"].sources if "shell" in context else {}
    return {"sources": [dict(zip(keys, note, strict=True)) for note in noted]}


@register.filter
def in_text(value: date | str) -> str:
    """A day as running text has it: "27 November", with the year when that is another than this one.

    History keeps its days as text, "2026-11-27"; text that is no day is left as it is.
    """
    if isinstance(value, str):
        text = value
        try:
            value = date.fromisoformat(text)
        except ValueError:
            return text
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return date_format(value, "MONTH_DAY_FORMAT" if value.year == today().year else "DATE_FORMAT")


@register.simple_tag
def day(value: date | None) -> SafeString:
    """A day in running text."""
    if value is None:
        return SafeString("")
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), in_text(value))


@register.simple_tag
def moment(value: datetime | None) -> SafeString:
    """A moment in running text: "today 13.05", "yesterday 9.20", "27 November 13.05"."""
    if value is None:
        return SafeString("")
    local = timezone.localtime(value)
    days = (today() - local.date()).days
    when = {0: _("today"), 1: _("yesterday")}.get(days) or in_text(local.date())
    return format_html('<time datetime="{}">{} {}</time>', local.isoformat(timespec="minutes"), when, clock_time(local))


@register.filter
def short_day(value: date) -> str:
    """A near day in a narrow column: "today", "9 Dec", with the year when that is another."""
    if value == today():
        return capital(_("today"))
    return date_format(value, "j b" if value.year == today().year else "j b Y")


@register.simple_tag
def this_week() -> str:
    """The ISO week, as "w. 48"."""
    return _("w. %(week)s") % {"week": today().isocalendar().week}


def squares(done: Sequence[str]) -> list[dict[str, Any]]:
    """Four members stand as the towns on the map, first and third above; others in one row in the agreed order."""
    spots = [(1, 1), (1, 15), (13, 1), (13, 15)] if len(done) == 4 else [(1 + 11 * i, 8) for i in range(len(done))]
    kinds = {"yes": "y", "no": "n", "unknown": "u"}
    return [{"x": x, "y": y, "kind": kinds[state]} for (x, y), state in zip(spots, done, strict=True)]


@register.inclusion_tag("components/four.html")
def four(done: Sequence[str]) -> dict[str, Any]:
    """What each member of an area has answered, as squares that repeat what the words beside them say."""
    return {"squares": squares(done)}


@register.filter
def row_width(squares: int) -> int:
    """How wide a row of that many squares is drawn."""
    return 11 * squares


@register.filter
def browser(user_agent: str) -> str:
    """A browser and its system by name, as far as they tell: "Firefox, Windows"."""
    names = [("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari")]
    systems = ["Windows", "Android", "iPhone", "iPad", "Macintosh", "Linux"]
    name = next((name for sign, name in names if sign in user_agent), "")
    system = next((system for system in systems if system in user_agent), "").replace("Macintosh", "Mac")
    return ", ".join(part for part in (name, system) if part) or _("unknown browser")


@register.simple_tag
def part_name(part: str) -> str:
    """The parts that `/readyz` tells of, in words."""
    return {
        "worker": _("The worker, which sends mail and makes documents"),
        "beat": _("The clock, which starts work at its time"),
        "queue": _("The queue between them"),
    }[part]


@register.filter
def clock_time(value: datetime) -> str:
    return date_format(timezone.localtime(value), "TIME_FORMAT")


@register.filter
def span_in_words(during: Any) -> str:
    """A stretch of time: "Tuesday 8 December, 9–14"; over several days both ends with their days."""
    begins, ends = timezone.localtime(during.lower), timezone.localtime(during.upper)
    last, until = ends.date(), _hour(ends)
    if not (ends.hour or ends.minute) and ends > begins:
        last, until = last - timedelta(days=1), "24"
    if last == begins.date():
        words = {"day": _weekday(last), "begins": _hour(begins), "ends": until}
        return _("%(day)s, %(begins)s–%(ends)s") % words
    words = {"day": _weekday(begins.date()), "begins": _hour(begins), "last": _weekday(last), "ends": until}
    return _("%(day)s, %(begins)s – %(last)s, %(ends)s") % words


@register.filter
def moment_in_words(value: datetime | str) -> str:
    """A moment with its weekday: "Tuesday 8 December, 9". History keeps its moments as text."""
    local = timezone.localtime(datetime.fromisoformat(value) if isinstance(value, str) else value)
    return _("%(day)s, %(time)s") % {"day": _weekday(local.date()), "time": _hour(local)}


def _weekday(value: date) -> str:
    return f"{date_format(value, 'l')} {in_text(value)}"


def _hour(value: datetime) -> str:
    return date_format(value, "G.i" if value.minute else "G")


@register.simple_tag
def far_off(value: date) -> str:
    """How far a day is from today, in words: "three days late", "today", "in 7 days"."""
    days = (value - today()).days
    if days < 0:
        return ngettext("%(number)s day late", "%(number)s days late", -days) % {"number": in_words(-days)}
    if days < 2:
        return _("tomorrow") if days else _("today")
    if days < 7:
        return _("on %(weekday)s") % {"weekday": date_format(value, "l")}
    return ngettext("in %(days)s day", "in %(days)s days", days) % {"days": days}


# Forms


def failed_forms(context: Any) -> list[Any]:
    """The bound forms and formsets among the context's own values that have errors."""
    found = []
    for value in context.flatten().values():
        if isinstance(value, BaseForm | BaseFormSet) and value.is_bound and not value.is_valid():
            found.append(value)
    return found


@register.simple_tag(takes_context=True)
def error_prefix(context: Any) -> str:
    """What the page's title begins with when a form on it was not accepted."""
    return _("Error: ") if failed_forms(context) else ""


def _wrong(form: Any) -> list[dict[str, str]]:
    """Every error of a form or formset with the id it leads to.

    A form that draws some fields by hand names their errors in `row_errors`.
    """
    if isinstance(form, BaseFormSet):
        own = [{"text": str(text), "target": ""} for text in form.non_form_errors()]
        return own + [error for part in form.forms for error in _wrong(part)]
    first = next((field.target for field in form.visible_fields()), "")
    wrong = [{"text": str(text), "target": first} for text in form.non_field_errors()]
    wrong += getattr(form, "row_errors", [])
    for field in form:
        wrong += [{"text": str(text), "target": first if field.is_hidden else field.target} for text in field.errors]
    return wrong


@register.inclusion_tag("components/errors.html")
def errors(*forms: Any) -> dict[str, Any]:
    """The summary of what needs to be put right, first on the page, with focus."""
    wrong = [error for form in forms if form is not None and form.is_bound for error in _wrong(form)]
    heading = ngettext(
        "%(number)s thing needs to be put right", "%(number)s things need to be put right", len(wrong)
    ) % {"number": in_words(len(wrong))}
    return {"errors": wrong, "heading": capital(heading)}


@register.inclusion_tag("components/form.html", takes_context=True)
def form_page(context: Any, form: Any, submit: str, cancel_url: str = "", action: str = "") -> dict[str, Any]:
    """A whole form: the error summary, the fields, the button and the way out."""
    return {
        "form": form,
        "submit": submit,
        "cancel_url": cancel_url,
        "action": action,
        "csrf_token": context.get("csrf_token"),
        "redirect_field_name": context.get("redirect_field_name"),
        "redirect_field_value": context.get("redirect_field_value"),
    }
