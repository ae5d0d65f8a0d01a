"""The words and numbers that a document's frame adds. Official documents are Swedish, whoever reads them."""

from datetime import date
from typing import Any

from collab4m.formats.sv import formats

NO_BREAK = "\u00a0"
MONTHS = (
    "januari", "februari", "mars", "april", "maj", "juni",
    "juli", "augusti", "september", "oktober", "november", "december",
)  # fmt: skip
EXAMPLE = "exempel"
MISSING = {"not_reported": "ej rapporterat", "masked": "färre än 5"}
CAME_IN = {
    "reference": "följer med portalen",
    "import": "inläst från fil",
    "form": "ifyllt i formulär",
    "connector": "hämtat från annat system",
    "computed": "räknat av portalen",
}
FRAME = {
    "annex": "Bilaga",
    "annexes": "Bilagor",
    "case_number": "Diarienummer",
    "chart": "Diagram",
    "checked": "Uppgiften är kontrollerad mot källan",
    "checksum": "Kontrollsumma",
    "contents": "Innehåll",
    "date": "Datum",
    "decides": "beslutar",
    "draft": "Utkast",
    "draft_note": (
        "Texten är inte låst och kan ändras när som helst. Ingen kan besluta om den eller skriva under den, och den går"
        " inte att kontrollera. Det som beslutas är en låst version, som har ett nummer och en kontrollsumma."
    ),
    "example": EXAMPLE,
    "examples_here": "Exempel på den här sidan: uppgifter märkta exempel är påhittade",
    "examples_somewhere": "Handlingen har exempel: uppgifter märkta exempel är påhittade",
    "figures": "Siffrorna i diagrammet",
    "how_to_verify": "Så kontrollerar du handlingen",
    "official": "Handläggare",
    "proposal": "Förslag till beslut",
    "recipient": "Till",
    "same_source": "En rad utan källa har samma källa som raden ovanför.",
    "send_to": "Beslutet skickas till",
    "sources": "Källor",
    "table": "Tabell",
    "unchecked": "Uppgiften är inte kontrollerad mot källan",
    "verify": (
        "Innehållet är låst. Kontrollsumman är räknad på innehållet och är densamma i alla kommuners exemplar. På"
        " adressen nedan syns om innehållet är äkta och om en senare version finns. Där kan du också kontrollera filen."
    ),
    "version": "Version",
    "working_copy": "Arbetskopia. Originalet är PDF-filen.",
}


def number(value: int | str) -> str:
    """A figure's value as Swedes write it: 12 345,5 with spaces that do not break."""
    whole, _point, decimals = str(value).partition(".")
    sign, digits = ("−", whole[1:]) if whole.startswith("-") else ("", whole)
    grouped = f"{int(digits):,}".replace(",", formats.THOUSAND_SEPARATOR)
    return sign + grouped + (formats.DECIMAL_SEPARATOR + decimals if decimals else "")


def day(value: date) -> str:
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def grouped(sha256: str) -> str:
    """A hash in groups of four, to be read aloud."""
    return " ".join(sha256[place : place + 4] for place in range(0, len(sha256), 4))


def shown(part: Any) -> str:
    """A piece of running text as words, without marks: text, strong words, links, figures, what is missing."""
    if isinstance(part, str):
        return part
    if isinstance(part, list):
        return "".join(shown(inner) for inner in part)
    if "text" in part:
        return str(part["text"])
    if "missing" in part:
        text = MISSING[part["missing"]]
        if last := part.get("last_known"):
            text += f", senast känt {shown(last)} ({part['last_known_when']})"
        return text
    return f"{number(part['value'])}{NO_BREAK}{part['unit']}" if part["unit"] else number(part["value"])


def source(entry: dict[str, Any]) -> str:
    """A source in one line: who, what, when, how it came in, whether it is checked."""
    named = ", ".join(entry[key] for key in ("publisher", "title", "year") if entry[key]) or entry.get("note", "")
    checked = FRAME["checked" if entry["verified"] else "unchecked"]
    return f"{named}. {checked}."
