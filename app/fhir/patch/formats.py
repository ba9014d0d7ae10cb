"""The kinds of patches, by media type."""

from collections.abc import Callable, Mapping
from typing import Any

from app.fhir.context import Resource
from app.fhir.patch.fhirpath_patch import fhirpath_patch
from app.fhir.patch.json_patch import json_patch, merge_patch

FORMATS: Mapping[str, Callable[[Resource, Any], Any]] = {
    "application/json-patch+json": json_patch,
    "application/merge-patch+json": merge_patch,
    "application/fhir+json": fhirpath_patch,
}
"""A FHIRPath Patch is a Parameters resource, in FHIR JSON like any other."""
