"""Speech and language behind OpenAI's protocol: small local models, or a script with exact latencies."""

from __future__ import annotations

import os

# Read when numpy is first loaded: its threads wait by spinning, on the cores that the other models need.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
