"""Resources, patches, searches and Bundles that are almost right: none ends in a fault."""

import base64
import random
import time
from copy import deepcopy
from typing import Any

from hypothesis import given, seed
from hypothesis import strategies as st

from app.fhir import json
from app.fhir.registry import STORED, parameters
from tests.fuzz.conftest import ONCE, SECONDS, SEED, Target
from tests.official import examples

Json = dict[str, Any]
OFFICIAL = [one for one in examples() if one["resourceType"] in STORED - {"AuditEvent"}]
IDS = ("maria-alvarez", "maria-alvarez-isp", "maria-alvarez-goal-people", "none", "a b", "é", "")
PLACES = ("urn:uuid:6b1d5a0e-2f0c-4f52-9d0a-b7a7c1f3a001", "Patient/maria-alvarez", "#x", "a?b=c")
JUNK = (None, True, 0, -1, 1.5, 10**30, "", " ", "\x00", "\ud7ff", "é" * 300, [], {}, [[]], [None])
VALUES = ("a|b", "|", "a$b", "ge2024", "2024-13", "eq", "1e999", "-1", "%", "\x00", "Patient/x")
VALUES += (
    "a,b",
    "x:y",
    "\\",
    "(",
    "'",
    "*",
    "\U0001f600",
    "9" * 400,
    "sa2024-02-30",
    "",
    "5.4|x|mg",
)
MODIFIERS = ("", "", "", ":exact", ":missing", ":not", ":in", ":above", ":identifier", ":Patient")
MODIFIERS += (":text", ":contains", ":of-type", ".name", ".x.y", ":", ":iterate")
RESULTS = ("_sort", "_count", "_include", "_revinclude", "_total", "_summary", "_elements")
RESULTS += ("_filter", "_list", "_has", "_text", "_content", "_type", "_page", "_contained", "_id")
RESULTS += (
    "_lastUpdated",
    "_since",
    "_at",
    "_before",
    "_format",
    "_query",
    "_has:Goal:patient:_id",
)
OPERATIONS = ("$everything", "$validate", "$meta", "$diff", "$document", "$expand", "$isp-diff")
OPERATIONS += ("$isp-validate", "$snapshot", "$lookup", "$subsumes", "$meta-add", "$isp-review")
PATCHES = ("application/json-patch+json", "application/merge-patch+json", "application/fhir+json")


@st.composite
def junk(draw: st.DrawFn) -> Any:
    leaf = st.sampled_from(JUNK) | st.text(max_size=8) | st.integers() | st.sampled_from(PLACES)
    return draw(st.recursive(leaf, lambda part: st.lists(part, max_size=3), max_leaves=4))


@st.composite
def resources(draw: st.DrawFn) -> Any:
    """An official example with some values taken out or replaced."""
    made = deepcopy(draw(st.sampled_from(OFFICIAL)))
    for _ in range(draw(st.integers(0, 4))):
        holder: Any = made
        for _ in range(draw(st.integers(0, 5))):
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            inner = [key for key in keys if isinstance(holder[key], dict | list) and holder[key]]
            if not inner:
                break
            holder = holder[draw(st.sampled_from(inner))]
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            continue
        key = draw(st.sampled_from(keys))
        how = draw(st.integers(0, 4))
        if how == 0 and isinstance(holder, dict):
            holder[draw(st.sampled_from(("", "_", "_id", "x", "resourceType")))] = draw(junk())
        elif how < 3:
            holder[key] = draw(junk())
        else:
            del holder[key]
    return made


@st.composite
def queries(draw: st.DrawFn, type_: str) -> list[tuple[str, str]]:
    names = st.sampled_from(sorted(parameters(type_))) | st.sampled_from(RESULTS)
    pairs = draw(st.lists(st.tuples(names, st.sampled_from(MODIFIERS)), min_size=1, max_size=3))
    values = st.sampled_from(VALUES) | st.text(max_size=12)
    return [(name + modifier, draw(values)) for name, modifier in pairs]


@st.composite
def urls(draw: st.DrawFn) -> str:
    """A path below the base, with or without a query."""
    type_ = draw(st.sampled_from(sorted(STORED)))
    id_ = draw(st.sampled_from(IDS))
    shapes = (type_, f"{type_}/{id_}", f"{type_}/{id_}/_history", f"{type_}/{id_}/_history/1")
    shapes += (f"{type_}/_search", "_history", "", f"Patient/{id_}/{type_}", "_async/x", "metadata")
    shapes += (f"{type_}/{id_}/{draw(st.sampled_from(OPERATIONS))}",)
    path = draw(st.sampled_from(shapes))
    if draw(st.booleans()):
        query = draw(queries(type_))
        path += "?" + "&".join(f"{name}={value}" for name, value in query)
    return path


