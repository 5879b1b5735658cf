"""What is read out of `python -X importtime`."""

from __future__ import annotations

import pytest

from benchmarks.cold_start import (
    STEPS,
    Import,
    most_expensive,
    read_import_times,
    settings_of_no_stack,
    time_steps,
)

_TOLD = """import time: self [us] | cumulative | imported package
import time:      1000 |       1000 |       azure.functions.http
import time:      2000 |       3000 |     azure.functions
import time:       500 |        500 |     json.decoder
import time:      4000 |       7500 | function_app
"""


def test_every_line_is_an_import() -> None:
    assert read_import_times(_TOLD)[1] == Import("azure.functions", 2.0, 3.0)
    assert len(read_import_times(_TOLD)) == 4


def test_modules_of_a_package_count_together_and_the_app_itself_not() -> None:
    assert most_expensive(read_import_times(_TOLD), 10, "function_app") == [
        Import("azure.functions", 3.0, 3.0),
        Import("json", 0.5, 0.5),
    ]


@pytest.mark.slow
def test_the_steps_of_a_start_make_up_the_whole() -> None:
    steps = time_steps(settings_of_no_stack())
    assert tuple(steps) == STEPS
    assert all(took_ms >= 0 for took_ms in steps.values())
    assert sum(steps.values()) > 200
