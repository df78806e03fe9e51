"""JSON as RFC 8259 defines it: no NaN or Infinity, and no name twice in an object."""

import json
from typing import Any, NoReturn

from tidegate.process.errors import display
from tidegate.serving.refusal import BROKEN, RefusalError, unlike


def parsed(body: bytes) -> Any:
    """The value in a body; RefusalError for one that is not JSON, or has a name twice."""
    try:
        return json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise unlike(f"body, character {error.pos + 1}", "JSON", "another text", BROKEN) from None
    except UnicodeDecodeError:
        raise unlike("body", "JSON in UTF-8", "another encoding", BROKEN) from None
    except RecursionError:
        raise unlike("body", "JSON", "too many levels", BROKEN) from None
    except ValueError:  # an integer of thousands of digits
        raise unlike("body", "JSON", "a number of too many digits", BROKEN) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise unlike("body", "each name once in an object", f"{display(twice)} more than once", BROKEN)
    return values


def _constant(text: str) -> NoReturn:
    raise RefusalError(BROKEN, f"body: expected JSON, which has no {text}, found {text}")
