"""A hostile model file is refused on one line, and nothing in it runs."""

import io
import json
import os
import pickle
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import Ridge, TweedieRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from tidegate import models
from tidegate.models import archive
from tidegate.models.canonical import canonical
from tidegate.process.errors import ModelError

Node = dict[str, Any]
x = np.random.default_rng(0).normal(size=(200, 3))
y = (x[:, 0] + x[:, 1] > 0).astype(int)
estimators: dict[str, Any] = {
    "boosting": GradientBoostingClassifier(n_estimators=2, random_state=0),
    "forest": RandomForestClassifier(2, random_state=0),
    "histogram": HistGradientBoostingClassifier(max_iter=2, random_state=0),
    "tree": DecisionTreeClassifier(random_state=0),
    "ridge": Ridge(),
    "pipeline": Pipeline([("ridge", Ridge())]),
    "encoder": OneHotEncoder(sparse_output=False),
    "network": MLPClassifier((3,), solver="lbfgs", max_iter=3, random_state=0),
    "tweedie": TweedieRegressor(power=1.5),
    "words": HashingVectorizer(n_features=16),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    paths = {name: folder / f"{name}.skops" for name in estimators}
    for name, path in paths.items():
        models.save(estimators[name].fit(np.digitize(x, [0]) if name == "encoder" else x, y), path)
    return paths


def test_the_models_to_be_spoilt_are_sound(saved: dict[str, Path]) -> None:
    for path in saved.values():
        models.load(path)


def unzip(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as source:
        return {name: source.read(name) for name in source.namelist()}


def rezip(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", compression) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return result.getvalue()


def refusal(data: bytes, path: Path) -> str:
    """The one line with which `load` refuses the bytes."""
    path.write_bytes(data)
    with pytest.raises(ModelError) as caught:
        models.load(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert re.fullmatch(r".+: expected .+, found .+; .+", message)
    return message


def text(value: Any) -> Node:
    return node("JsonNode", "builtins.str", content=json.dumps(value), is_json=True)


def node(loader: str, type_name: str, **fields: Any) -> Node:
    module, _, name = type_name.rpartition(".")
    return {"__class__": name, "__loader__": loader, "__module__": module, **fields}


def sequence(*content: Node) -> Node:
    return node("TupleNode", "builtins.tuple", content=list(content))


def mapping(**content: Node) -> Node:
    keys = [node("TypeNode", "builtins.str") for _ in content]
    return node(
        "DictNode", "builtins.dict", content=content, key_types=node("ListNode", "builtins.list", content=keys)
    )


def attributes(thing: Node) -> Node:
    content: Node = thing["content"]["content"]
    return content


def put(thing: Node, name: str, value: Node) -> None:
    """Give an object node one attribute, as a careful attacker would: with its key type."""
    if name not in attributes(thing):
        thing["content"]["key_types"]["content"].append(node("TypeNode", "builtins.str"))
    attributes(thing)[name] = value


def trap(path: Path) -> str:
    return f"touch {path.parent / 'ran'}"


def with_schema(path: Path, edit: Callable[[Node], Any]) -> bytes:
    members = unzip(path)
    schema = json.loads(members["schema.json"])
    edit(schema)
    return rezip({**members, "schema.json": json.dumps(schema).encode()})


class Boom:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def test_a_pickle_is_not_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    refusal(pickle.dumps(Boom(trap(path))), path)
    assert not (tmp_path / "ran").exists()
    pickle.loads(path.read_bytes())
    assert (tmp_path / "ran").exists(), "the trap itself must work"


def test_a_pickled_array_is_not_unpickled(saved: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    members = unzip(saved["ridge"])
    stream = io.BytesIO()
    np.save(stream, np.array([Boom(trap(path))], dtype=object), allow_pickle=True)
    assert "0.npy" in refusal(rezip({**members, "0.npy": stream.getvalue()}), path)
    assert not (tmp_path / "ran").exists()


runners: dict[str, Callable[[str], Node]] = {
    "os.system as a function": lambda command: node("FunctionNode", "os.system"),
    "os.system as a type": lambda command: node("TypeNode", "os.system"),
    "os.system as the name of a key": lambda command: {
        **mapping(),
        "content": {command: text(1)},
        "key_types": node("ListNode", "builtins.list", content=[node("TypeNode", "os.system")]),
    },
    "eval as a constructor": lambda command: node(
        "ConstructorFromReduceNode", "builtins.eval", content=sequence(text(f"__import__('os').system({command!r})"))
    ),
    "os.system as a loss": lambda command: node(
        "LossNode", "os.system", content=mapping(), __reduce__={"args": sequence(text(command))}
    ),
    "os.system as a list": lambda command: node("ListNode", "os.system", content=[text(command)]),
    "os.system as an array": lambda command: node("NdArrayNode", "os.system", type="numpy", file="0.npy"),
    "a partial of os.system": lambda command: node(
        "PartialNode",
        "functools.partial",
        content={"func": node("FunctionNode", "os.system"), "args": sequence(text(command)), "kwds": mapping(),
                 "namespace": mapping()},
    ),
    "a method caller": lambda command: node("OperatorFuncNode", "operator.methodcaller", attrs=sequence(text("x"))),
    "a method": lambda command: node(
        "MethodNode", "sklearn.linear_model._ridge.Ridge", content={"func": "fit", "obj": text(1)}
    ),
    "an unknown type": lambda command: node("ObjectNode", "antigravity.Fly", content=mapping()),
    "an estimator that skops trusts and we do not": lambda command: node(
        "ObjectNode", "sklearn.svm._classes.SVC", content=mapping()
    ),
    "an unknown loader": lambda command: node("PickleNode", "builtins.str", content=text(command)),
    "a cached node": lambda command: node("CachedNode", "builtins.str"),
}  # fmt: skip


@pytest.mark.parametrize("case", runners)
def test_a_schema_cannot_name_what_runs(case: str, saved: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    before = set(sys.modules)
    message = refusal(with_schema(saved["ridge"], lambda s: put(s, "extra", runners[case](trap(path)))), path)
    assert "only trusted types" in message
    assert not (tmp_path / "ran").exists()
    assert "antigravity" not in set(sys.modules) - before


@pytest.mark.parametrize("place", ["schema", "member"])
def test_a_file_cannot_declare_its_own_trust(place: str, saved: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "model.skops"

    def edit(schema: Node) -> None:
        put(schema, "extra", node("TypeNode", "os.system"))
        if place == "schema":
            schema["trusted"] = ["os.system"]

    data = with_schema(saved["ridge"], edit)
    if place == "member":
        with zipfile.ZipFile(stream := io.BytesIO(data), "a") as target:
            target.writestr("trusted.json", '["os.system"]')
        data = stream.getvalue()
    refusal(data, path)


def drop(name: str) -> Callable[[Node], Any]:
    def edit(schema: Node) -> None:
        position = list(attributes(schema)).index(name)
        del attributes(schema)[name], schema["content"]["key_types"]["content"][position]

    return edit


def first(value: Any, loader: str) -> Node:
    """The first node of that kind, in order of the file."""
    if isinstance(value, dict) and value.get("__loader__") == loader:
        return value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        found = first(child, loader)
        if found:
            return found
    return {}


states: dict[str, tuple[str, Callable[[Node], Any]]] = {
    "an older protocol": ("ridge", lambda s: s.update(protocol=0)),
    "object ids": ("ridge", lambda s: s.update(__id__=1)),
    "a foreign root": ("ridge", lambda s: (s.update(text("hello")), s.pop("key_types", None))),
    "an attribute of the class": ("ridge", lambda s: put(s, "__class__", text(1))),
    "a type in place of a method": (
        "forest", lambda s: put(s, "_validate_X_predict", node("TypeNode", "numpy.float32"))),
    "a forest wider than its input": ("forest", lambda s: put(s, "n_features_in_", text(2))),
    "a forest without a width": ("forest", drop("n_features_in_")),
    "a tree wider than its estimator": ("tree", lambda s: put(s, "n_features_in_", text(2))),
    "fewer nodes than declared": (
        "tree", lambda s: attributes(attributes(s)["tree_"]).update(node_count=text(10**6))),
    "a tree that is deeper than declared": (
        "tree", lambda s: attributes(attributes(s)["tree_"]).update(max_depth=text(0))),
    "fewer class counts than outputs": (
        "tree", lambda s: first(s, "TreeNode")["__reduce__"]["args"]["content"].__setitem__(2, text(10**6))),
    "a random state beyond its words": (
        "boosting", lambda s: attributes(first(s, "RandomStateNode"))["state"]["content"].update(pos=text(10**6))),
    "another bit generator": (
        "histogram", lambda s: first(s, "RandomGeneratorNode")["content"]["bit_generator"]["content"].update(
            bit_generator=text("seed"))),
    "an entropy pool without end": (
        "histogram", lambda s: first(s, "RandomGeneratorNode")["content"]["seed_seq"]["content"].update(
            pool_size=text(10**9))),
    "a histogram without a width": ("histogram", drop("n_features_in_")),
    "a histogram of a wider input": ("histogram", lambda s: put(s, "n_features_in_", text(1))),
    "a histogram that believes it is in fit": ("histogram", lambda s: put(s, "_in_fit", text(True))),
    "a histogram behind a preprocessor": ("histogram", lambda s: put(s, "_preprocessor", node(
        "ObjectNode", "sklearn.preprocessing._function_transformer.FunctionTransformer", content=mapping()))),
    "an encoder narrower than its categories": (
        "encoder", lambda s: attributes(s)["_n_features_outs"]["content"].__setitem__(0, text(1))),
    "an encoder with a category too many": (
        "encoder", lambda s: put(s, "_drop_idx_after_grouping", {
            **sequence(text(9), text(9), text(9)), "__class__": "list", "__loader__": "ListNode"})),
    "a loss given text": (
        "histogram", lambda s: first(s, "LossNode")["__reduce__"]["args"]["content"].append(text("eval"))),
    "a vectoriser that reads files": ("words", lambda s: put(s, "input", text("filename"))),
    "a vectoriser of no width": ("words", lambda s: put(s, "n_features", text(0))),
    "a vectoriser of a width below zero": ("words", lambda s: put(s, "n_features", text(-1))),
    "a vectoriser without end": ("words", lambda s: put(s, "n_features", text(2**31 - 1))),
    "a vectoriser of a width that is true": ("words", lambda s: put(s, "n_features", text(True))),
    "a vectoriser without a width": ("words", drop("n_features")),
    "an expression without end": ("words", lambda s: put(s, "token_pattern", text("(a+)+$"))),
    "a type that takes words apart": ("words", lambda s: put(s, "tokenizer", node("TypeNode", "builtins.str"))),
    "a type that analyses": ("words", lambda s: put(s, "analyzer", node("TypeNode", "builtins.str"))),
    "words that are stopped": ("words", lambda s: put(s, "stop_words", text("english"))),
    "pairs of words": ("words", lambda s: put(s, "ngram_range", sequence(text(1), text(10**9)))),
    "a vectoriser with more than its parameters": ("words", lambda s: put(s, "extra", text(1))),
    "an optimiser": ("network", lambda s: put(s, "_optimizer", node(
        "ObjectNode", "sklearn.neural_network._stochastic_optimizers.AdamOptimizer", content=mapping()))),
    "a loss with a word as its power": (
        "tweedie", lambda s: first(s, "LossNode")["__reduce__"]["args"].update(content=[text("eval")])),
    "a loss of another module": (
        "tweedie", lambda s: first(s, "LossNode").update(__class__="ModifiedHuber",
                                                         __module__="sklearn.linear_model._sgd_fast")),
    "a method hidden by a number": ("network", lambda s: put(s, "_forward_pass_fast", text(1))),
    "a cache folder": ("pipeline", lambda s: put(s, "memory", text("/tmp"))),
    "a slice of something": ("ridge", lambda s: put(s, "extra", node(
        "SliceNode", "builtins.slice", content={"start": {}, "stop": None, "step": None}))),
    "text that is no JSON": ("ridge", lambda s: put(s, "extra", {**text(1), "content": "(1)"})),
    "an array that is a list": ("ridge", lambda s: put(s, "extra", node(
        "NdArrayNode", "numpy.ndarray", type="numpy", file=["0.npy"]))),
    "an array from elsewhere": ("ridge", lambda s: put(s, "extra", node(
        "NdArrayNode", "numpy.ndarray", type="numpy", file="/etc/passwd"))),
}  # fmt: skip


@pytest.mark.parametrize("case", states)
def test_a_trusted_type_cannot_be_given_a_hostile_state(case: str, saved: dict[str, Path], tmp_path: Path) -> None:
    name, edit = states[case]
    message = refusal(with_schema(saved[name], edit), tmp_path / "model.skops")
    assert "can be rebuilt" not in message, "refused by chance, by a constructor"


def test_a_vectoriser_with_a_vocabulary_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="only trusted types"):
        models.save(TfidfVectorizer().fit(["one two", "two three"]), tmp_path / "model.skops")


def test_a_network_with_its_optimiser_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="AdamOptimizer"):
        models.save(MLPClassifier((3,), max_iter=3).fit(x, y), tmp_path / "model.skops")


@pytest.mark.parametrize("depth", [300, 20_000])
def test_a_deep_schema_is_refused(depth: int, saved: dict[str, Path], tmp_path: Path) -> None:
    members = unzip(saved["ridge"])
    head, tail = json.dumps(sequence(text("here"))).split(json.dumps(text("here")))
    schema = json.loads(members["schema.json"])
    put(schema, "extra", text("here"))
    deep = json.dumps(schema).replace(json.dumps(text("here")), head * depth + json.dumps(text(1)) + tail * depth)
    refusal(rezip({**members, "schema.json": deep.encode()}), tmp_path / "model.skops")


node_edits = {
    "histogram": [("left", 10**6), ("right", 2**32 - 1), ("left", 0), ("feature_idx", 3), ("feature_idx", -1),
                  ("is_categorical", 1)],
    "tree": [("left_child", 10**6), ("right_child", -7), ("left_child", 0), ("feature", 3), ("feature", -2)],
}  # fmt: skip
node_edits["forest"] = node_edits["boosting"] = node_edits["tree"]


@pytest.mark.parametrize(
    ("name", "field", "value"), [(name, *edit) for name, edits in node_edits.items() for edit in edits]
)
def test_a_node_index_out_of_range_is_refused(
    name: str, field: str, value: int, saved: dict[str, Path], tmp_path: Path
) -> None:
    members = unzip(saved[name])
    for member, content in members.items():
        array: Any = np.load(io.BytesIO(content), allow_pickle=False) if member.endswith(".npy") else np.zeros(0)
        if array.dtype.names and field in array.dtype.names:
            array[field][0] = value
            np.save(stream := io.BytesIO(), array)
            members[member] = stream.getvalue()
            break
    message = refusal(rezip(members), tmp_path / "model.skops")
    assert "a sound fitted state" in message


def test_boosted_trees_in_a_row_need_as_many_outputs(tmp_path: Path) -> None:
    three = GradientBoostingClassifier(n_estimators=2, random_state=0).fit(x, np.arange(200) % 3)
    three.init_ = DummyClassifier().fit(x, np.arange(200) % 2)
    skops.io.dump(three, stream := io.BytesIO())

    assert "more trees in a row" in refusal(canonical(stream.getvalue()), tmp_path / "model.skops")


tampered: dict[str, tuple[Any, Callable[[Any], Any], str]] = {
    "categories out of order": (
        OneHotEncoder().fit([[1], [2], [3]]), lambda e: e.categories_[0].__setitem__(0, 9), "out of order"),
    "a dropped category out of range": (
        OneHotEncoder(drop="first").fit([[1], [2]]),
        lambda e: e._drop_idx_after_grouping.__setitem__(0, 7), "dropped"),
    "an infrequent category out of range": (
        OneHotEncoder(max_categories=2).fit([[1], [1], [2], [3]]),
        lambda e: e._default_to_infrequent_mappings[0].__setitem__(0, 7), "infrequent"),
    "a node with two parents": (
        DecisionTreeClassifier(max_depth=2).fit(x, y),
        lambda e: e.tree_.children_left.__setitem__(0, e.tree_.children_right[0]), "two parents"),
    "a leaf with a child": (
        DecisionTreeClassifier(max_depth=2).fit(x, y), lambda e: e.tree_.children_right.__setitem__(-1, 1), "a leaf"),
}  # fmt: skip


@pytest.mark.parametrize("case", tampered)
def test_a_fitted_state_that_leads_outside_is_refused(case: str, tmp_path: Path) -> None:
    model, tamper, found = tampered[case]
    models.save(model, tmp_path / "model.skops")
    tamper(model)
    skops.io.dump(model, stream := io.BytesIO())
    assert found in refusal(canonical(stream.getvalue()), tmp_path / "model.skops")
    with pytest.raises(ModelError, match=found):
        models.save(model, tmp_path / "model.skops")


def test_a_name_used_twice_is_refused(saved: dict[str, Path], tmp_path: Path) -> None:
    stream = io.BytesIO(saved["ridge"].read_bytes())
    with zipfile.ZipFile(stream, "a") as target, pytest.warns(UserWarning, match="Duplicate"):
        target.writestr("schema.json", "{}")
    assert "a name used twice" in refusal(stream.getvalue(), tmp_path / "model.skops")


array = io.BytesIO()
np.save(array, np.zeros((3,)))
huge = array.getvalue().replace(b"(3,), }          ", b"(9999999999,), } ")
ghost = array.getvalue().replace(b"'<f8'", b"'|V0'")
archives: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "a path upwards": lambda members: rezip({**members, "../ran": b"x"}),
    "an absolute path": lambda members: rezip({**members, "/tmp/ran": b"x"}),
    "a folder": lambda members: rezip({**members, "0.npy/": b""}),
    "a pickle among the members": lambda members: rezip({**members, "model.pkl": pickle.dumps(1)}),
    "a name with a newline": lambda members: rezip({**members, "0.npy\n": b"x"}),
    "an array that nothing uses": lambda members: rezip({**members, "99.npy": array.getvalue()}),
    "an array that declares more than it holds": lambda members: rezip({**members, "0.npy": huge}),
    "an array without bytes": lambda members: rezip({**members, "0.npy": ghost}),
    "an array that is none": lambda members: rezip({**members, "0.npy": b"PK"}),
    "a missing array": lambda members: rezip({"schema.json": members["schema.json"]}),
    "no schema": lambda members: rezip({"0.npy": members["0.npy"]}),
    "a schema that is no JSON": lambda members: rezip({**members, "schema.json": b"{"}),
    "a schema that is a list": lambda members: rezip({**members, "schema.json": b"[]"}),
    "a schema that is not text": lambda members: rezip({**members, "schema.json": b"\xff\xfe\x00"}),
    "another compression": lambda members: rezip(members, zipfile.ZIP_BZIP2),
    "more members than allowed": lambda members: rezip({**members, **{f"{i}.npy": b"" for i in range(1, 2**16 + 1)}}),
    "truncated": lambda members: rezip(members)[:-100],
    "half": lambda members: rezip(members)[: len(rezip(members)) // 2],
    "empty": lambda members: b"",
    "an altered byte": lambda members: rezip(members, zipfile.ZIP_STORED).replace(b"NUMPY", b"NUMPX", 1),
}


@pytest.mark.parametrize("case", archives)
def test_an_archive_of_another_shape_is_refused(case: str, saved: dict[str, Path], tmp_path: Path) -> None:
    refusal(archives[case](unzip(saved["ridge"])), tmp_path / "model.skops")
    assert [path.name for path in tmp_path.iterdir()] == ["model.skops"]


@pytest.mark.parametrize("member", ["schema.json", "7.npy"])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    member: str, saved: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 10**6)
    monkeypatch.setattr(archive, "MAX_SCHEMA_BYTES", 10**6)
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("unpacked"))
    data = rezip({"schema.json": b"{}", member: b" " * (10**6 + 1)})
    assert len(data) < 10**4
    assert "at most 1000000 bytes" in refusal(data, tmp_path / "model.skops")


def test_an_array_used_a_thousand_times_counts_a_thousand_times(
    saved: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidegate.models.nodes.MAX_BYTES", 10**5)
    copy = node("NdArrayNode", "numpy.ndarray", type="numpy", file="0.npy")
    data = with_schema(saved["ridge"], lambda s: put(s, "extra", sequence(*[copy] * 1000)))
    assert "bytes of arrays" in refusal(data, tmp_path / "model.skops")


def test_other_bytes_than_recorded_are_refused_before_they_are_opened(
    saved: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = models.digest(saved["ridge"].read_bytes())
    models.load(saved["ridge"], digest)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("opened"))
    with pytest.raises(ModelError) as caught:
        models.load(saved["tree"], digest)
    assert digest in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected a model file"):
        models.load(tmp_path / "model.skops")
