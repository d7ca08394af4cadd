"""From what the engine reports to findings that can be printed, compared and silenced."""
