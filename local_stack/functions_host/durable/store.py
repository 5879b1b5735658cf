"""Keeps instances, histories, messages, activities, timers and entities on disk, in one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS instances (
    instance_id TEXT PRIMARY KEY, name TEXT NOT NULL, execution_id TEXT NOT NULL, status TEXT NOT NULL,
    version TEXT NOT NULL, input TEXT, output TEXT, custom_status TEXT, created REAL NOT NULL,
    updated REAL NOT NULL, parent_id TEXT, parent_execution_id TEXT, parent_task_id INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS instances_by_status ON instances (status);
CREATE TABLE IF NOT EXISTS history (
    instance_id TEXT NOT NULL, position INTEGER NOT NULL, event TEXT NOT NULL,
    PRIMARY KEY (instance_id, position)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, execution_id TEXT, message TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS inbox_by_target ON inbox (target);
CREATE TABLE IF NOT EXISTS activities (
    id INTEGER PRIMARY KEY AUTOINCREMENT, instance_id TEXT NOT NULL, execution_id TEXT NOT NULL,
    task_id INTEGER NOT NULL, name TEXT NOT NULL, input TEXT
);
CREATE TABLE IF NOT EXISTS timers (
    instance_id TEXT NOT NULL, execution_id TEXT NOT NULL, timer_id INTEGER NOT NULL, fire_at TEXT NOT NULL,
    PRIMARY KEY (instance_id, execution_id, timer_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entities (
    entity_id TEXT PRIMARY KEY, state TEXT, updated REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS schedules (
    function_name TEXT PRIMARY KEY, last TEXT, next TEXT NOT NULL
) WITHOUT ROWID;
"""

FINISHED = ("Completed", "Failed", "Terminated", "Canceled")
Row = sqlite3.Row


class DurableStore:
    """The one writer of the task hub's file.

    WAL without an fsync per commit: what was committed survives the death of the process.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        # A checkpoint waits for the disk; fewer of them stop the loop less often.
        self._database.execute("PRAGMA wal_autocheckpoint=4000")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is written inside."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def run(self, statement: str, *values: Any) -> None:
        self._database.execute(statement, values)

    def rows(self, statement: str, *values: Any) -> list[Row]:
        return self._database.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> Row | None:
        found: Row | None = self._database.execute(statement, values).fetchone()
        return found

    # messages

    def add_message(self, target: str, execution_id: str | None, message: str) -> int:
        """Keep a message until its target has handled it; return its row id."""
        cursor = self._database.execute(
            "INSERT INTO inbox (target, execution_id, message) VALUES (?, ?, ?)",
            (target, execution_id, message),
        )
        return int(cursor.lastrowid or 0)

    def delete_messages(self, ids: Iterable[int]) -> None:
        self._database.executemany("DELETE FROM inbox WHERE id = ?", [(row_id,) for row_id in ids])

    # activities and timers

    def add_activity(
        self, instance_id: str, execution_id: str, task_id: int, name: str, input_text: str | None
    ) -> int:
        cursor = self._database.execute(
            "INSERT INTO activities (instance_id, execution_id, task_id, name, input) VALUES (?, ?, ?, ?, ?)",
            (instance_id, execution_id, task_id, name, input_text),
        )
        return int(cursor.lastrowid or 0)

    def delete_activities(self, ids: Iterable[int]) -> None:
        self._database.executemany("DELETE FROM activities WHERE id = ?", [(row_id,) for row_id in ids])

    def add_timer(self, instance_id: str, execution_id: str, timer_id: int, fire_at: str) -> None:
        self.run("INSERT OR REPLACE INTO timers VALUES (?, ?, ?, ?)", instance_id, execution_id, timer_id, fire_at)

    def delete_timer(self, instance_id: str, execution_id: str, timer_id: int) -> None:
        self.run(
            "DELETE FROM timers WHERE instance_id = ? AND execution_id = ? AND timer_id = ?",
            instance_id,
            execution_id,
            timer_id,
        )

    def delete_timers(self, instance_id: str) -> None:
        self.run("DELETE FROM timers WHERE instance_id = ?", instance_id)

    # history

    def append_history(self, instance_id: str, position: int, events: Iterable[str]) -> None:
        self._database.executemany(
            "INSERT INTO history VALUES (?, ?, ?)",
            [(instance_id, position + offset, event) for offset, event in enumerate(events)],
        )

    def delete_history(self, instance_id: str) -> None:
        self.run("DELETE FROM history WHERE instance_id = ?", instance_id)

    def history(self, instance_id: str) -> list[str]:
        found = self.rows("SELECT event FROM history WHERE instance_id = ? ORDER BY position", instance_id)
        return [str(row["event"]) for row in found]

    def delete_instance(self, instance_id: str) -> None:
        """Forget an instance and all that belongs to it."""
        self.delete_history(instance_id)
        for table in ("instances", "activities", "timers"):
            self.run(f"DELETE FROM {table} WHERE instance_id = ?", instance_id)  # noqa: S608
        self.run("DELETE FROM inbox WHERE target = ?", instance_id)
