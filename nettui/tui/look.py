"""The look: the terminal's own colours, and frames around what lies above the table."""

from __future__ import annotations

CSS = """
Screen { layout: vertical; background: ansi_default; color: ansi_default; }
#body { height: 1fr; }

Dialog { align: center middle; background: transparent; }
Dialog > Vertical {
    width: 96%; max-width: 110; height: auto; max-height: 96%; padding: 0 1;
    border: solid ansi_cyan; background: ansi_default;
    border-title-color: ansi_default; border-title-style: bold; border-title-background: ansi_default;
    border-subtitle-color: ansi_default; border-subtitle-style: none; border-subtitle-background: ansi_default;
}
Dialog Page { height: auto; max-height: 100%; }
Dialog OptionList, Dialog OptionList:focus {
    height: auto; max-height: 100%; border: none; padding: 0; background: ansi_default; color: ansi_default;
    overflow-x: hidden; scrollbar-size-vertical: 1; text-wrap: nowrap; text-overflow: ellipsis;
}
Dialog OptionList > .option-list--option, Dialog OptionList:focus > .option-list--option {
    padding: 0; color: ansi_default; background: ansi_default;
}
Dialog OptionList > .option-list--option-disabled, Dialog OptionList:focus > .option-list--option-disabled {
    text-style: dim; color: ansi_default;
}
Dialog OptionList > .option-list--option-highlighted, Dialog OptionList:focus > .option-list--option-highlighted {
    text-style: reverse; color: ansi_default; background: ansi_default;
}
Input, Input:focus {
    border: none; height: 1; padding: 0; background: ansi_default; color: ansi_default;
}
Input > .input--cursor, Input:focus > .input--cursor {
    text-style: reverse; color: ansi_default; background: ansi_default;
}
Dialog Input, Dialog Input:focus { border-bottom: none; margin: 0 0 1 0; }
"""
