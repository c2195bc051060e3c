"""Rules on the choice of model."""