@st.composite
def operations(draw: st.DrawFn) -> Any:
    """A patch of one of the three kinds, more or less."""
    path = draw(
        st.sampled_from(("/status", "/note/0", "/a/-", "", "/~2", "Goal.note[0]", "Goal.x"))
    )
    way = draw(st.sampled_from(("add", "remove", "replace", "move", "copy", "test", "insert", 5)))
    value = draw(junk())
    part = [{"name": "type", "valueCode": way}, {"name": "path", "valueString": path}]
    part += [{"name": "value", "valueString": value}, {"name": "index", "valueInteger": 0}]
    fhir = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}
    listed = [{"op": way, "path": path, "from": path, "value": value}]
    return draw(st.sampled_from((fhir, listed, {"status": value}, value)))


@st.composite
def entries(draw: st.DrawFn) -> Any:
    """An entry of a batch or transaction, more or less."""
    resource = draw(resources() | operations() | junk())
    if draw(st.integers(0, 5)) == 0:
        data = base64.b64encode(dumped(draw(operations()))).decode()
        kind = draw(st.sampled_from(PATCHES))
        resource = {"resourceType": "Binary", "contentType": kind, "data": data}
    method = draw(st.sampled_from(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "x", 5, None)))
    request = {"method": method, "url": draw(urls())}
    name = draw(st.sampled_from(("ifMatch", "ifNoneMatch", "ifNoneExist", "ifModifiedSince", "x")))
    if draw(st.booleans()):
        request[name] = draw(st.sampled_from(('W/"1"', "*", "_id=x", "", "a=b&c", 5)))
    entry = {"resource": resource, "request": request, "fullUrl": draw(st.sampled_from(PLACES))}
    for key in draw(st.sets(st.sampled_from(sorted(entry)), max_size=1)):
        entry[key] = draw(junk())
    return entry


@st.composite
def bundles(draw: st.DrawFn) -> Any:
    kind = draw(st.sampled_from(("transaction", "batch", "collection", None)))
    held: Any = draw(st.lists(entries(), max_size=4) | junk())
    return {"resourceType": "Bundle", "type": kind, "entry": held}


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, Json]:
    """Method, path, and the rest of a request."""
    headers: Json = {}
    if draw(st.integers(0, 4)) == 0:
        headers["Prefer"] = draw(st.sampled_from(("respond-async", "return=minimal", "handling=x")))
    if draw(st.integers(0, 4)) == 0:
        headers["If-Match"] = draw(st.sampled_from(('W/"1"', "*", "x", '"')))
    what = draw(st.integers(0, 3))
    if what == 0:
        return "POST", "", {"headers": headers, "content": dumped(draw(bundles()))}
    if what == 1:
        return "GET", draw(urls()), {"headers": headers}
    if what == 2:
        headers["Content-Type"] = draw(st.sampled_from(PATCHES))
        return "PATCH", draw(urls()), {"headers": headers, "content": dumped(draw(operations()))}
    method = draw(st.sampled_from(("POST", "PUT", "DELETE")))
    return method, draw(urls()), {"headers": headers, "content": dumped(draw(resources()))}


def dumped(value: Any) -> bytes:
    """JSON as far as it can be written; half a surrogate pair goes out escaped."""
    try:
        return json.dump(value)
    except TypeError:
        return b'{"x":"\\ud800"}'


def test_nothing_that_is_almost_right_ends_in_a_fault(target: Target) -> None:
    chosen, until, sent = random.Random(SEED), time.monotonic() + SECONDS, 0

    def round_(number: int) -> None:
        @seed(number)
        @ONCE
        @given(requests())
        def send(asked: tuple[str, str, Json]) -> None:
            nonlocal sent
            if time.monotonic() > until:
                return
            method, url, rest = asked
            target.send(number + sent, method, _safe(url), **rest)
            sent += 1

        send()

    while time.monotonic() < until:
        round_(chosen.randrange(2**32))
    target.check()
    assert sent > SECONDS


def _safe(url: str) -> str:
    """What the client would refuse to send, it sends encoded."""
    return "/" + "".join(c if c.isprintable() and c not in "#\\" else f"%{ord(c):02x}" for c in url)
