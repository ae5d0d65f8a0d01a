"""The addresses of history, jobs, questions, corrections, texts and final versions, met by every role."""

import re
from collections.abc import Callable
from typing import Any

from records.documents.files import MadeFile
from records.models import Outgoing, Part, Question, Version
from records.operations import ask_question, freeze, next_version, order_job, propose_correction, save_part
from records.storage import FinalFiles
from tests.factories import PartFactory, SchoolFactory
from tests.pages import Page
from tests.records.documents.content import COVER, small

A_SCHOOL = 900_001  # the pages with ?om= name it in their address


def a_school(home: Any, owner: Any) -> list[Any]:
    SchoolFactory(pk=A_SCHOOL, name="Edströmska", municipality=home)
    return []


def a_question(home: Any, owner: Any, neighbour: Any, asker: Any) -> Question:
    school = SchoolFactory(name="Edströmska", municipality=home)
    asked = {"title": "Platser på bygg", "text": "Hur många platser har ni?", "to_body": home.body}
    return ask_question(school, **asked, by=asker, on_behalf_of=neighbour.body)


def question(home: Any, owner: Any, neighbour: Any, asker: Any) -> list[Any]:
    return [a_question(home, owner, neighbour, asker).pk]


def answer_link(home: Any, owner: Any, neighbour: Any, asker: Any) -> list[Any]:
    Outgoing.objects.all().delete()
    a_question(home, owner, neighbour, asker)
    return [re.search(r"/fragor/svar/([^/]+)/", Outgoing.objects.get().text)[1]]  # type: ignore[index]


def correction(home: Any, owner: Any, neighbour: Any, asker: Any) -> list[Any]:
    school = SchoolFactory(name="Edströmska", municipality=home)
    said = {"field": "name", "proposed": "Edströmska gymnasiet", "reason": "Så står det på skylten."}
    return [propose_correction(school, **said, by=asker, on_behalf_of=neighbour.body).pk]


