"""Content for tests: a small document with every kind of block, and one with everything that is awkward."""

from decimal import Decimal

from records.documents.blocks import (
    bullets,
    chart,
    column,
    decision,
    document,
    figure,
    link,
    masked,
    not_reported,
    note,
    paragraph,
    section,
    strong,
    table,
)

SCHOOLS, SURVEY = "skolverket:2022", "enkat:2021"
SOURCES = {
    SCHOOLS: {
        "publisher": "Skolverket", "title": "Gymnasieskolans elever", "year": "2022",
        "address": "https://www.skolverket.se/skolutveckling/statistik", "came_in": "import", "verified": True,
    },
    SURVEY: {
        "publisher": "", "title": "Enkät till programråden", "year": "2021",
        "address": "", "came_in": "form", "verified": False, "note": "ur en tabell",
    },
}  # fmt: skip
COVER = {
    "organisation": "Enköpings kommun",
    "unit": "Utbildningsförvaltningen",
    "kind": "Tjänsteskrivelse",
    "recipient": "Utbildnings- och arbetsmarknadsnämnden, Enköping",
    "date": "2022-09-01",
    "case_number": "UAN2022/17",
    "decision": decision(
        "Utbildnings- och arbetsmarknadsnämnden i Enköping",
        "att godkänna återredovisningen",
        "att uppdra till förvaltningen att fortsätta samverkan",
    ),
    "send_to": ["Kommunstyrelsen"],
}
OTHER_COVER = {**COVER, "organisation": "Västerås stad", "case_number": "UAN 2022/00123"}


def places() -> dict:
    return chart(
        "platser", "bars", "Flest platser finns i Västerås", "Platser 2022/23",
        "Stapeldiagram: Västerås har 1 250 platser, Eskilstuna 900, Enköping 310. Strängnäs har inte rapporterat.",
        [column("Kommun", "label"), column("Platser", "number")],
        [
            ["Västerås", figure(1250, source=SCHOOLS)],
            ["Eskilstuna", figure(900, source=SCHOOLS, example=True)],
            ["Enköping", figure(310, source=SURVEY)],
            ["Strängnäs", not_reported()],
        ],
    )  # fmt: skip


def months() -> dict:
    return chart(
        "behov", "line", "Behovet ökar", "Anställda i yrket",
        "Linjediagram: antalet anställda ökar från 1 107 i januari till 1 184 i december.",
        [column("Månad", "label"), column("Anställda", "number"), column("Sökta", "number")],
        [
            [f"2022-{month:02}", figure(1100 + month * 7, source=SCHOOLS), figure(90 + month, source=SCHOOLS)]
            for month in range(1, 13)
        ],
    )  # fmt: skip


def small(title: str = "Fördjupad samverkan i 4M") -> dict:
    """A document with every kind of block."""
    return document(
        kind="Återredovisning",
        title=title,
        subtitle="September 2022",
        sources={**SOURCES},
        sections=[
            section(
                "sammanfattning", "Sammanfattning",
                paragraph(["Det finns ", figure(2460, "platser", source=SCHOOLS), " och ", strong("alla"), " är med."]),
                note("Strängnäs har inte rapporterat."),
                bullets("Fordon lånas ut.", ["Läs mer på ", link("webbplatsen", "https://www.example.se/")]),
                bullets("Först", "Sedan", ordered=True),
            ),
            section(
                "arendet", "Ärendet", paragraph("Uppdragen redovisas ett för ett."),
                sections=[section("uppdrag-1", "Uppdrag 1", places(), months(), example=True)],
            ),
            section("beslut", "Beslut", decision("Nämnden i Enköping", "att lägga redovisningen till handlingarna")),
        ],
        annexes=[
            section(
                "matris", "Matris", paragraph("Se tabellen."),
                table(
                    "matris-tabell",
                    "Utbudet",
                    [column("Program", "label"), column("Finns"), column("Antal", "number")],
                    [
                        ["Bygg", "Finns", figure(Decimal("12.5"), "%", source=SURVEY)],
                        ["El", "Finns inte", masked()],
                        ["Fordon", "Ej rapporterat", not_reported(figure(7, source=SURVEY), "2020/21")],
                    ],
                    note="Andelen räknas på alla svar.",
                ),
            )
        ],
    )  # fmt: skip


WORD = "gymnasiesärskoleverksamhetsutvecklingssamordnarkonferenserna"
AWKWARD = [
    'Citat "q" ” \' #read("/etc/passwd") $x^2$ <a href="x">&amp; *b* _i_ `c` \\ @ref // /* ~ = - + 1.',
    "Tecken 😀 👩\u200d🏫 ⛷ och U+0000",
    "עברית שלום och العربية مرحبا mitt i texten",
    "e\u0301 n\u0303 q\u0308 Z\u0323 a\u030a\u0301",
    WORD,
    "A" * 60,
    "W" * 200,
    "https://www.example.se/" + "abc-def/" * 40,
]


def awkward() -> dict:
    """300 rows, 12 columns, words of 60 characters and more, signs that are markup elsewhere, and other scripts."""
    head = [column("Program", "label"), column("Skola"), column("Platser", "number")]
    rows = [
        [f"Program {number}", "Westerlundska gymnasiet", figure(number * 37, source=SCHOOLS, example=number == 250)]
        for number in range(300)
    ]
    wide_head = [column(f"Kommun {place}", "number" if place % 2 else "text") for place in range(11)]
    wide = [[AWKWARD[row], *[_wide_cell(row, place) for place in range(11)]] for row in range(8)]
    return document(
        kind="Återredovisning",
        title=f"{AWKWARD[0]} {AWKWARD[2]}",
        sources={**SOURCES},
        sections=[
            section("texter", AWKWARD[4], *[paragraph(text) for text in AWKWARD], bullets(*AWKWARD)),
            section("lang", AWKWARD[0], table("rader", AWKWARD[6], head, rows)),
            section("bred", "Bred", table("tolv", "Tolv kolumner", [column("Program", "label"), *wide_head], wide)),
        ],
    )


def _wide_cell(row: int, place: int) -> object:
    return figure(12345 * place, source=SCHOOLS) if place % 2 else AWKWARD[(row + place) % 8]
