"""A goal that is known by its identifier, and its creation under a condition."""

from tests.build import goal
from tests.http.conftest import Json
from tests.http.transactions import asking

SYSTEM = "http://example.org/wish"
MINE = f"identifier={SYSTEM}|1"


def wish(value: str = "1", **elements: object) -> Json:
    made = goal(identifier=[{"system": SYSTEM, "value": value}], **elements)
    return {name: each for name, each in made.items() if name != "id"}


def once(resource: Json, full_url: str = "", condition: str = MINE) -> Json:
    return asking("POST", "Goal", resource, full_url, ifNoneExist=condition)
