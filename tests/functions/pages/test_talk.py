"""The talk page is served whole, safely and cheaply, and says so when it has not been built."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from types import SimpleNamespace

import azure.functions as func
import pytest

from functions.pages import talk
from shared.domain.errors import InvalidRequest

B2C = "https://voice.b2clogin.com/voice.onmicrosoft.com"
SCRIPT = "talk-0123456789ab.js"
SCRIPT_TEXT = "console.log('hello');" * 100


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Talk</title>")
    (folder / SCRIPT).write_text(SCRIPT_TEXT)
    (folder / "talk-0123456789ab.css").write_text("body{}")
    (folder / "icon-0123456789ab.svg").write_text("<svg/>")
    (folder / "notes.py").write_text("secret = 1")
    (tmp_path / "outside.js").write_text("secret")
    (folder / "linked.js").symlink_to(tmp_path / "outside.js")
    monkeypatch.setattr(talk, "STATIC_FOLDER", folder)
    settings = SimpleNamespace(
        web_pubsub_public_url="wss://voice.webpubsub.azure.com/",
        auth_metadata_url=f"{B2C}/b2c_1_in/v2.0/.well-known/openid-configuration, {B2C}/b2c_1_up/v2.0/metadata",
    )
    monkeypatch.setattr(talk, "services", lambda: SimpleNamespace(settings=settings))
    return folder


def request(file: str | None = None, **headers: str) -> func.HttpRequest:
    return func.HttpRequest(
        "GET",
        "http://localhost/",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        route_params={} if file is None else {"file": file},
        body=b"",
    )


def function(name: str) -> func.Function:
    app = func.FunctionApp()
    app.register_functions(talk.blueprint)
    return next(f for f in app.get_functions() if f.get_function_name() == name)


async def get(name: str, file: str | None = None, **headers: str) -> func.HttpResponse:
    response = await function(name).get_user_function()(request(file, **headers))
    assert isinstance(response, func.HttpResponse)
    return response


@pytest.mark.parametrize(("name", "route"), [("talk_page", "{page:maxlength(0)?}"), ("talk_file", "talk/{*file}")])
def test_routes_are_open_to_everybody_and_only_for_reading(name: str, route: str) -> None:
    trigger = function(name).get_trigger().get_dict_repr()
    assert trigger["route"] == route
    assert [str(method) for method in trigger["methods"]] == ["GET"]
    assert trigger["authLevel"] is func.AuthLevel.ANONYMOUS


@pytest.mark.usefixtures("built")
async def test_the_page_is_served_with_its_policy() -> None:
    response = await get("talk_page")
    assert response.status_code == 200
    assert response.get_body().startswith(b"<!doctype html>")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Permissions-Policy"].startswith("microphone=(self)")
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert "connect-src 'self' wss://voice.webpubsub.azure.com https://voice.b2clogin.com" in policy
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def test_the_policy_never_loosens_inline_code() -> None:
    policy = talk.security_headers(["ws://localhost:7080", "ws://localhost:7080"])["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.count("ws://localhost:7080") == 1


@pytest.mark.parametrize(
    ("file", "content_type"),
    [
        (SCRIPT, "text/javascript; charset=utf-8"),
        ("talk-0123456789ab.css", "text/css; charset=utf-8"),
        ("icon-0123456789ab.svg", "image/svg+xml"),
    ],
)
@pytest.mark.usefixtures("built")
async def test_parts_have_their_type_and_are_kept_for_good(file: str, content_type: str) -> None:
    response = await get("talk_file", file)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == content_type
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "file",
    [
        "",
        "..",
        ".",
        "../outside.js",
        "..\\outside.js",
        "%2e%2e/outside.js",
        "/etc/passwd",
        "./" + SCRIPT,
        "talk/../../outside.js",
        "notes.py",
        "linked.js",
        "index.html",
        SCRIPT + "\0",
        "x" * 10_000,
    ],
)
@pytest.mark.usefixtures("built")
async def test_nothing_else_is_served(file: str) -> None:
    response = await get("talk_file", file)
    assert response.status_code == 404
    assert json.loads(response.get_body())["status"] == 404
    assert b"secret" not in response.get_body()


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [("gzip, deflate, br", True), ("GZIP;q=0.5", True), ("gzip;q=0", False), ("br", False), ("", False)],
)
async def test_parts_are_compressed_where_the_browser_reads_it(accepted: str, *, compressed: bool) -> None:
    response = await get("talk_file", SCRIPT, Accept_Encoding=accepted)
    assert (response.headers.get("Content-Encoding") == "gzip") is compressed
    body = gzip.decompress(response.get_body()) if compressed else response.get_body()
    assert body.decode() == SCRIPT_TEXT
    assert response.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("encoding", ["gzip", ""])
@pytest.mark.usefixtures("built")
async def test_what_the_browser_has_is_not_sent_again(encoding: str) -> None:
    first = await get("talk_page", Accept_Encoding=encoding)
    again = await get("talk_page", Accept_Encoding=encoding, If_None_Match=f'"other", {first.headers["ETag"]}')
    assert again.status_code == 304
    assert again.get_body() == b""
    assert again.headers["Cache-Control"] == "no-cache"
    assert "Content-Security-Policy" in again.headers


async def test_a_rebuilt_page_is_seen_at_once(built: Path) -> None:
    before = (await get("talk_page")).headers["ETag"]
    (built / "index.html").write_text("<!doctype html><title>Another</title>")
    after = await get("talk_page", If_None_Match=before)
    assert after.status_code == 200
    assert b"Another" in after.get_body()


@pytest.mark.parametrize(("name", "file"), [("talk_page", None), ("talk_file", SCRIPT)])
async def test_a_page_that_was_not_built_says_so(
    name: str, file: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "STATIC_FOLDER", tmp_path / "missing")
    response = await get(name, file)
    assert response.status_code == 503
    assert response.mimetype == "application/problem+json"
    problem = json.loads(response.get_body())
    assert problem["code"] == "page_not_built"
    assert "npm run build" in problem["detail"]


@pytest.mark.usefixtures("built")
async def test_settings_that_are_missing_are_told_as_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def incomplete() -> None:
        raise InvalidRequest("settings", "AUTH_METADATA_URL is not set")

    monkeypatch.setattr(talk, "services", incomplete)
    response = await get("talk_page")
    assert response.status_code == 500
    assert "AUTH_METADATA_URL" in json.loads(response.get_body())["detail"]


@pytest.mark.parametrize("url", ["localhost:7080", "/relative", "", "ws://"])
def test_an_origin_needs_an_absolute_url(url: str) -> None:
    with pytest.raises(ValueError, match="not an absolute URL"):
        talk.origin_of(url)


def test_an_origin_holds_no_credentials_and_no_path() -> None:
    assert talk.origin_of("https://user:pw@host:8443/path?query") == "https://host:8443"
