"""Rates with provenance, the cost of a call, cache economics, and price files."""
