"""Static findings as thread programs that the simulator judges: confirmed, conditional, refuted or inconclusive."""
