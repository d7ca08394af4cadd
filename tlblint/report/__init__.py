"""One view model, many printers. Printers are pure: a Report and a Style in, text out."""
