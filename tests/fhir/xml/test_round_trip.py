"""XML says what the JSON says: https://hl7.org/fhir/R4/xml.html"""

from typing import Any

import pytest
from lxml import etree

from app.fhir import json
from app.fhir.errors import BadRequest
from app.fhir.registry import CONFORMANCE
from app.fhir.xml.read import read
from app.fhir.xml.write import write
from tests.official import conformance_examples, examples

Json = dict[str, Any]


def plain(value: Any) -> Any:
    """Without what may differ: how a narrative spells its characters, and lists of nothing."""
    if isinstance(value, dict):
        return {
            name: etree.canonicalize(division(member)) if name == "div" else plain(member)
            for name, member in value.items()
            if member != [None]
        }
    return [plain(item) for item in value] if isinstance(value, list) else value


def division(div: str) -> str:
    """The narrative as it stands in XML."""
    text = {"status": "generated", "div": div}
    made = write({"resourceType": "Basic", "text": text}).decode()
    return made[made.index("<div") : made.index("</text>")]


def test_every_official_example_comes_back_as_it_was() -> None:
    count = 0
    others = (one for kind in CONFORMANCE for one in conformance_examples(kind, 40))
    for example in (*examples(), *others):
        text = json.dump(example)
        if b'"SubscriptionStatus"' in text:
            continue  # a type of R4B
        back = read(write(json.parse(text)))
        assert plain(back) == plain(json.parse(text)), example["id"]
        assert write(back) == write(read(write(back)))
        count += 1
    assert count > 80


GOAL = {"resourceType": "Goal", "id": "g"}
SAME: dict[str, tuple[Json, str]] = {
    "a resource and its id": (GOAL, '<id value="g"/>'),
    "the id of an element": (
        GOAL | {"note": [{"id": "n", "text": "x"}]},
        '<id value="g"/><note id="n"><text value="x"/></note>',
    ),
    "decimals to the letter": (
        GOAL | {"target": [{"detailQuantity": {"value": json.Number("1.500")}}]},
        '<id value="g"/><target><detailQuantity><value value="1.500"/></detailQuantity></target>',
    ),
    "numbers with an exponent": (
        GOAL | {"target": [{"detailQuantity": {"value": json.Number("1E2")}}]},
        '<id value="g"/><target><detailQuantity><value value="1E2"/></detailQuantity></target>',
    ),
    "a choice": (
        GOAL | {"target": [{"detailBoolean": False}, {"detailInteger": 0}]},
        '<id value="g"/><target><detailBoolean value="false"/></target>'
        '<target><detailInteger value="0"/></target>',
    ),
    "an extension of a primitive": (
        GOAL | {"_startDate": {"extension": [{"url": "http://a", "valueCode": "x"}]}},
        '<id value="g"/><startDate><extension url="http://a"><valueCode value="x"/></extension>'
        "</startDate>",
    ),
    "primitives with something beside them": (
        GOAL
        | {
            "contained": [
                {
                    "resourceType": "Patient",
                    "name": [{"given": ["a", None], "_given": [None, {"id": "b"}]}],
                }
            ]
        },
        '<id value="g"/><contained><Patient><name><given value="a"/><given id="b"/></name>'
        "</Patient></contained>",
    ),
    "white space and signs in a value": (
        GOAL | {"description": {"text": "a\n\t<b> & \"c\" 'd' é 😀"}},
        '<id value="g"/><description><text value="a&#10;&#9;&#60;b&#62; &#38; &#34;c&#34; '
        "'d' é 😀\"/></description>",
    ),
}


def wrapped(inner: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> str:
    return f'{head}<Goal xmlns="http://hl7.org/fhir">{inner}</Goal>'


@pytest.mark.parametrize("name", SAME)
def test_the_two_forms_say_the_same(name: str) -> None:
    resource, inner = SAME[name]
    assert write(resource).decode() == wrapped(inner)
    back = read(wrapped(inner).encode())
    assert back == resource
    assert json.dump(back["target"]) == json.dump(resource["target"]) if "target" in back else True


def test_elements_stand_in_the_order_of_the_definition() -> None:
    made = write({"subject": {}, "lifecycleStatus": "active", **GOAL, "language": "en"}).decode()
    names = ["id", "language", "lifecycleStatus", "subject"]
    assert [made.index(f"<{name}") for name in names] == sorted(made.index(f"<{n}") for n in names)


def test_comments_and_instructions_are_dropped() -> None:
    assert read(wrapped('<!-- x --><id value="g"/><?php x ?> <!-- y -->').encode()) == GOAL
    assert read(wrapped('<id value="g"/>', head="\ufeff").encode()) == GOAL


def test_what_xml_cannot_hold_is_replaced() -> None:
    assert 'value="a\ufffdb"' in write({**GOAL, "language": "a\x01b"}).decode()


def test_html_names_of_characters_are_understood() -> None:
    text = {"status": "generated", "div": "<div>a&nbsp;b &lt; c</div>"}
    assert "<div>a\xa0b &lt; c</div>" in write({**GOAL, "text": text}).decode()


BAD = {
    "empty": "",
    "json": "{}",
    "open": "<Goal",
    "no namespace": "<Goal/>",
    "another namespace": '<Goal xmlns="http://example.org"/>',
    "no resource": '<Thing xmlns="http://hl7.org/fhir"/>',
    "a data type": '<HumanName xmlns="http://hl7.org/fhir"/>',
    "an unknown element": wrapped('<colour value="red"/>'),
    "an unknown attribute": wrapped('<startDate colour="red"/>'),
    "an attribute of the resource": '<Goal xmlns="http://hl7.org/fhir" id="1"/>',
    "text": wrapped("hello"),
    "text behind": wrapped('<id value="g"/>hello'),
    "two resources": wrapped("<contained><Goal/><Goal/></contained>"),
    "no contained resource": wrapped("<contained/>"),
    "an entity": '<!DOCTYPE Goal [<!ENTITY e "x">]>' + wrapped('<id value="&e;"/>', ""),
    "an unknown entity": wrapped('<id value="&e;"/>'),
    "a file": '<!DOCTYPE Goal SYSTEM "file:///etc/passwd">' + wrapped("", ""),
    "many levels": wrapped("<extension>" * 200 + "</extension>" * 200),
    "too many levels": wrapped("<extension>" * 2000 + "</extension>" * 2000),
    "another encoding": '<?xml version="1.0" encoding="latin-1"?>' + wrapped("é", ""),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_fhir_xml_is_refused(name: str) -> None:
    with pytest.raises(BadRequest):
        read(BAD[name].encode())


def test_another_encoding_is_refused() -> None:
    with pytest.raises(BadRequest):
        read(wrapped('<id value="g"/>').encode("utf-16"))
