"""Serves the page on which a person talks to the agent: itself at the site's root, its parts below /talk/."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import azure.functions as func

from functions.pages.static_files import StaticFile, find
from functions.problem import answer
from shared.composition import services
from shared.domain.errors import NotFound, VoiceAgentError

STATIC_FOLDER = Path(__file__).parent / "static"
PAGE = "index.html"

blueprint = func.Blueprint()


def security_headers(connect_origins: Iterable[str]) -> dict[str, str]:
    """Headers that let the page do what it must and nothing else.

    `connect_origins` are the origins (scheme, host, port) that the page's script may connect to besides its
    own: the realtime endpoint's (ws or wss) and the sign-in issuer's.
    Source: https://www.w3.org/TR/CSP3/, https://www.w3.org/TR/permissions-policy/
    """
    connect = " ".join(["'self'", *dict.fromkeys(connect_origins)])
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        f"connect-src {connect}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def origin_of(url: str) -> str:
    """Scheme, host and port of `url`. Raises: ValueError if it has no scheme and host."""
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        raise ValueError(f"not an absolute URL: {url!r}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def connect_origins(realtime_url: str, metadata_urls: str) -> list[str]:
    """The origins that the page connects to; `metadata_urls` may name several issuers, with commas between."""
    return [origin_of(url.strip()) for url in (realtime_url, *metadata_urls.split(","))]


def _not_built() -> VoiceAgentError:
    detail = "the talk page has not been built: run `npm ci && npm run build` in clients/talk"
    return VoiceAgentError("page_not_built", detail, retryable=True)


def _accepts_gzip(request: func.HttpRequest) -> bool:
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = part.replace(" ", "").partition(";q=")
        if name == "gzip":
            return weight not in {"0", "0.0", "0.00", "0.000"}
    return False


def _is_current(request: func.HttpRequest, file: StaticFile) -> bool:
    known = request.headers.get("If-None-Match", "")
    return known.strip() == "*" or file.etag in {tag.strip().removeprefix("W/") for tag in known.split(",")}


def _serve(request: func.HttpRequest, file: StaticFile, extra: Mapping[str, str]) -> func.HttpResponse:
    headers = {
        "ETag": file.etag,
        "Cache-Control": file.cache_control,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        **extra,
    }
    if _is_current(request, file):
        return func.HttpResponse(status_code=304, headers=headers)
    headers["Content-Type"] = file.content_type
    body = file.content
    if file.gzipped and _accepts_gzip(request):
        headers["Content-Encoding"] = "gzip"
        headers["ETag"] = f"W/{file.etag}"
        body = file.gzipped
    return func.HttpResponse(body, status_code=200, headers=headers, mimetype=file.content_type.split(";")[0])


# Functions has no plain root route: an empty template falls back to the function's name, an optional
# parameter that must be empty does not. Needs an empty routePrefix, and AzureWebJobsDisableHomepage=true.
# Source: https://github.com/Azure/Azure-Functions/issues/2473
@blueprint.function_name("talk_page")
@blueprint.route("{page:maxlength(0)?}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def talk_page(req: func.HttpRequest) -> func.HttpResponse:
    """The page itself."""

    async def deed() -> func.HttpResponse:
        file = find(STATIC_FOLDER, PAGE)
        if file is None:
            raise _not_built()
        settings = services().settings
        origins = connect_origins(settings.web_pubsub_public_url, settings.auth_metadata_url)
        return _serve(req, file, security_headers(origins))

    return await answer("talk_page", deed)


@blueprint.function_name("talk_file")
@blueprint.route("talk/{*file}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def talk_file(req: func.HttpRequest) -> func.HttpResponse:
    """One of the page's parts."""

    async def deed() -> func.HttpResponse:
        name = req.route_params.get("file") or ""
        file = None if name == PAGE else find(STATIC_FOLDER, name)
        if file is not None:
            return _serve(req, file, {"Cross-Origin-Resource-Policy": "same-origin"})
        if find(STATIC_FOLDER, PAGE) is None:
            raise _not_built()
        raise NotFound("no_such_file", "the talk page has no part of this name")

    return await answer("talk_file", deed)
