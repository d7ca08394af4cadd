"""The engine: rule automata run over every path of the functions that change page tables. ``asked`` says what goes in and out, ``analyse`` runs it."""
