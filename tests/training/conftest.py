"""Makes `small_model` importable, here and in the scripts that tests start."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
