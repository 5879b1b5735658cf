"""The publisher's own hub: first choice for every file, with a short patience when it cannot be reached."""

from __future__ import annotations

import http.client
import logging
import socket
import tarfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from local_stack.models.delivery import FetchError, Progress, copy_stream
from local_stack.models.lockfile import LockedFile

CONNECT_TIMEOUT_S = 2.5
READ_TIMEOUT_S = 20.0

_log = logging.getLogger(__name__)


class Hubs:
    """Downloads from publishers; a host that did not answer once is not asked again in this run."""

    def __init__(self) -> None:
        self._unreachable: set[str] = set()
        self._lock = threading.Lock()

    def deliver(self, file: LockedFile, target: Path, progress: Progress) -> None:
        """Write the file to `target`, going on where an earlier attempt stopped. Raises FetchError."""
        if file.upstream is None:
            raise FetchError("the publisher has no address for it")
        host = urllib.parse.urlsplit(file.upstream.url).netloc
        with self._lock:  # one connection attempt finds out for all files of the host
            if host not in self._unreachable and not _answers(file.upstream.url):
                self._unreachable.add(host)
                _log.info("upstream not reachable, skipped for this run: %s", host)
            if host in self._unreachable:
                raise FetchError(f"{host} cannot be reached")
        try:
            if file.upstream.member is None:
                _resume(file.upstream.url, target, progress)
            else:
                _take_member(file.upstream.url, file.upstream.member, target, progress)
        except (OSError, http.client.HTTPException, tarfile.TarError) as error:
            raise FetchError(f"{host}: {error}") from error


def _answers(url: str) -> bool:
    parts = urllib.parse.urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=CONNECT_TIMEOUT_S):
            return True
    except OSError:
        return False


def _open(url: str, offset: int = 0) -> http.client.HTTPResponse:
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        raise FetchError(f"not a web address: {url}")
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the scheme was checked above
    response = urllib.request.urlopen(request, timeout=READ_TIMEOUT_S)  # noqa: S310
    assert isinstance(response, http.client.HTTPResponse)
    return response


def _resume(url: str, target: Path, progress: Progress) -> None:
    offset = target.stat().st_size if target.exists() else 0
    try:
        response = _open(url, offset)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        target.unlink()  # longer than the whole file, so it cannot be a part of it
        offset, response = 0, _open(url)
    if response.status != http.HTTPStatus.PARTIAL_CONTENT:
        offset = 0
    with response, target.open("ab" if offset else "wb") as out:
        progress.restart(offset)
        copy_stream(response, out, progress)


def _take_member(url: str, member: str, target: Path, progress: Progress) -> None:
    with _open(url) as response, tarfile.open(fileobj=response, mode="r|*") as archive:
        for entry in archive:
            if entry.isfile() and entry.name.removeprefix("./") == member:
                source = archive.extractfile(entry)
                assert source is not None  # it is a file, as was just seen
                with target.open("wb") as out:
                    progress.restart(0)
                    copy_stream(source, out, progress)
                return
    raise FetchError(f"{url} holds no {member}")