def history(of: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def args(home: Any, owner: Any, neighbour: Any, asker: Any) -> list[Any]:
        return ["records", of.__name__, *of(home, owner, neighbour, asker)]

    return args


def job(owner: Any) -> list[Any]:
    return [order_job("records.check", "a", by=owner, args={"seconds": 1}).pk]


def part(area: Any, home: Any, owner: Any, neighbour: Any) -> list[Any]:
    row = PartFactory(subject__area=area)
    said = {"by": owner, "on_behalf_of": home.body}
    save_part(row, text="Bakgrund", base_version=0, **said)
    save_part(row, text=WRITTEN, base_version=1, **said)
    return [row.pk]


def history_of_part(area: Any, home: Any, owner: Any, neighbour: Any) -> list[Any]:
    return ["records", "part", *part(area, home, owner, neighbour)]


def paper(area: Any, home: Any, owner: Any, neighbour: Any) -> list[Any]:
    (pk,) = part(area, home, owner, neighbour)
    return [Part.objects.get(pk=pk).subject_id]


WRITTEN = "## Bakgrund\n\nFyra kommuner samarbetar.\nDe är lika.\n\n- Västerås\n- Enköping\n\n2. Steg två\n3. Steg tre"


def a_version(school: Any) -> Version:
    """A version that a later one supersedes, with a file that the store has lost."""
    first = freeze(
        next_version(school, small(), by=None),
        [MadeFile("pdf", "0381", "a.pdf", b"%PDF-1.7", COVER), MadeFile("zip", "", "lost.zip", b"PK of nobody else")],
    )
    freeze(next_version(school, small("En senare version"), by=None))
    lost = first.renditions.get(kind="zip").sha256
    FinalFiles().delete(f"{lost[:2]}/{lost}")
    return first


def version(school: Any) -> list[Any]:
    return [a_version(school).pk]


def file(school: Any) -> list[Any]:
    return [a_version(school).renditions.get(kind="pdf").pk]


def lost_file(school: Any) -> list[Any]:
    return [a_version(school).renditions.get(kind="zip").pk]


def verified_file(school: Any) -> list[Any]:
    return [a_version(school).renditions.get(kind="pdf").sha256]


def verified_content(school: Any) -> list[Any]:
    return [freeze(next_version(school, small(), by=None)).content_sha256]


ABOUT = f"?om=organisations.school:{A_SCHOOL}"
BOTH_SIDES = {"owner": 200, "asker": 200, "committee": 200}
IN_THE_AREA = dict.fromkeys(("owner", "asker", "principal", "committee", "council_member"), 200)
OPEN = {"anonymous": 200}
WHO_ACT = {"owner": 200, "asker": 200, "outsider": 200, "principal": 200}

PAGES = [
    Page("history", args=lambda home: ["organisations", "municipality", home.pk]),
    Page("history", args=history(question), query="?sida=1", everyone=404, status=BOTH_SIDES),
    Page("history", args=history(correction), query="?sida=2", everyone=404, status=BOTH_SIDES),
    Page("jobs"),
    Page("job", args=job, everyone=404, status={"owner": 200, "system_administrator": 200}),
    Page(
        "job_retry",
        args=job,
        method="post",
        draws=False,
        everyone=404,
        status={"owner": 302, "system_administrator": 302},
    ),  # fmt: skip
    Page("questions"),
    Page("question_new", args=a_school, query=ABOUT, everyone=403, status=WHO_ACT),
    Page("question_new", query="?om=organisations.school:0", everyone=404, draws=False),
    Page("question", args=question, everyone=404, status=BOTH_SIDES),
    Page(
        "question_close",
        args=question,
        method="post",
        draws=False,
        everyone=404,
        status={"asker": 302, "owner": 403, "committee": 403},
    ),  # fmt: skip
    Page("reply_by_link", args=lambda: ["no-such-link"], everyone=404, status={"anonymous": 404}),
    Page("reply_by_link", args=answer_link, query="?mejl", status={"anonymous": 200}),
    Page("corrections"),
    Page("correction_new", args=a_school, query=ABOUT, everyone=403, status=WHO_ACT),
    Page("correction_new", args=a_school, query=f"{ABOUT}&falt=status", everyone=403, status=WHO_ACT),
    Page("correction", args=correction, everyone=404, status=BOTH_SIDES),
    Page(
        "correction_accept",
        args=correction,
        method="post",
        data={"seen": "Edströmska"},
        draws=False,
        everyone=404,
        status={"owner": 302, "asker": 403, "committee": 403},
    ),  # fmt: skip
    Page(
        "correction_decline",
        args=correction,
        method="post",
        data={"answer": "Nej."},
        draws=False,
        everyone=404,
        status={"owner": 302, "asker": 403, "committee": 403},
    ),  # fmt: skip
    Page("paper", args=paper, everyone=404, status=IN_THE_AREA),
    Page("part", args=part, everyone=404, status=IN_THE_AREA),
    Page(
        "part",
        args=part,
        method="post",
        data={"text": "Ny text", "base_version": "2"},
        draws=False,
        everyone=404,
        status={**dict.fromkeys(IN_THE_AREA, 403), "owner": 302, "asker": 302},
    ),  # fmt: skip
    Page("part_history", args=part, everyone=404, status=IN_THE_AREA),
    Page("history", args=history_of_part, query="?sida=3", everyone=404, status=IN_THE_AREA),
    Page("version", args=version),
    Page("rendition", args=file, draws=False),
    Page("rendition", args=lost_file, query="?borta", everyone=404, draws=False),
    Page("verify", status=OPEN),
    Page("verify", query="?kontrollsumma=abc", status=OPEN),
    Page("verified", args=lambda: ["0" * 64], status=OPEN),
    Page("verified", args=verified_file, query="?fil", status=OPEN),
    Page("verified", args=verified_content, query="?innehall", status=OPEN),
]
