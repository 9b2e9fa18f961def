"""A program of its own: panels in, pictures out, so that a stuck renderer can be ended without harm.

Reads a JSON list of panels, as `figures` describes them, from standard input and writes a JSON list of SVG texts. It
draws a small panel of every kind, which takes a second, while its input is still being made.
"""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def beside(name: str) -> ModuleType:
    """Import the package of this name that lies beside this file, and make nothing else importable.

    The folder must not become one to import from: it holds an html.py and others that Python has too.
    """
    folder = Path(__file__).with_name(name)
    spec = spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None:
        raise ImportError(f"no package {name} beside {__file__}")
    sys.modules[name] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    drawing = beside("drawing")
    drawing.draw(drawing.FIRST)
    json.dump(drawing.draw(json.load(sys.stdin)), sys.stdout)
