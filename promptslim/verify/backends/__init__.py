"""Where answers come from, one module per backend; see ``verify/backend.py``."""
