"""Observations by the profiles of US Core, each with what makes it wrong."""

from tests.build import concept
from tests.fhir.validation.us_core_resources import (
    GONE,
    LOINC,
    NOBODY,
    OBSERVATION,
    OXYGEN,
    PRESSURE,
    SNOMED,
    SURVEY,
    Json,
    Wrong,
    observation,
    quantity,
    social,
    vital,
)


def measured(code: str, unit: str) -> tuple[Json, list[Wrong]]:
    """A vital sign with one code and one unit."""
    return vital(code, unit), [
        (("category",), [concept(OBSERVATION, "survey")], "category"),
        (("code", "coding", 0, "code"), "1-8", "code"),
        (("valueQuantity", "value"), GONE, "value.value"),
        (("valueQuantity", "unit"), GONE, "value.unit"),
        (("valueQuantity", "system"), "urn:x", "value.system"),
        (("valueQuantity", "code"), "furlong", "value.code"),
        (("subject",), NOBODY, "subject"),
        (("effectiveDateTime",), GONE, "effective"),
    ]


def of_choice(code: str, value: Json) -> tuple[Json, list[Wrong]]:
    """A social history that is told by a code."""
    return social(code, valueCodeableConcept=value), [
        (("code", "coding", 0, "code"), "1-8", "code"),
        (("subject",), GONE, "subject"),
        (("effectiveDateTime",), GONE, "effective"),
        (("valueCodeableConcept",), GONE, "value"),
    ]


OBSERVATIONS: dict[str, tuple[Json, list[Wrong]]] = {
    "us-core-simple-observation": (
        observation("social-history", "1-8", valueString="Well"),
        [
            (("category",), GONE, "category"),
            (("subject",), GONE, "subject"),
            (("performer",), [NOBODY], "performer[0]"),
        ],
    ),
    "us-core-observation-screening-assessment": (
        SURVEY,
        [
            (("category",), [concept(OBSERVATION, "exam")], "category"),
            (("subject",), GONE, "subject"),
            (("valueQuantity",), GONE, ""),
            (("valueQuantity", "system"), "urn:x", ""),
            (("effectiveDateTime",), "2026", "effective"),
        ],
    ),
    "us-core-observation-clinical-result": (
        observation("exam", "1-8", valueString="Fine"),
        [
            (("category",), GONE, "category"),
            (("subject",), GONE, "subject"),
            (("valueString",), GONE, ""),
        ],
    ),
    "us-core-observation-lab": (
        observation("laboratory", "2345-7", valueQuantity=quantity(90, "mg/dL")),
        [
            (("category",), [concept(OBSERVATION, "exam")], "category"),
            (("valueQuantity",), GONE, ""),
        ],
    ),
    "us-core-observation-occupation": (
        social("11341-5", valueCodeableConcept={"text": "Baker"}),
        [
            (("code", "coding", 0, "code"), "1-8", "code"),
            (("subject",), GONE, "subject"),
            (("valueCodeableConcept",), GONE, "value"),
        ],
    ),
    "us-core-observation-pregnancystatus": of_choice("82810-3", concept(SNOMED, "77386006")),
    "us-core-observation-pregnancyintent": of_choice("86645-9", {"text": "No"}),
    "us-core-smokingstatus": (
        social("72166-2", valueCodeableConcept=concept(SNOMED, "266919005")),
        [
            (("status",), "preliminary", "status"),
            (("category",), GONE, "category"),
            (("effectiveDateTime",), GONE, "effective"),
            (("valueCodeableConcept",), GONE, "value"),
        ],
    ),
    "us-core-observation-sexual-orientation": (
        observation("social-history", "76690-7", valueCodeableConcept=concept(SNOMED, "20430005")),
        [
            (("code", "coding", 0, "code"), "1-8", "code"),
            (("subject",), GONE, "subject"),
            (("valueCodeableConcept",), GONE, ""),
        ],
    ),
    "us-core-vital-signs": (
        vital("8867-4", "/min"),
        [
            (("category",), GONE, "category"),
            (("subject",), GONE, "subject"),
            (("valueQuantity",), GONE, ""),
        ],
    ),
    "us-core-blood-pressure": (
        PRESSURE,
        [
            (("code", "coding", 0, "code"), "1-8", "code"),
            (("component", 1), PRESSURE["component"][0], "component"),
            (("component", 0, "valueQuantity", "value"), GONE, "component[0].value.value"),
            (("component", 1, "valueQuantity", "code"), "bar", "component[1].value.code"),
        ],
    ),
    "us-core-pulse-oximetry": (
        OXYGEN,
        [
            (("code", "coding", 1), {"system": LOINC, "code": "1-8"}, "code.coding"),
            (("valueQuantity", "code"), "/min", "value.code"),
        ],
    ),
    "us-core-bmi": measured("39156-5", "kg/m2"),
    "us-core-body-height": measured("8302-2", "cm"),
    "us-core-body-temperature": measured("8310-5", "Cel"),
    "us-core-body-weight": measured("29463-7", "kg"),
    "us-core-head-circumference": measured("9843-4", "cm"),
    "us-core-heart-rate": measured("8867-4", "/min"),
    "us-core-respiratory-rate": measured("9279-1", "/min"),
    "head-occipital-frontal-circumference-percentile": measured("8289-1", "%"),
    "pediatric-bmi-for-age": measured("59576-9", "%"),
    "pediatric-weight-for-height": measured("77606-2", "%"),
}
