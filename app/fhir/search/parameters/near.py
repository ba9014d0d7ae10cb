"""Location near a point: `near=latitude|longitude|distance|units`, by the great circle.

Places are few, so each one's position is read from the resource itself.
https://hl7.org/fhir/R4/location.html#positional
"""

from app.fhir.errors import BadRequest
from app.fhir.search.parameters.criterion import Criterion, Over

EARTH = 6371.0088
"""Mean radius in km."""

IN_KM = {"km": 1.0, "m": 0.001, "[mi_us]": 1.609347, "[mi_i]": 1.609344, "mi": 1.609344}
DISTANCE = 25.0
"""In km, where no distance is given."""


def predicate(criterion: Criterion, over: Over) -> str:
    """SQL: the place lies within the distance of one of the points."""
    tests = " OR ".join(_test(value, over) for value in criterion.values)
    position = f"{over.alias}.body::jsonb -> 'position'"
    return (
        "EXISTS (SELECT FROM (SELECT"
        f" radians(({position} ->> 'latitude')::float8) AS lat,"
        f" radians(({position} ->> 'longitude')::float8) AS lon) AS p WHERE {tests})"
    )


def _test(value: str, over: Over) -> str:
    latitude, longitude, distance = _read(value)
    lat, lon, far = (over.args.add(each, "float8") for each in (latitude, longitude, distance))
    half = (
        f"sin((p.lat - radians({lat})) / 2) ^ 2 + cos(radians({lat})) * cos(p.lat)"
        f" * sin((p.lon - radians({lon})) / 2) ^ 2"
    )
    return f"2 * {EARTH} * asin(sqrt(least(1, {half}))) <= {far}"


def _read(value: str) -> tuple[float, float, float]:
    """Latitude and longitude in degrees, the distance in km. Raises BadRequest."""
    parts = [*value.split("|"), "", ""]
    try:
        latitude, longitude = float(parts[0]), float(parts[1])
        distance = float(parts[2]) * IN_KM[parts[3] or "km"] if parts[2] else DISTANCE
    except (ValueError, KeyError):
        raise _unreadable() from None
    if len(parts) > 6 or not (abs(latitude) <= 90 and abs(longitude) <= 180 and distance >= 0):
        raise _unreadable()
    return latitude, longitude, distance


def _unreadable() -> BadRequest:
    return BadRequest(
        "near is written latitude|longitude|distance|units, in degrees, the units one of"
        f" {', '.join(IN_KM)}; distance and units may be left out.",
        expression=("near",),
    )
