"""The addresses of drafts and their text, and what each role meets there."""

from __future__ import annotations

from typing import Any

from agreements.models import Agreement, RevisionKind
from agreements.operations import add_own_clause, start_revision, take_back
from collab4m.school_year import SchoolYear
from tests.agreements.stories import building, draft, fill_in, on_referral, revision_of, signed
from tests.pages import Page
from tests.programmes.pages import with_offer


def a_draft(area: Any, home: Any, neighbour: Any, owner: Any) -> Agreement:
    """A draft with a term, open places and a section of its own."""
    agreement = draft(area, [home, neighbour], owner, programme=building())
    add_own_clause(revision_of(agreement), heading="Särskilt stöd", by=owner, on_behalf_of=home.body)
    return agreement


def of_draft(area: Any, home: Any, neighbour: Any, owner: Any) -> list[Any]:
    return [a_draft(area, home, neighbour, owner).pk]


def of_facts(section: str) -> Any:
    def args(area: Any, home: Any, neighbour: Any, owner: Any) -> list[Any]:
        return [*of_draft(area, home, neighbour, owner), section]

    return args


def of_term(area: Any, home: Any, neighbour: Any, owner: Any) -> list[Any]:
    agreement = a_draft(area, home, neighbour, owner)
    return [agreement.pk, revision_of(agreement).terms.get().pk]


def of_referral(area: Any, home: Any, neighbour: Any, owner: Any) -> list[Any]:
    agreement = a_draft(area, home, neighbour, owner)
    on_referral(agreement)
    return [agreement.pk]


def of_signed(area: Any, home: Any, neighbour: Any, owner: Any) -> list[Any]:
    return [signed(draft(area, [home, neighbour], owner, programme=building())).pk]


def an_annex(area: Any, home: Any, neighbour: Any, owner: Any) -> Agreement:
    agreement = signed(draft(area, [home, neighbour], owner, programme=building()))
    start_revision(
        agreement, kind=RevisionKind.ANNEX, applies_from=SchoolYear(2024), by=owner, on_behalf_of=home.body
    )  # fmt: skip
    return agreement


def of_annex(area: Any, home: Any, neighbour: Any, owner: Any) -> list[Any]:
    return [an_annex(area, home, neighbour, owner).pk]


def of_change(area: Any, home: Any, neighbour: Any, owner: Any) -> list[Any]:
    return [*of_annex(area, home, neighbour, owner), "andring"]


def of_comparison(area: Any, home: Any, neighbour: Any, owner: Any) -> list[Any]:
    """The second version of a draft that was sent on referral twice."""
    agreement = a_draft(area, home, neighbour, owner)
    on_referral(agreement)
    take_back(agreement, reason="Mer att skriva.", by=owner, on_behalf_of=home.body)
    fill_in(agreement)
    on_referral(agreement)
    return [agreement.pk, 2]


def of_changed_draft(area: Any, home: Any, neighbour: Any, owner: Any) -> list[Any]:
    return of_comparison(area, home, neighbour, owner)[:1]


def offered(area: Any, home: Any, neighbour: Any, school: Any) -> list[Any]:
    """Gaps of `home` that `neighbour` covers."""
    with_offer(home, neighbour, school)
    return []


# Drafts: the parties' administrators. From referral on: their committees as well.
DRAFTERS = {"owner": 200, "asker": 200}
WITH_COMMITTEE = {**DRAFTERS, "committee": 403}
READERS = {**DRAFTERS, "committee": 200}
AROUND = {"principal": 403, "council_member": 403, "committee": 403}  # the rest of the area, of what is signed
STARTERS = {"owner": 200, "asker": 200, "outsider": 200}


def _of_draft(name: str, args: Any = of_draft, **more: Any) -> Page:
    return Page(name, args=args, everyone=404, status=DRAFTERS, **more)


DRAFT_PAGES = [
    Page("agreement_new", everyone=403, status=STARTERS),
    Page(
        "agreement_new",
        args=offered,
        query="?kommun=0381&lasar=2022-23&rad=HV&rad=NB",
        everyone=403,
        status={"owner": 200},
    ),
    _of_draft("agreement_work"),
    Page("agreement_work", args=of_annex, query="?bilaga", everyone=404, status={**DRAFTERS, **AROUND}),
    Page("agreement_work", args=of_referral, query="?remiss", everyone=404, status=WITH_COMMITTEE),
    _of_draft("agreement_about"),
    _of_draft("agreement_parties"),
    *(
        _of_draft("agreement_facts", of_facts(section), query=f"?{section}")
        for section in ("giltighet", "ersattning", "bilaga", "uppfoljning")
    ),
    _of_draft("term_new"),
    _of_draft("term_change", of_term),
    _of_draft("term_remove", of_term),
    _of_draft("own_clause_new"),
    _of_draft("own_clause_remove", of_facts("egen-1")),
    _of_draft("clause_use", of_facts("syfte")),
    _of_draft("withdraw"),
    Page("revision_new", args=of_signed, everyone=404, status={**DRAFTERS, **AROUND}),
    _of_draft("agreement_text"),
    Page("agreement_text", args=of_referral, query="?remiss", everyone=404, status=READERS),
    Page(
        "agreement_text",
        args=of_signed,
        query="?vy=galler",
        everyone=404,
        status={**READERS, **dict.fromkeys(AROUND, 200)},
    ),
    _of_draft("draft_pdf", draws=False),
    _of_draft("draft_word", draws=False),
    Page("compare", args=of_comparison, everyone=404, status=READERS),
    Page("compare_draft", args=of_changed_draft, everyone=404, status=DRAFTERS),
]
