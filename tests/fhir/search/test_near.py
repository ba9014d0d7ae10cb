"""Location?near. https://hl7.org/fhir/R4/location.html#positional"""

import pytest

from app.fhir import json
from app.fhir.errors import BadRequest

PLACES = {"columbus": (39.96, -83.0), "dublin": (40.1, -83.11), "suva": (-18.14, 178.44)}


@pytest.fixture
async def places(shelf):
    for id_, (latitude, longitude) in PLACES.items():
        text = f'{{"resourceType":"Location","id":"{id_}","position":'
        text += f'{{"latitude":{latitude},"longitude":{longitude}}}}}'
        await shelf.put(json.parse(text.encode()))
    await shelf.put({"resourceType": "Location", "id": "nowhere"})
    return shelf


NEAR = {
    "39.96|-83.0": {"columbus", "dublin"},
    "39.96|-83.0|5": {"columbus"},
    "39.96|-83.0|20|km": {"columbus", "dublin"},
    "39.96|-83.0|11|[mi_us]": {"columbus"},
    "39.96|-83.0|12|[mi_us]": {"columbus", "dublin"},
    "39.96|-83.0|5,-18|178.5|50": {"columbus", "suva"},
    "-18.14|-179|300|km": {"suva"},
    "39.96|-83.0|20000000|m": {"columbus", "dublin", "suva"},
}


async def test_places_are_found_by_their_distance(places) -> None:
    for value, expected in NEAR.items():
        assert set(await places.find(f"Location?near={value}")) == expected, value


@pytest.mark.parametrize(
    "value", ["x", "1", "91|0", "0|181", "0|0|-1", "0|0|1|furlong", "nan|0", "0|0|1|km|5"]
)
async def test_what_is_no_point_is_refused(shelf, value: str) -> None:
    with pytest.raises(BadRequest):
        await shelf.find(f"Location?near={value}")
