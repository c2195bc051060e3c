"""Rules on how calls are made."""
