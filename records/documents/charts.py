"""Charts as drawings: the area's accent and grey, labels at the lines, Swedish numbers. The same on paper and page."""

import re
from functools import cache
from typing import Any

import vl_convert

from records.documents import fonts, theme, words
from records.documents.content import Content

VEGA_LITE = "5.20"
WIDTH, BAR, LINE_HEIGHT = 480, 18, 200
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_CSS = {"ink": "--c-ink", "soft": "--c-soft", "line": "--c-line", "series": "--c-yes", "other": "--c-soft"}


def svg(chart: Content) -> str:
    """The chart as SVG, in the colours of paper."""
    _fonts_are_known()
    spec = (_bars if chart["form"] == "bars" else _line)(chart)
    drawn: str = vl_convert.vegalite_to_svg(
        spec, vl_version=VEGA_LITE, format_locale="sv-SE", time_format_locale="sv-SE"
    )
    return drawn


def height(drawing: str) -> float:
    """How tall the drawing is, as a share of its width."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing)
    return float(size[2]) / float(size[1]) if size else 1.0


def for_page(drawing: str) -> str:
    """The drawing in the page's own colours, so that it follows the reader's appearance."""
    for role, variable in _CSS.items():
        drawing = drawing.replace(theme.colours()[role], f"var({variable})")
    return drawing


@cache
def _fonts_are_known() -> None:
    vl_convert.register_font_directory(str(fonts.folder()))


def _label(text: str) -> str:
    """A label as drawn: 2022-01 is a month."""
    month = _MONTH.fullmatch(text)
    return f"{words.MONTHS[int(month[2]) - 1][:3]} {month[1]}" if month else fonts.showable(text)


def _points(chart: Content) -> list[dict[str, Any]]:
    """One point for each figure; what is missing is not drawn, and said in words where a bar would be."""
    points = []
    for row_number, (label, *cells) in enumerate(chart["rows"]):
        for series, (column, cell) in enumerate(zip(chart["columns"][1:], cells, strict=True)):
            value = cell[0].get("value")
            points.append(
                {
                    "row": row_number,
                    "label": _label(words.shown(label)),
                    "series": series,
                    "name": fonts.showable(column["label"]),
                    "value": None if value is None else float(value),
                    "text": words.number(value) if value is not None else words.MISSING[cell[0]["missing"]],
                }
            )
    return points


def _spec(points: list[dict[str, Any]], layer: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    colours = theme.colours()
    text = {"labelFont": fonts.FAMILIES[0], "titleFont": fonts.FAMILIES[0], "labelColor": colours["ink"]}
    return {
        "data": {"values": points},
        "layer": layer,
        "width": WIDTH,
        "background": None,
        "config": {
            "font": fonts.FAMILIES[0],
            "view": {"stroke": None},
            "axis": {**text, "grid": False, "labelFontSize": 12, "labelLimit": 180, "domainColor": colours["soft"]},
            "text": {"font": fonts.FAMILIES[0], "fontSize": 12, "color": colours["ink"]},
        },
        **more,
    }


def _series_colour() -> dict[str, Any]:
    colours = theme.colours()
    return {
        "field": "series", "type": "ordinal", "legend": None,
        "scale": {"domain": [0, 1], "range": [colours["series"], colours["other"]]},
    }  # fmt: skip


def _bars(chart: Content) -> dict[str, Any]:
    """Lying bars from zero, each with its value; with two series the first pair says which is which."""
    points = _points(chart)
    if len(chart["columns"]) > 2:
        for point in points[:2]:
            point["text"] += f" {point['name']}"
    encoding: dict[str, Any] = {
        "y": {"field": "label", "type": "ordinal", "sort": None, "axis": {"title": None, "ticks": False}},
        "x": {"field": "value", "type": "quantitative", "axis": None, "scale": {"zero": True}},
    }
    if len(chart["columns"]) > 2:
        encoding["yOffset"] = {"field": "series", "type": "ordinal"}
    at_end = {"value": {"expr": "0"}} if all(point["value"] is None for point in points) else encoding["x"]
    layer: list[dict[str, Any]] = [
        {"mark": {"type": "bar"}, "encoding": {**encoding, "color": _series_colour()}},
        {
            "mark": {"type": "text", "align": "left", "dx": 5, "invalid": None},
            "encoding": {**encoding, "x": at_end, "text": {"field": "text"}},
        },
    ]
    step = {"step": BAR + 8} if len(chart["columns"]) == 2 else {"step": BAR, "for": "offset"}
    return _spec(points, layer, height=step)


def _line(chart: Content) -> dict[str, Any]:
    """One or two lines, whole and dashed, with the value and the name at their ends."""
    points = _points(chart)
    lowest = min((point["value"] for point in points if point["value"] is not None), default=0)
    for series in range(len(chart["columns"]) - 1):
        own = [point for point in points if point["series"] == series and point["value"] is not None]
        for point in own:
            point["end"], point["below"] = "", _is_lower(point, points)
        if own:
            own[0]["end"], own[-1]["end"] = own[0]["text"], f"{own[-1]['text']} {own[-1]['name']}"
    encoding: dict[str, Any] = {
        "x": {
            "field": "label", "type": "ordinal", "sort": None,
            "axis": {"title": None, "labelAngle": 0, "ticks": False, "labelOverlap": "greedy"},
            "scale": {"padding": 0.4},
        },
        "y": {"field": "value", "type": "quantitative", "axis": None, "scale": {"zero": lowest >= 0}},
    }  # fmt: skip
    dash: dict[str, Any] = {
        "field": "series",
        "type": "ordinal",
        "legend": None,
        "scale": {"domain": [0, 1], "range": [[1, 0], [5, 4]]},
    }
    ends: list[dict[str, Any]] = [
        {
            "transform": [{"filter": f"datum.end && datum.below == {below}"}],
            "mark": {"type": "text", "align": "left", "dx": 4, "dy": shift},
            "encoding": {**encoding, "text": {"field": "end"}},
        }
        for below, shift in (("false", -11), ("true", 13))
    ]
    layer: list[dict[str, Any]] = [
        {
            "mark": {"type": "line", "strokeWidth": 2.5, "point": {"size": 30, "filled": True}},
            "encoding": {**encoding, "color": _series_colour(), "strokeDash": dash, "detail": {"field": "series"}},
        },
        *ends,
    ]
    return _spec(points, layer, height=LINE_HEIGHT)


def _is_lower(point: dict[str, Any], points: list[dict[str, Any]]) -> bool:
    """Whether the other line runs above this point."""
    rivals = (other for other in points if other["row"] == point["row"] and other["series"] != point["series"])
    return any(rival["value"] is not None and rival["value"] > point["value"] for rival in rivals)
