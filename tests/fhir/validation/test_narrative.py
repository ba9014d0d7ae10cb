import pytest

from app.fhir.validation.narrative import narrative


def div(inner: str) -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{inner}</div>'


@pytest.mark.parametrize(
    "inner",
    [
        "plain",
        "<p>one <b>bold</b><br/>two</p>",
        '<table class="grid"><tr><td colspan="2" style="color: red !important">x</td></tr></table>',
        '<a href="https://example.org/a?b=c">x</a><a href="#y">y</a><a name="y"/>',
        '<a href="Patient/1">x</a><a href="mailto:a@example.org">x</a>',
        '<img src="#pic" alt="x"/>',
        '<img src="data:image/png;base64,AAAA"/>',
        '<p xml:lang="en" lang="en">&#160;&lt;script&gt;</p>',
        '<p style="background: url(data:image/png;base64,AAAA)">x</p>',
    ],
)
def test_formatting_is_allowed(inner: str) -> None:
    assert not narrative(div(inner))


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "  \n ",
        "<p/>",
        "<p>not closed",
        "<p>&nbsp;</p>",
        "<script>x</script>",
        "<SCRIPT>x</SCRIPT>",
        '<p onclick="x()">x</p>',
        '<p ONCLICK="x()">x</p>',
        '<a href="javascript:x()">x</a>',
        '<a href=" javascript:x()">x</a>',
        '<a href="java&#10;script:x()">x</a>',
        '<a href="data:text/html,x">x</a>',
        '<a href="vbscript:x">x</a>',
        '<img src="https://example.org/count.gif"/>',
        '<img src="//example.org/count.gif"/>',
        '<img src="data:image/svg+xml;base64,AAAA"/>',
        '<p src="x">x</p>',
        '<p style="background: url(https://example.org/x.png)">x</p>',
        '<p style="background: url(//example.org/x.png)">x</p>',
        '<p style="background: u\\72l(x)">x</p>',
        '<p style="width: expression(x())">x</p>',
        """<p style="background: image-set('https://example.org/x.png' 1x)">x</p>""",
        '<p style="@import x">x</p>',
        "<form>x</form>",
        "<input/>x",
        '<iframe src="x"/>x',
        "<object>x</object>",
        "<style>x</style>",
        '<link rel="stylesheet" href="x"/>x',
        '<base href="x"/>x',
        '<svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>',
        '<x:script xmlns:x="http://www.w3.org/1999/xhtml">x</x:script>',
        "<!-- x -->x",
        "<!--><script>x</script>-->x",
        "<![CDATA[<script>x</script>]]>",
        "<?xml-stylesheet href='x'?>x",
        "x</div><div>y",
    ],
)
def test_what_acts_or_fetches_or_says_nothing_is_refused(inner: str) -> None:
    [found] = narrative(div(inner))
    assert found.code == "invariant"


def test_the_root_is_a_div_of_xhtml() -> None:
    assert narrative("<div>no namespace</div>")
    assert narrative('<p xmlns="http://www.w3.org/1999/xhtml">x</p>')
    assert narrative("<divan xmlns='http://www.w3.org/1999/xhtml'>x</divan>")
    assert narrative('<!DOCTYPE div [<!ENTITY a "aa">]>' + div("&a;"))
    assert narrative(div("x") + "trailing")
