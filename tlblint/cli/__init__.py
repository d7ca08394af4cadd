"""The command line: click, one file per command, errors to exit statuses."""
