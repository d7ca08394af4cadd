"""Effects: git, files, configuration, processes, terminals. Knows nothing of TLBs."""
