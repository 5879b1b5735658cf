"""Draws a call that is over, and writes it as one stereo file: `python -m local_stack.phones.plot FOLDER`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from local_stack.phones import g711, wav
from local_stack.phones.call_files import CallFiles
from local_stack.phones.picture.scene import NotACall, Scene, read_scene

DONE, WRONG_USAGE = 0, 2
_LONGEST_S: Final = 600.0


def write_picture(folder: Path) -> tuple[Path, Path]:
    """Writes the picture and the stereo sound into the call's folder, and says where. Raises: NotACall."""
    from local_stack.phones.picture.drawing import draw  # noqa: PLC0415 - the library loads only for a picture

    scene = read_scene(folder)
    if scene.seconds > _LONGEST_S:
        raise NotACall(f"{folder}: calls of more than {_LONGEST_S:.0f} s are not drawn")
    files = CallFiles(folder)
    wav.write(files.stereo_wav, stereo(scene), g711.SAMPLE_RATE_HZ)
    draw(scene).save(files.picture)
    return files.picture, files.stereo_wav


def stereo(scene: Scene) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    """The caller on the left, the agent on the right."""
    length = min(len(scene.caller), len(scene.agent))
    return np.column_stack([scene.caller[:length], scene.agent[:length]])


def main(words: Sequence[str] | None = None) -> int:
    """0: drawn; 2: no call in the folder."""
    parser = argparse.ArgumentParser(prog="python -m local_stack.phones.plot", description=__doc__)
    parser.add_argument("folder", type=Path, help="a call's folder, such as .local/calls/CA…")
    options = parser.parse_args(words)
    try:
        picture, sound = write_picture(options.folder)
    except NotACall as error:
        print(f"plot: {error}", file=sys.stderr)
        return WRONG_USAGE
    print(f"picture {picture}\nstereo  {sound}")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
