"""What changed between two versions, in texts, tables and sections."""

from records.documents.blocks import (
    bullets,
    chart,
    column,
    decision,
    document,
    figure,
    not_reported,
    note,
    paragraph,
    section,
    table,
)
from records.documents.comparing import compare_contents

SOURCE = "a"
SOURCES = {
    SOURCE: {"publisher": "Skolverket", "title": "", "year": "", "address": "", "came_in": "form", "verified": True}
}
COLUMNS = [column("Skola", "label"), column("Platser", "number"), column("Sökande", "number")]


def content(*sections):
    return document(kind="Återredovisning", title="A", sections=sections, sources=SOURCES)


def seats(*rows, id="platser", caption="Platser", form=""):
    made = [
        [name, *(not_reported() if number is None else figure(number, source=SOURCE) for number in numbers)]
        for name, *numbers in rows
    ]
    return table(id, caption, COLUMNS, made) if not form else chart(id, form, caption, "Antal", "Alt", COLUMNS, made)


def of_table(*rows, **more):
    return content(section("a", "Utbud", seats(*rows, **more)))


def changes(before, after):
    return [
        (change.caption, [(cell.row, cell.column, cell.before, cell.after) for cell in change.cells])
        for change in compare_contents(before, after).tables
    ]


def test_the_same_content_does_not_differ():
    made = of_table(["Edströmska", 10, 12])

    assert compare_contents(made, made).is_none


def test_a_changed_text_is_shown_in_pieces_under_its_sections_heading():
    before = content(section("a", "Bakgrund", paragraph("Fyra kommuner samverkar."), bullets("ett", "två")))
    after = content(section("a", "Bakgrund", paragraph("Fem kommuner samverkar."), bullets("ett", "tre")))

    found = compare_contents(before, after)

    (change,) = found.texts
    assert change.heading == "Bakgrund"
    assert "Fyra" in "".join(piece.text for piece in change.pieces if piece.kind == "old")
    assert "Fem" in "".join(piece.text for piece in change.pieces if piece.kind == "new")
    assert "".join(piece.text for piece in change.pieces if piece.kind != "new") == (
        "Fyra kommuner samverkar.\n– ett\n– två\n"
    )
    assert (found.tables, found.only_before, found.only_after) == ([], [], [])


def test_figures_in_running_text_notes_and_decisions_are_texts():
    def said(number):
        return content(
            section(
                "a", "A", paragraph(["Det finns ", figure(number, "platser", source=SOURCE)]), note(f"Not {number}"),
                decision("Nämnden", f"att godkänna {number}"),
            )
        )  # fmt: skip

    (change,) = compare_contents(said(7), said(8)).texts

    assert "".join(piece.text for piece in change.pieces if piece.kind != "old") == (
        "Det finns 8\u00a0platser\nNot 8\natt godkänna 8\n"
    )


def test_sections_that_came_and_went_are_named_also_inside_others():
    before = content(section("a", "A", sections=[section("b", "Inre")]), section("c", "C"))
    after = content(section("a", "A", sections=[section("d", "Ny")]), section("c", "C"))

    found = compare_contents(before, after)

    assert (found.only_before, found.only_after, found.texts) == (["Inre"], ["Ny"], [])


def test_a_changed_figure_is_told_by_row_and_column():
    before = of_table(["Edströmska", 10, 12], ["Rekarne", 1200, None])
    after = of_table(["Edströmska", 10, 14], ["Rekarne", 1200, 3])

    assert changes(before, after) == [
        ("Platser", [("Edströmska", "Sökande", "12", "14"), ("Rekarne", "Sökande", "ej rapporterat", "3")])
    ]


def test_rows_that_came_and_went_are_told_whole():
    before, after = of_table(["Edströmska", 10, 12]), of_table(["Rekarne", 20, 22])

    ((_caption, cells),) = changes(before, after)

    assert set(cells) == {
        ("Rekarne", "Platser", "", "20"), ("Rekarne", "Sökande", "", "22"),
        ("Edströmska", "Platser", "10", ""), ("Edströmska", "Sökande", "12", ""),
    }  # fmt: skip


def test_a_row_that_moved_has_not_changed():
    rows = [["Edströmska", 10, 12], ["Rekarne", 20, 22]]

    assert changes(of_table(*rows), of_table(*reversed(rows))) == []


def test_rows_with_the_same_label_are_told_apart():
    before = of_table(["Skolan", 1, 2], ["Skolan", 3, 4])

    assert changes(before, of_table(["Skolan", 1, 2], ["Skolan", 3, 5])) == [
        ("Platser", [("Skolan", "Sökande", "4", "5")])
    ]


def test_a_chart_is_compared_by_its_rows_and_a_new_table_is_all_new():
    before = of_table(["Edströmska", 10, 12], id="staplar", form="bars")
    after = of_table(["Edströmska", 11, 12], id="staplar", form="bars")

    assert changes(before, after) == [("Platser", [("Edströmska", "Platser", "10", "11")])]
    assert changes(content(section("a", "A")), after) == [
        ("Platser", [("Edströmska", "Platser", "", "11"), ("Edströmska", "Sökande", "", "12")])
    ]
    assert changes(after, content(section("a", "A")))[0][1][0] == ("Edströmska", "Platser", "11", "")
