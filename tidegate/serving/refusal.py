"""A request that is not answered: the HTTP status, and what was expected and found, in one line."""

from tidegate.process.errors import line

BROKEN, NOT_FOUND, NO_METHOD, TOO_LARGE, OTHER_TYPE, INVALID, INTERNAL, BUSY = 400, 404, 405, 413, 415, 422, 500, 503


class RefusalError(Exception):
    """A request that is not answered; `status` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(line(message))
        self.status = status


def unlike(place: str, expected: str, found: str, status: int = INVALID) -> RefusalError:
    """The refusal of a part of a request: where, what was expected there, what was found."""
    return RefusalError(status, f"{place}: expected {expected}, found {found}")
