"""`python -m hostile FOLDER` writes the corpus, with a table of what is what."""

from __future__ import annotations

import sys
from pathlib import Path

from hostile.corpus import FILES

for each in FILES:
    print(f"{each.write(Path(sys.argv[1])).name}\t{each.does}\t{each.said}")
