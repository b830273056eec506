"""The full screen. Alone in nettui it knows Textual."""

import os

# Textual reads this when it is imported. A frame waits for the next beat: at its own 60 a second that is half of the
# time that a key may take. Nothing is drawn, and no beat kept, while nothing changes.
os.environ.setdefault("TEXTUAL_FPS", "240")
