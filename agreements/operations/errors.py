"""What operations on agreements may answer instead of doing their work."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from collab4m.errors import RuleBroken


class WrongState(RuleBroken):
    """The agreement is not where this can be done: sign a draft, amend before signature, decide twice."""

    code = "wrong_state"
    message = _("This cannot be done now. Look at where the agreement stands and what it waits for.")


class NotYourParty(RuleBroken):
    code = "not_your_party"
    message = _("You act for your own municipality only, and it must be a party to the agreement.")


class ChangedMeanwhile(RuleBroken):
    code = "changed_meanwhile"
    message = _("Somebody changed this while you wrote. Look at what now stands, and save again if yours is to hold.")


class StillOpen(RuleBroken):
    """Something is not filled in: `places` names each."""

    code = "still_open"
    message = _("Something is not filled in yet.")

    def __init__(self, places: list[Any]) -> None:
        self.places = places
        named = ", ".join(str(place) for place in places[:5])
        more = len(places) - 5
        text = _("Fill this in first: %(places)s.") % {"places": named}
        super().__init__(f"{text} {_('And %(more)s more.') % {'more': more}}" if more > 0 else text)


class OldContent(RuleBroken):
    code = "old_content"
    message = _(
        "The text has another version now. Read the latest one: what was said of the earlier one counts for that only."
    )


class CoverTaken(RuleBroken):
    """Another signed agreement of the same standing covers the same: `other` is that agreement."""

    code = "cover_taken"

    def __init__(self, other: Any = None, what: str = "") -> None:
        self.other = other
        text = str(_("Another signed agreement of the same standing covers the same intake."))
        if other is not None:
            said = {"number": other.number, "title": other.title, "what": what, "address": other.get_absolute_url()}
            sentence = _(
                "Agreement %(number)s, %(title)s, already covers %(what)s for the same intakes (%(address)s)."
                " Change the intakes, or say that this agreement replaces it."
            )
            text = str(sentence) % said
        super().__init__(text)
