"""The formats of InvokeModel bodies, one module per family.

A module has ``BODIES``, the names of rules/models/bodies.toml that it serves; ``read(model, body)``, which gives the
Chat and raises Refused; ``write(reply)``, the body of the answer; and ``chunks(reply)``, the bodies of a stream.
"""
