"""The bodies of InvokeModel, one module per family.

A module has ``BODIES``, the names of rules/models/bodies.toml that it serves; ``write(request)``, the body; and
``read(body, headers, seconds)``, the Answer, which raises KeyError, IndexError, TypeError or ValueError where
something is missing. Shapes: rules/models/bodies.toml names the sources.
"""
