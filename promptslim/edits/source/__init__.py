"""How text is written in each kind of source: one module per kind."""
