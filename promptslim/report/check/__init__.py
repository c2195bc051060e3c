"""Output formats of ``promptslim check``: one module each, with ``render(result, view)``."""
