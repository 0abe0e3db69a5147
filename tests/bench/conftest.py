"""`bench` stands at the root and is not installed: `make bench` runs it from there, and so do its tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
