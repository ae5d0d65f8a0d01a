"""What agreements show on the start page, in search and in the menu: the first mandate, with the offer."""

from __future__ import annotations

from datetime import date

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agreements.models import Agreement, AnswerKind, ArchiveCopy, Notice, ReferralAnswer
from agreements.operations import NUMBER, Asked, asked_of, coming_of, progress_of
from collab4m.cards import MOST_HITS, Date_, Done, Hit, Mandate, NavItem, StartCards, Todo
from collab4m.clock import today
from collab4m.swedish import matching
from collab4m.templatetags.shell import capital, in_words
from organisations.models import Membership, RoleKind, User

FIRST_MANDATE = 1


def nav(user: User) -> list[NavItem]:
    return [NavItem(label=_("Agreements"), url=reverse("agreements"), prefix=reverse("agreements"))]


def start_cards(user: User) -> StartCards:
    todos = [*_asked(user), *_changes_wanted(user), *_withdrawals(user), *_copies(user)]
    mandate = _mandate(user)
    return StartCards(todos=todos, mandates=[mandate] if mandate else [], dates=_dates(user))


def _dates(user: User) -> list[Date_]:
    """Days that one's municipalities have been told of; those that several share stand once."""
    places: dict[tuple[date, str, str], list[str]] = {}
    for coming in coming_of(user):
        places.setdefault((coming.day, coming.title, coming.address), []).append(coming.municipality.name)
    return [
        Date_(day=day, title=title, place=", ".join(dict.fromkeys(names)), url=address)
        for (day, title, address), names in places.items()
    ]


def _mandate(user: User) -> Mandate | None:
    """Which members are party to an agreement that holds; nothing to tell until an agreement is begun."""
    members = list(Membership.objects.around(user).values_list("area", "municipality"))
    if not members:
        return None
    progress = progress_of(user, {area for area, _municipality in members}, today())
    if not progress.holding and not progress.under_way:
        return None
    state = _("No agreement is signed")
    if progress.holding:
        words = {"words": capital(in_words(progress.holding))}
        state = ngettext("%(words)s agreement is signed", "%(words)s agreements are signed", progress.holding) % words
    if progress.under_way:
        words = {"signed": state, "words": in_words(progress.under_way)}
        state = ngettext(
            "%(signed)s, %(words)s is under way", "%(signed)s, %(words)s are under way", progress.under_way
        ) % words  # fmt: skip
    done: dict[int, Done] = {
        municipality: "yes" if municipality in progress.parties else "no" for _area, municipality in members
    }
    next_step = _("Decide on and sign what is under way") if progress.under_way else _("Agree on what is missing")
    return Mandate(number=FIRST_MANDATE, state=state, next_step=next_step, url=reverse("agreements"), done=done)


# What waits for the reader


def _asked(user: User) -> list[Todo]:
    return [_todo(asked) for asked in asked_of(user)]


def _todo(asked: Asked) -> Todo:
    words = {"title": str(asked.revision)}
    title, why, verb = {
        "answer": (
            _("Answer the referral: %(title)s") % words,
            _("The other parties go on when all have answered, or when the last day has passed."),
            _("Answer"),
        ),
        "decision": (
            _("Record the board's decision: %(title)s") % words,
            _("The text is final, and each board decides for itself. Signing begins when all have approved."),
            _("Record"),
        ),
        "signature": (
            _("Sign: %(title)s") % words,
            _("All boards have approved. The agreement is signed when every party has."),
            _("Sign"),
        ),
    }[asked.what]
    return Todo(
        title=title,
        url=asked.agreement.get_absolute_url(),
        why=why,
        verb=verb,
        due=asked.due,
        for_body=asked.party.municipality.name,
    )


def _changes_wanted(user: User) -> list[Todo]:
    """Referrals of one's own in which changes are wanted that nobody has accepted or declined."""
    own = user.bodies_where(RoleKind.ADMINISTRATOR)
    answers = (
        ReferralAnswer.objects.filter(
            kind=AnswerKind.CHANGE_WANTED, outcome="", referral__closed_at=None, referral__on_behalf_of__in=own
        )
        .select_related("referral__revision__agreement", "referral__on_behalf_of", "municipality")
        .order_by("at", "pk")
    )
    by_referral: dict[int, list[ReferralAnswer]] = {}
    for answer in answers:
        by_referral.setdefault(answer.referral_id, []).append(answer)
    todos = []
    for found in by_referral.values():
        referral = found[0].referral
        names = ", ".join(dict.fromkeys(answer.municipality.name for answer in found))
        todos.append(
            Todo(
                title=_("Settle what is wanted changed: %(title)s") % {"title": referral.revision},
                url=referral.revision.agreement.get_absolute_url(),
                why=_("%(names)s wants something changed. Accept it or decline it with a reason.") % {"names": names},
                verb=_("Settle"),
                due=referral.last_day,
                for_body=referral.on_behalf_of.name,
            )
        )
    return todos


def _withdrawals(user: User) -> list[Todo]:
    """Notices that another party has agreed to take back, and that wait for one's own consent."""
    own = user.bodies_where(RoleKind.ADMINISTRATOR)
    notices = (
        Notice.objects.standing()
        .filter(effective_on__gte=today(), consents__isnull=False, agreement__parties__municipality__in=own)
        .select_related("agreement", "given_by")
        .prefetch_related("consents", "agreement__parties__municipality")
        .order_by("effective_on", "pk")
        .distinct()
    )
    todos = []
    for notice in notices:
        agreed = {consent.municipality_id for consent in notice.consents.all()}
        for party in notice.agreement.parties.all():
            if party.municipality_id in own and party.municipality_id not in agreed:
                todos.append(
                    Todo(
                        title=_("Agree that the notice is withdrawn: %(title)s") % {"title": notice.agreement.title},
                        url=notice.agreement.get_absolute_url(),
                        why=_("%(municipality)s gave notice. It is withdrawn when all parties agree.")
                        % {"municipality": notice.given_by.name},
                        verb=_("Decide"),
                        due=notice.effective_on,
                        for_body=party.municipality.name,
                    )
                )
    return todos


def _copies(user: User) -> list[Todo]:
    own = user.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)
    copies = ArchiveCopy.objects.filter(received_at=None, party__municipality__in=own)
    return [
        Todo(
            title=_("Take the signed copy into the archive: %(title)s") % {"title": copy.agreement.title},
            url=copy.agreement.get_absolute_url(),
            why=_("Download it, register it, and put the receipt on record."),
            verb=_("Receive"),
            for_body=copy.party.municipality.name,
        )
        for copy in copies.select_related("agreement", "party__municipality").order_by("sent_at", "pk")
    ]


# Search


def search(user: User, words: str) -> list[Hit]:
    """Agreements whose title resembles the words, or that have that number or case number."""
    rows = Agreement.objects.visible_to(user).select_related("area")
    numbered = Q(parties__case_number__iexact=words)
    if number := NUMBER.fullmatch(words):
        numbered |= Q(year=int(number[1]), sequence=int(number[2]))
    exact = list(rows.filter(numbered).order_by("pk").distinct()[:MOST_HITS])
    alike = matching(rows.exclude(pk__in=[one.pk for one in exact]), words, "title")[: MOST_HITS - len(exact)]
    return [
        Hit(
            title=str(one),
            url=one.get_absolute_url(),
            kind=_("Agreements"),
            text=f"{one.area.name}. {_('Example')}." if one.example else one.area.name,
        )
        for one in [*exact, *alike]
    ]
