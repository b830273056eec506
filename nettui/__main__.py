"""``python -m nettui``."""

import sys

from nettui.cli import main

sys.exit(main())
