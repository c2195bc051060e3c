"""Output formats of ``promptslim inventory``: one module each, with ``render(inventory, view)``."""
