"""JSON Patch (RFC 6902) and merge patch (RFC 7396) of a resource, within bounds.

https://www.rfc-editor.org/rfc/rfc6902, https://www.rfc-editor.org/rfc/rfc7396
"""

from copy import deepcopy
from typing import Any

from jsonpatch import InvalidJsonPatch, JsonPatch, JsonPatchException, JsonPatchTestFailed
from jsonpointer import JsonPointer, JsonPointerException

from app.fhir import json
from app.fhir.context import Resource
from app.fhir.errors import BadRequest, TooLarge, Unprocessable

MAX_OPERATIONS = 1000
MAX_COPIED = 1_000_000
"""Bytes that the copy and move operations of one patch may carry about, in all."""


def json_patch(resource: Resource, patch: Any) -> Any:
    """What the operations make of a resource, which stays as it is.

    Raises BadRequest for what is no JSON Patch, Unprocessable for one that does not fit, TooLarge
    beyond the bounds.
    """
    if not isinstance(patch, list) or not all(isinstance(each, dict) for each in patch):
        raise BadRequest("A JSON Patch is an array of operations.", code="structure")
    if len(patch) > MAX_OPERATIONS:
        raise TooLarge(f"A patch has {MAX_OPERATIONS} operations at most.")
    document: Any = deepcopy(resource)
    left = MAX_COPIED
    for at, operation in enumerate(patch):
        try:
            left -= _weigh(document, operation)
            if left < 0:
                raise TooLarge(f"Operation {at} copies too much.")
            document = JsonPatch([operation]).apply(document, in_place=True)
        except JsonPatchTestFailed:
            raise Unprocessable(f"Operation {at}: the test fails.") from None
        except InvalidJsonPatch:
            raise BadRequest(f"Operation {at} is none of RFC 6902.", code="structure") from None
        except (JsonPatchException, JsonPointerException, TypeError, ValueError, KeyError):
            raise Unprocessable(f"Operation {at}: its path leads nowhere.") from None
    return document


def _weigh(document: Any, operation: dict[str, Any]) -> int:
    """The bytes an operation copies. Raises BadRequest where it would nest too deep."""
    depth = str(operation.get("path", "")).count("/")
    if operation.get("op") in ("copy", "move"):
        value = JsonPointer(operation.get("from", "")).resolve(document)
        json.check_depth(value, depth)
        return len(json.dump(value))
    json.check_depth(operation.get("value"), depth)
    return 0


def merge_patch(target: Any, patch: Any) -> Any:
    """What a merge patch makes of a value: null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
