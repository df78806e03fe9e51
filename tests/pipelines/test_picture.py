"""The picture shows every step once, nothing on top of anything else, in both themes."""

from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest

from tidegate.pipelines.graph import tasks
from tidegate.pipelines.picture import BOX, HEIGHT, THEMES, WIDTH, draw

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("theme", THEMES)
def test_every_step_has_one_box_of_its_own(compiled: dict[str, Any], theme: str) -> None:
    root = ElementTree.fromstring(draw(compiled, theme))
    assert root.get("viewBox") == f"0 0 {WIDTH} {HEIGHT}"
    names = [text.text for text in root.iter(f"{SVG}text") if text.get("class") == "name"]
    assert names == [task.name for task in tasks(compiled)]
    boxes = [
        tuple(float(rect.get(side, "nan")) for side in ("x", "y", "width"))
        for rect in root.iter(f"{SVG}rect")
        if rect.get("class") == "box"
    ]
    assert all(x >= 0 and y >= 0 and x + width <= WIDTH and y + BOX <= HEIGHT for x, y, width in boxes)
    apart = [abs(a[0] - b[0]) > a[2] or abs(a[1] - b[1]) > BOX for a, b in combinations(boxes, 2)]
    assert all(apart)


def test_themes_differ_in_colours_only(compiled: dict[str, Any]) -> None:
    light, dark = (draw(compiled, theme) for theme in ("light", "dark"))
    for name, colour in THEMES["light"].items():
        light = light.replace(f" {colour}", f" {THEMES['dark'][name]}")
    assert light == dark


def test_the_frame_and_the_way_back_are_there(compiled: dict[str, Any]) -> None:
    root = ElementTree.fromstring(draw(compiled, "light"))
    notes = [text.text for text in root.iter(f"{SVG}text") if "note" in str(text.get("class"))]
    assert notes == ["only if retrain is true", "champion"]
    assert len([path for path in root.iter(f"{SVG}path") if path.get("class") == "back"]) == 1
