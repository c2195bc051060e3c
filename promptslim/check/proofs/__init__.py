"""Rules on promptslim.lock."""
