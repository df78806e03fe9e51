"""The pictures of a training: drawn to scale, named, and legible whatever the features are called."""

import re
from xml.etree import ElementTree

import pytest

from tidegate.components.train.pictures import importance_picture, learning_picture
from tidegate.documents.record import LearningPoint
from tidegate.scoring.tasks import TASKS

SVG = "{http://www.w3.org/2000/svg}"
POINTS = [LearningPoint(5000, 0.38, 0.53), LearningPoint(40000, 0.46, 0.51)]


def texts(picture: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def lines(picture: str) -> list[list[tuple[float, float]]]:
    found = [line.attrib["points"] for line in ElementTree.fromstring(picture).iter(f"{SVG}polyline")]
    return [[(float(x), float(y)) for x, y in (point.split(",") for point in line.split())] for line in found]


def bars(picture: str) -> list[tuple[float, float]]:
    """Where each bar begins, and its width."""
    found = [bar.attrib for bar in ElementTree.fromstring(picture).iter(f"{SVG}rect") if bar.get("class") == "bar"]
    return [(float(bar["x"]), float(bar["width"])) for bar in found]


def test_a_learning_curve_names_its_axes_units_and_lines() -> None:
    found = texts(learning_picture(POINTS, TASKS["binary"]))
    assert {"Learning curve", "training rows", "log loss (nats)", "rows after them", "rows trained on"} <= set(found)
    assert {"0", "20,000", "0.4", "0.5"} <= set(found)


def test_a_learning_curve_is_drawn_to_scale() -> None:
    unseen, known = lines(learning_picture(POINTS, TASKS["binary"]))
    assert unseen == [pytest.approx((155, 50)), pytest.approx((680, 370 - 320 * 0.13 / 0.15), abs=0.1)]
    assert known == [pytest.approx((155, 370)), pytest.approx((680, 370 - 320 * 0.08 / 0.15), abs=0.1)]


def test_a_learning_curve_of_one_point_is_a_picture() -> None:
    assert [len(line) for line in lines(learning_picture(POINTS[:1], TASKS["regression"]))] == [1, 1]


def test_importances_are_bars_on_both_sides_of_zero() -> None:
    picture = importance_picture({"a$b$_c": 0.2, "<second>": -0.1}, TASKS["binary"])
    assert bars(picture) == [pytest.approx((500, 200), abs=0.1), pytest.approx((400, 100), abs=0.1)]
    assert {"a$b$_c", "<second>", "0.2000", "-0.1000"} <= set(texts(picture))
    assert "growth of the log loss on held-out rows (nats)" in texts(picture)


def test_a_model_that_uses_no_feature_has_a_picture() -> None:
    assert [width for _, width in bars(importance_picture({"a": 0.0, "b": 0.0}, TASKS["binary"]))] == [0, 0]


def test_a_wide_model_keeps_a_legible_picture() -> None:
    wide = {f"feature {index} {'long ' * 20}": 1 / (index + 1) for index in range(500)}
    picture = importance_picture(wide, TASKS["binary"])
    height = float(re.findall(r'viewBox="0 0 780 ([0-9.]+)"', picture)[0])
    assert height < 1500 and len(bars(picture)) == 40
    assert "Permutation importance, 40 of 500 features" in texts(picture)
    assert max(map(len, texts(picture))) < 60
