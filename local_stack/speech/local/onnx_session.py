"""Opens ONNX models so that several of them share two cores without spinning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime


def open_session(path: Path, threads: int) -> Any:
    """An inference session on the processor; `onnxruntime` has no types of its own."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # A waiting thread must not burn the core that another model needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
