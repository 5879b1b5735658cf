"""Route templates match as ASP.NET routing does."""

from __future__ import annotations

import pytest

from local_stack.functions_host.errors import HostConfigurationError
from local_stack.functions_host.routes import RouteTable, parse_template


def match(template: str, path: str) -> dict[str, str] | None:
    table: RouteTable[str] = RouteTable()
    table.add(template, None, "found")
    found = table.match("GET", path)
    return None if found is None else dict(found[1])


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("calls", "/calls", {}),
        ("calls", "/CALLS/", {}),
        ("calls", "/calls/1", None),
        ("", "/", {}),
        ("calls/{id}", "/calls/abc", {"id": "abc"}),
        ("calls/{id}", "/calls/", None),
        ("calls/{id}", "/calls/a%20b%2Fc", {"id": "a b/c"}),
        ("n/{x:int}", "/n/-12", {"x": "-12"}),
        ("n/{x:int}", "/n/1.5", None),
        ("n/{x:int}", "/n/99999999999", None),
        ("n/{x:long}", "/n/99999999999", {"x": "99999999999"}),
        ("g/{x:guid}", "/g/7f3b1c9e-8d2a-4b5c-9e6f-0a1b2c3d4e5f", {"x": "7f3b1c9e-8d2a-4b5c-9e6f-0a1b2c3d4e5f"}),
        ("g/{x:guid}", "/g/7f3b", None),
        ("b/{x:bool}", "/b/True", {"x": "True"}),
        ("a/{x:alpha:minlength(2)}", "/a/ab", {"x": "ab"}),
        ("a/{x:alpha:minlength(2)}", "/a/a1", None),
        ("a/{x:length(2,3)}", "/a/abcd", None),
        ("r/{x:range(1,5)}", "/r/5", {"x": "5"}),
        ("r/{x:range(1,5)}", "/r/6", None),
        ("m/{x:min(3)}", "/m/2", None),
        ("x/{v:regex(^v\\d+$)}", "/x/v12", {"v": "v12"}),
        ("x/{v:regex(^v\\d+$)}", "/x/w12", None),
        ("f/{*rest}", "/f/a/b%20c/d", {"rest": "a/b c/d"}),
        ("f/{*rest}", "/f", {"rest": ""}),
        ("o/{name?}", "/o", {}),
        ("o/{name?}", "/o/x", {"name": "x"}),
        ("o/{name=me}", "/o", {"name": "me"}),
        ("{page:maxlength(0)?}", "/", {}),
        ("{page:maxlength(0)?}", "/anything", None),
        ("d/{name}.{extension}", "/d/report.pdf", {"name": "report", "extension": "pdf"}),
        ("d/{name}.{extension}", "/d/report", None),
    ],
)
def test_match(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert match(template, path) == expected


def test_the_more_specific_route_wins_whatever_the_order() -> None:
    templates = ["{*all}", "calls/{id}", "calls/{id:int}", "calls/latest", "calls/{*rest}"]
    for order in (templates, templates[::-1]):
        table: RouteTable[str] = RouteTable()
        for template in order:
            table.add(template, None, template)
        winners = [
            table.match("GET", f"/{path}") for path in ("calls/latest", "calls/7", "calls/x", "calls/x/y", "z")
        ]
        assert [found[0] for found in winners if found] == [
            "calls/latest",
            "calls/{id:int}",
            "calls/{id}",
            "calls/{*rest}",
            "{*all}",
        ]


def test_the_method_is_part_of_the_route() -> None:
    table: RouteTable[str] = RouteTable()
    table.add("calls", ["GET"], "read")
    table.add("calls", ["post"], "write")
    assert table.match("GET", "/calls") == ("read", {})
    assert table.match("POST", "/calls") == ("write", {})
    assert table.match("DELETE", "/calls") is None


def test_a_route_added_later_is_seen_behind_the_cache() -> None:
    table: RouteTable[str] = RouteTable()
    assert table.match("GET", "/x") is None
    table.add("x", None, "x")
    assert table.match("GET", "/x") == ("x", {})


def test_the_cache_stays_bounded() -> None:
    table: RouteTable[str] = RouteTable()
    table.add("c/{id}", None, "c")
    for number in range(20_000):
        assert table.match("GET", f"/c/{number}") == ("c", {"id": str(number)})
    assert len(table._cache) <= 8192


@pytest.mark.parametrize("template", ["{a:nothing}", "{*all}/more", "x/{a", "{a:length(x)}", "{a:regex([)}"])
def test_malformed_templates_are_refused(template: str) -> None:
    with pytest.raises(HostConfigurationError, match="route"):
        parse_template(template)
