"""One module for each command, imported when it is used; the command is named after the module."""
