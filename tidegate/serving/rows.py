"""What is asked: events or features by name, as columns of values that have been checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tidegate.serving.fields import Field, check_names, converted
from tidegate.serving.refusal import BROKEN, TOO_LARGE, RefusalError, unlike

Kind = Literal["event", "features"]


@dataclass(frozen=True)
class Form:
    """What a version takes: the fields of an event, those of features by name, and how many rows at most.

    An instance with the event table's `time` is an event: features never hold it.
    """

    event: Mapping[str, Field]
    features: Mapping[str, Field]
    time: str
    most_rows: int

    def kind(self, names: Mapping[str, Any]) -> Kind:
        """Whether the names are those of an event or of features."""
        return "event" if self.time in names else "features"

    def fields(self, kind: Kind) -> Mapping[str, Field]:
        """The fields of one kind."""
        return self.event if kind == "event" else self.features


@dataclass(frozen=True)
class Rows:
    """Rows of one kind, as a list of values for each field."""

    kind: Kind
    columns: Mapping[str, list[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def check_count(count: int, form: Form, place: str) -> None:
    """RefusalError for no row, and for too many."""
    if not count:
        raise unlike(place, "at least one row", "none")
    if count > form.most_rows:
        raise unlike(place, f"at most {form.most_rows:,} rows (serve.max_rows)", f"{count:,}", TOO_LARGE)


def from_instances(document: Any, form: Form) -> Rows:
    """The rows of a request of the V1 protocol; RefusalError says where it is not as it should be."""
    if not isinstance(document, dict) or not isinstance(document.get("instances"), list):
        raise RefusalError(BROKEN, 'body: expected an object such as {"instances": [{...}]}, found another value')
    if others := document.keys() - {"instances", "explain"}:
        raise unlike("body", "instances and perhaps explain", ", ".join(sorted(map(ascii, others)))[:80], BROKEN)
    return of_objects(document["instances"], form, "instances")


def of_objects(instances: Sequence[Any], form: Form, place: str) -> Rows:
    """The rows of a list of objects, which stands at `place`."""
    check_count(len(instances), form, place)
    for row, instance in enumerate(instances):
        if not isinstance(instance, dict):
            raise unlike(f"{place}[{row}]", "an object: a value for each field", "another value")
    kind = form.kind(instances[0])
    fields = form.fields(kind)
    what = "the columns of an event" if kind == "event" else "the features, or the columns of an event"
    for row, instance in enumerate(instances):
        check_names(instance, fields, f"{place}[{row}]", what)
    columns = {name: [instance[name] for instance in instances] for name in fields}
    return Rows(kind, converted(columns, fields, lambda row, name: f"{place}[{row}].{name}"))
