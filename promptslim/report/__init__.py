"""One renderer per output format. Renderers know core data only and return text; writing it is the CLI's work."""
