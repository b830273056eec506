"""``nettui`` and ``python -m nettui``. An interrupt is no fault, not even while the command line is being imported."""

import sys


def main() -> int:
    try:
        from nettui.cli import main as run

        return run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
