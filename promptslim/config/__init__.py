"""Settings: what config files and the command line say, merged, and resolved into one object."""
